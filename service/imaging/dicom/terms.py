"""Terms and codes by which a header tells the subject of an image and how it was made."""

from collections.abc import Mapping

from service.records import Derivation, Laterality

SPECIMEN = "SPECIMEN"
# Views: from the codes of PS3.16 CID 4014 in SNOMED CT, and in SNOMED RT (older files), to the
# terms of PS3.3 C.8.11.7.1.1.
VIEW_CODES = {
    "399162004": "CC", "R-10242": "CC",
    "399368009": "MLO", "R-10226": "MLO",
    "399260004": "ML", "R-10224": "ML",
    "399352003": "LM", "R-10228": "LM",
    "399099002": "LMO", "R-10230": "LMO",
    "399188001": "SIO", "R-102D0": "SIO",
    "441555000": "ISO", "R-40AAA": "ISO",
    "399196006": "FB", "R-10244": "FB",
    "399192008": "XCCL", "R-1024A": "XCCL",
    "399101009": "XCCM", "R-1024B": "XCCM",
    "127457009": SPECIMEN, "G-8310": SPECIMEN,
}  # fmt: skip
VIEWS = {*VIEW_CODES.values(), "XCC", "CV", "AT"}

MAGNIFICATION = "Magnification"
SPOT_COMPRESSION = "Spot Compression"
IMPLANT_DISPLACED = "Implant Displaced"
# View modifiers: from the codes of PS3.16 CID 4015 in SNOMED CT, and in SNOMED RT (older files).
MODIFIER_CODES = {
    "399163009": MAGNIFICATION, "R-102D6": MAGNIFICATION,
    "399055006": SPOT_COMPRESSION, "R-102D7": SPOT_COMPRESSION,
    "399209000": IMPLANT_DISPLACED, "R-102D5": IMPLANT_DISPLACED,
    "441752004": "Anterior compression", "P2-00161": "Anterior compression",
    "399011000": "Axillary Tail", "R-102D1": "Axillary Tail",
    "442580003": "Axillary tissue", "R-40AB2": "Axillary tissue",
    "399161006": "Cleavage", "R-102D2": "Cleavage",
    "442593008": "Infra-mammary fold", "R-40ABE": "Infra-mammary fold",
    "442581004": "Nipple in profile", "R-40AB3": "Nipple in profile",
    "414493004": "Rolled Inferior", "R-102CA": "Rolled Inferior",
    "399197002": "Rolled Lateral", "R-102D3": "Rolled Lateral",
    "399226006": "Rolled Medial", "R-102D4": "Rolled Medial",
    "415670009": "Rolled Superior", "R-102C9": "Rolled Superior",
    "399110001": "Tangential", "R-102C2": "Tangential",
}  # fmt: skip
# Terms in values 3 to 5 of Image Type (PS3.3 C.8.11.7.1.4).
TOMOSYNTHESIS_TYPES = {"TOMO", "TOMO_PROJ", "TOMOSYNTHESIS", "TOMO_SCOUT"}
DERIVATIONS: Mapping[Derivation, set[str]] = {
    # GENERATED_2D is the standard's, the others are the names of products.
    "synthesised": {
        "GENERATED_2D", "C-VIEW", "CVIEW", "V-PREVIEW", "VOLUMEPREVIEW", "VOLUME_PREVIEW",
        "INSIGHT_2D", "SYNTHETIC_2D",
    },
    "contrast-enhanced": {
        "ADDITION", "SUBTRACTION", "LOW_ENERGY", "HIGH_ENERGY", "PRE_CONTRAST", "POST_CONTRAST",
    },
    "biopsy": {
        "STEREO_SCOUT", "STEREO_MINUS", "STEREO_PLUS", "PREFIRE", "PREFIRE_MINUS", "PREFIRE_PLUS",
        "POSTFIRE", "POSTFIRE_MINUS", "POSTFIRE_PLUS", "POSTBIOPSY", "POSTBIOPSY_MINUS",
        "POSTBIOPSY_PLUS", "POSTMARKER",
    },
}  # fmt: skip

# The breast, the right, the left, and both breasts, in SNOMED CT and SNOMED RT.
BREAST_CODES = {
    "76752008", "73056007", "80248007", "63762007", "T-04000", "T-04020", "T-04030", "T-04080",
}  # fmt: skip
# Body parts other than the breast that are X-rayed (PS3.16 annex L).
OTHER_BODY_PARTS = {
    "ABDOMEN", "ABDOMENPELVIS", "ANKLE", "ARM", "CALCANEUS", "CHEST", "CHESTABDOMEN", "CLAVICLE",
    "COCCYX", "CSPINE", "CTSPINE", "ELBOW", "EXTREMITY", "EYE", "FEMUR", "FINGER", "FOOT",
    "FOREARM", "HAND", "HEAD", "HEADNECK", "HEART", "HIP", "HUMERUS", "JAW", "KNEE", "LEG",
    "LSPINE", "LSSPINE", "LUNG", "NECK", "PELVIS", "RIB", "SCAPULA", "SHOULDER", "SKULL", "SPINE",
    "SSPINE", "STERNUM", "THIGH", "TIBIA", "TLSPINE", "TOE", "TSPINE", "WRIST",
}  # fmt: skip
# Of both breasts or of an unpaired part: true, but no side of one breast.
LATERALITIES: Mapping[str, Laterality | None] = {
    "L": "L", "LEFT": "L", "R": "R", "RIGHT": "R", "B": None, "U": None,
}  # fmt: skip
INTENTS = {"FOR PROCESSING": True, "FOR PRESENTATION": False}
