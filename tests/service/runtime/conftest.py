"""Fixtures of the runtime: a synthetic breast, a DICOM writer, and asyncio as the async backend."""

import pytest

from service.records import Pixels
from tests.support import dicom_files
from tests.support.dicom_files import WriteDicom


@pytest.fixture
def anyio_backend() -> str:
    """Event loop of the tests marked `anyio`."""
    return "asyncio"


@pytest.fixture(scope="session")
def breast() -> Pixels:
    """Left breast as stored values of 12 bits, uint16 [420, 300]."""
    return dicom_files.stored_breast()


@pytest.fixture(scope="session")
def write_dicom() -> WriteDicom:
    """Writer of Digital Mammography files."""
    return dicom_files.write_dicom
