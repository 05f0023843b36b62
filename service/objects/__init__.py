"""Objects for archives, built from results and the headers of files with highdicom.

A reader process builds them, because headers name the patient.
"""

from service.objects.building import BuildTask
from service.objects.uids import instance_uid, series_uid

__all__ = ["BuildTask", "instance_uid", "series_uid"]
