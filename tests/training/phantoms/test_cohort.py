"""Images of every machine of the cohort, through the service's reader."""

from dataclasses import replace

import numpy as np
import pytest

from service.imaging import read
from service.records import FitParameters
from training.phantoms import render_view, to_dicom_bytes
from training.phantoms.anatomy import View
from training.phantoms.cohort import MACHINES, Machine


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.acquisition.model)
@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_images_of_every_machine_are_read(machine: Machine, view: View) -> None:
    detector = replace(machine.detector, rows=896, columns=704)
    image = render_view(np.random.default_rng(8), view=view, detector=detector)

    reading = read(to_dicom_bytes(image, machine.acquisition), FitParameters(256, 192))

    assert reading.warnings == ()
    assert reading.fitted.side == "left"
