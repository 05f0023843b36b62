"""Patient and study of the source image, copied into an object: PS3.3 C.7.1 and C.7.2."""

from pydicom.charset import python_encoding
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from service.errors import NotStorable
from service.objects.header_values import readable, valid_copy

PATIENT = (
    "ReferencedPatientSequence", "PatientName", "PatientID", "IssuerOfPatientID", "TypeOfPatientID",
    "IssuerOfPatientIDQualifiersSequence", "PatientBirthDate", "PatientBirthTime", "PatientSex",
    "QualityControlSubject", "OtherPatientNames", "OtherPatientIDsSequence",
    "EthnicGroup", "EthnicGroupCodeSequence", "PatientComments",
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
)  # fmt: skip
STUDY = (
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription",
    "AccessionNumber", "IssuerOfAccessionNumberSequence",
    "ReferringPhysicianName", "ReferringPhysicianIdentificationSequence",
    "ConsultingPhysicianName", "ConsultingPhysicianIdentificationSequence",
    "PhysiciansOfRecord", "PhysiciansOfRecordIdentificationSequence",
    "NameOfPhysiciansReadingStudy", "PhysiciansReadingStudyIdentificationSequence",
    "ReferencedStudySequence", "ProcedureCodeSequence",
    "RequestingService", "RequestingServiceCodeSequence",
    "ReasonForPerformedProcedureCodeSequence",
)  # fmt: skip
PATIENT_STUDY = (
    "AdmittingDiagnosesDescription", "AdmittingDiagnosesCodeSequence", "PatientAge", "PatientSize",
    "PatientSizeCodeSequence", "PatientWeight", "PatientBodyMassIndex", "MedicalAlerts",
    "Allergies", "SmokingStatus",
    "PregnancyStatus", "LastMenstrualDate", "Occupation", "AdditionalPatientHistory",
    "ReasonForVisit", "ReasonForVisitCodeSequence", "AdmissionID", "IssuerOfAdmissionIDSequence",
    "ServiceEpisodeID", "ServiceEpisodeDescription", "IssuerOfServiceEpisodeIDSequence",
    "PatientState",
)  # fmt: skip
TRIAL = (
    "ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName",
    "ClinicalTrialSiteID", "ClinicalTrialSiteName", "ClinicalTrialSubjectID",
    "ClinicalTrialSubjectReadingID", "ClinicalTrialTimePointID",
    "ClinicalTrialTimePointDescription",
)  # fmt: skip
COPIED = (*PATIENT, *STUDY, *PATIENT_STUDY, *TRIAL)
"""Keywords of the elements that every object has in common with its source."""

# Present in every object, if need be without a value.
_REQUIRED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip


def copy_modules(source: Dataset, target: Dataset) -> None:
    """Replace patient and study of `target` by those of `source`, with its character set.

    Values that DICOM does not allow are cut or left out; see `service.objects.header_values`.

    Raises:
        NotStorable: the Patient ID is invalid.
    """
    for keyword in COPIED:
        if keyword in target:
            del target[keyword]
    _copy_character_set(source, target)

    for keyword in COPIED:
        element = valid_copy(source, keyword)
        if element is not None:
            target.add(element)
    for keyword in _REQUIRED:
        if keyword not in target:
            setattr(target, keyword, "")

    if not target.PatientID and readable(source, "PatientID"):
        raise NotStorable("The Patient ID of the file is invalid.")
    _complete_conditions(target)
    _complete_trial(target)


def _copy_character_set(source: Dataset, target: Dataset) -> None:
    """Copy the character set if it is known. Otherwise bytes are copied as they are."""
    if "SpecificCharacterSet" in target:
        del target.SpecificCharacterSet
    written = readable(source, "SpecificCharacterSet")
    names = list(written) if isinstance(written, MultiValue) else [written or ""]

    if any(names) and all((name or "") in python_encoding for name in names):
        target.SpecificCharacterSet = names if len(names) > 1 else names[0]


def _complete_conditions(target: Dataset) -> None:
    """Remove what DICOM allows only together with another element that is missing."""
    method = ("DeidentificationMethod", "DeidentificationMethodCodeSequence")
    if target.get("PatientIdentityRemoved") == "YES" and not any(
        target.get(keyword) for keyword in method
    ):
        target.DeidentificationMethod = "Unknown"
    for keyword in COPIED:
        if keyword in target and target[keyword].is_empty and keyword not in _REQUIRED:
            del target[keyword]


def _complete_trial(target: Dataset) -> None:
    """Keep the subject of a clinical trial with all that its module needs, or nothing of it."""
    sponsor, protocol, *names, subject, reading, time_point, description = TRIAL
    has_subject = subject in target or reading in target
    is_trial = sponsor in target and protocol in target and has_subject

    if is_trial:
        missing = [keyword for keyword in names if keyword not in target]
        if description in target and time_point not in target:
            missing.append(time_point)
        for keyword in missing:
            setattr(target, keyword, "")
    else:
        for keyword in TRIAL:
            if keyword in target:
                del target[keyword]
