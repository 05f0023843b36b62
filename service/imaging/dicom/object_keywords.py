"""Elements that objects for archives copy from the file of their image, by module (PS3.3)."""

OBJECT_KEYWORDS = [
    # Patient (C.7.1.1) and clinical trial subject (C.7.1.3)
    "PatientName", "PatientID", "IssuerOfPatientID", "TypeOfPatientID",
    "IssuerOfPatientIDQualifiersSequence", "ReferencedPatientSequence", "PatientBirthDate",
    "PatientBirthTime", "PatientSex", "OtherPatientIDsSequence", "OtherPatientNames",
    "EthnicGroup", "EthnicGroupCodeSequence", "PatientComments", "QualityControlSubject",
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName",
    "ClinicalTrialSiteID", "ClinicalTrialSiteName", "ClinicalTrialSubjectID",
    "ClinicalTrialSubjectReadingID",
    # Study (C.7.2.1), patient study (C.7.2.2) and clinical trial study (C.7.2.3)
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription",
    "AccessionNumber", "IssuerOfAccessionNumberSequence", "ReferringPhysicianName",
    "ReferringPhysicianIdentificationSequence", "ConsultingPhysicianName",
    "ConsultingPhysicianIdentificationSequence", "PhysiciansOfRecord",
    "PhysiciansOfRecordIdentificationSequence", "NameOfPhysiciansReadingStudy",
    "PhysiciansReadingStudyIdentificationSequence", "RequestingService",
    "RequestingServiceCodeSequence", "ReferencedStudySequence", "ProcedureCodeSequence",
    "ReasonForPerformedProcedureCodeSequence",
    "AdmittingDiagnosesDescription", "AdmittingDiagnosesCodeSequence", "PatientAge",
    "PatientSize", "PatientWeight", "PatientBodyMassIndex", "PatientSizeCodeSequence",
    "MedicalAlerts", "Allergies", "Occupation", "SmokingStatus", "AdditionalPatientHistory",
    "PregnancyStatus", "LastMenstrualDate", "PatientState", "ReasonForVisit",
    "ReasonForVisitCodeSequence", "AdmissionID", "IssuerOfAdmissionIDSequence", "ServiceEpisodeID",
    "ServiceEpisodeDescription", "IssuerOfServiceEpisodeIDSequence",
    "ClinicalTrialTimePointID", "ClinicalTrialTimePointDescription",
    # Instance (C.12.1) and series (C.7.3.1)
    "SOPClassUID", "SOPInstanceUID", "TimezoneOffsetFromUTC", "InstanceNumber",
    "InstanceCreationDate", "InstanceCreationTime",
    "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDate", "SeriesTime",
    "SeriesDescription", "Laterality", "BodyPartExamined", "ProtocolName", "PatientPosition",
    "PerformedProcedureStepID", "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime", "PerformedProcedureStepDescription",
    "PerformedProtocolCodeSequence", "ReferencedPerformedProcedureStepSequence",
    "RequestAttributesSequence", "RequestedProcedureID", "RequestedProcedureDescription",
    "RequestedProcedureCodeSequence", "ReferencedRequestSequence",
    # Frame of reference (C.7.4.1) and equipment (C.7.5.1)
    "FrameOfReferenceUID", "PositionReferenceIndicator",
    "Manufacturer", "ManufacturerModelName", "StationName", "InstitutionName",
    "InstitutionalDepartmentName",
    # Image: general (C.7.6.1), pixels (C.7.6.3), mammography (C.8.11.7)
    "ImageType", "PresentationIntentType", "ContentDate", "ContentTime", "AcquisitionDate",
    "AcquisitionTime", "AcquisitionDateTime", "AcquisitionNumber", "PatientOrientation",
    "ImageLaterality", "ViewPosition", "ViewCodeSequence", "PositionerType",
    "AnatomicRegionSequence", "BreastImplantPresent", "PartialView", "BurnedInAnnotation",
    "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
    "Rows", "Columns", "NumberOfFrames", "PhotometricInterpretation",
    "ImagerPixelSpacing", "PixelSpacing", "PixelSpacingCalibrationType",
    "PixelSpacingCalibrationDescription", "EstimatedRadiographicMagnificationFactor",
]  # fmt: skip
"""Keywords of the elements. Specific Character Set goes with them."""
