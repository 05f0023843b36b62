"""Side and view as the names of files say them."""

import pytest

from service.imaging.file_names import read_file_name

NAMES = {
    # As published sets name their files.
    "10006_L_CC_462822612.dcm": ("L", "CC"),
    "10011_R_MLO_1031443799.dcm": ("R", "MLO"),
    "A_1234_1.RIGHT_CC.LJPEG.png": ("R", "CC"),
    "B_3005_1.LEFT_MLO.LJPEG": ("L", "MLO"),
    "P001_L_CM_MLO.jpg": ("L", "MLO"),
    "20586908_6c613a14b80a8591_MG_R_CC_ANON.dcm": ("R", "CC"),
    "Mass-Training_P_00001_LEFT_CC_1.dcm": ("L", "CC"),
    # As people name them.
    "mdb001_LMLO": ("L", "MLO"),
    "patient-left-mlo.png": ("L", "MLO"),
    "IMG_R-MLO.dcm": ("R", "MLO"),
    "case7.RXCCL.png": ("R", "XCCL"),
    "scan LeftCC.tif": ("L", "CC"),
    "CC_RIGHT.jpg": ("R", "CC"),
    "mlor.jpg": ("R", "MLO"),
    "Lt MLO.png": ("L", "MLO"),
    "L_ML.dcm": ("L", "ML"),
    "right_lm.dcm": ("R", "LM"),
    "RLMO.dcm": ("R", "LMO"),
    # One fact, or none.
    "left.png": ("L", None),
    "42_XCCL.dcm": (None, "XCCL"),
    "mdb001.pgm": (None, None),
    "1-1.dcm": (None, None),
    "10006_462822612.dcm": (None, None),
    # Initials and other words.
    "R_Smith.dcm": (None, None),
    "R_Smith_L_CC.dcm": ("L", "CC"),
    "L_2_20260101_R_MLO_0001.dcm": ("R", "MLO"),
    "ml_dataset_12.png": (None, None),
    "disk.iso.png": (None, None),
    "look_right_at_me.png": ("R", None),
    "mdb002lm.png": (None, None),
    "LAT.dcm": (None, None),
    "mellow.dcm": (None, None),
    # Two sides, or two views.
    "left_and_right.png": (None, None),
    "R_CC_L_MLO.png": (None, None),
    "RIGHT_breast_L_CC.png": (None, "CC"),
    "L_CC_MLO_montage.png": ("L", None),
    "": (None, None),
}


@pytest.mark.parametrize("name", NAMES)
def test_file_name_says_side_and_view(name: str) -> None:
    named = read_file_name(name)

    assert (named.laterality, named.view) == NAMES[name]
    assert named.source == "file-name"
