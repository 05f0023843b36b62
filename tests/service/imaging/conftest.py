"""Fixtures: a synthetic breast, and a writer of DICOM files."""

import pytest

from service.records import Pixels
from tests.support import dicom_files
from tests.support.dicom_files import WriteDicom


@pytest.fixture(scope="session")
def breast() -> Pixels:
    """A left breast as 12-bit stored values, uint16 [420, 300]."""
    return dicom_files.stored_breast()


@pytest.fixture(scope="session")
def write_dicom() -> WriteDicom:
    """Writer of Digital Mammography files."""
    return dicom_files.write_dicom
