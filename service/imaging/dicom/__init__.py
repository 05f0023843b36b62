"""DICOM files to calibrated greyscale pixels."""
