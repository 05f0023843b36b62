"""Codes of structured reports: sites, views, decisions, and purposes of references (PS3.16)."""

from collections.abc import Mapping

from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from service.records import Laterality, ObjectName, View

# Concepts.
PROBABILITY = codes.DCM.ProbabilityOfCancer
PERCENT = codes.UCUM.Percent
PERCENTILE = codes.DCM.PercentileRankingOfMeasurement
DECISION = codes.DCM.CADProcessingAndFindingsSummary
PROCESSING = codes.DCM.SummaryOfDetections
COMMENT = codes.DCM.Comment
IMAGE_VIEW = codes.DCM.ImageView
VIEW_MODIFIER = codes.DCM.ImageViewModifier
EVALUATIONS = CodedConcept("C0034375", "UMLS", "Qualitative Evaluations")  # not in pydicom
REFERENCES = codes.DCM.SupportingInformation

# Values.
TITLE = codes.cid7021.ImagingMeasurementReport
PROCEDURE = codes.cid6050.MammographyCAD
FAMILY = codes.cid7162.ArtificialIntelligence
REGION = codes.cid6014.SelectedRegion
BREAST = codes.cid4031.Breast
SIDES: Mapping[Laterality, Code] = {"L": codes.cid244.Left, "R": codes.cid244.Right}

_VIEWS: Mapping[str, Code] = {
    View.CC: codes.cid4014.CranioCaudal,
    View.MLO: codes.cid4014.MedioLateralObliqueProjection,
    View.ML: codes.cid4014.MedioLateralProjection,
    View.LM: codes.cid4014.LateroMedial,
    View.LMO: codes.cid4014.LateroMedialOblique,
    View.SIO: codes.cid4014.SuperolateralToInferomedialOblique,
    View.ISO: codes.cid4014.InferomedialToSuperolateralOblique,
    View.FB: codes.cid4014.CaudoCranial,
    View.XCCL: codes.cid4014.CranioCaudalExaggeratedLaterally,
    View.XCCM: codes.cid4014.CranioCaudalExaggeratedMedially,
}
_MODIFIERS: Mapping[str, Code] = {
    code.meaning.casefold(): code
    for code in (getattr(codes.cid4015, name) for name in codes.cid4015.dir())
}

# By whether a finding is there, and whether every image was answered.
_DECISIONS: Mapping[tuple[bool, bool], Code] = {
    (True, True): codes.cid6047.AllAlgorithmsSucceededWithFindings,
    (False, True): codes.cid6047.AllAlgorithmsSucceededWithoutFindings,
    (True, False): codes.cid6047.NotAllAlgorithmsSucceededWithFindings,
    (False, False): codes.cid6047.NotAllAlgorithmsSucceededWithoutFindings,
}
_STATES: Mapping[bool, Code] = {
    True: codes.cid6042.Succeeded,
    False: codes.cid6042.PartiallySucceeded,
}
_PURPOSES: Mapping[ObjectName, Code] = {
    ObjectName.SUMMARY: codes.cid7006.PartialRenderingForPresentation,
    ObjectName.MARKS: codes.cid7003.IllustrationOfROI,
    ObjectName.SC: codes.cid7003.IllustrationOfROI,
    ObjectName.SEG: codes.cid7003.IllustrationOfROI,
}


def view_code(view: str) -> Code | None:
    """Return the code of a view, None if the context group has none."""
    return _VIEWS.get(view)


def modifier_code(modifier: str) -> Code | None:
    """Return the code of a view modifier, from its meaning."""
    return _MODIFIERS.get(modifier.casefold())


def decision_code(*, positive: bool, every_image: bool) -> Code:
    """Return the summary that says whether a decision is positive.

    `every_image`: no image of the case was refused.
    """
    return _DECISIONS[positive, every_image]


def processing_code(*, every_image: bool) -> Code:
    """Return whether all images were answered."""
    return _STATES[every_image]


def purpose_code(name: ObjectName) -> Code:
    """Return the purpose of the report's reference to another object."""
    return _PURPOSES[name]
