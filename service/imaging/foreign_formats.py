"""Name the format of a file that is not read, by its first bytes."""

from collections.abc import Mapping

_MAGIC: Mapping[bytes, str] = {
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL \r\n\x87\n": "JPEG XL",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\x00\x00\x00\x0cjP  \r\n\x87\n": "JPEG 2000",
    b"II\xbc": "JPEG XR",
    b"%PDF-": "PDF",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"NRRD000": "NRRD",
    b"ObjectType =": "MetaImage",
    b"\x93NUMPY": "NumPy",
    b"\x89HDF\r\n\x1a\n": "HDF5",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"8BPS": "Photoshop",
    b"P5\n": "PGM",
    b"SIMPLE  =": "FITS",
    b"<!DOCTYPE html": "HTML",
    b"<html": "HTML",
    b"<?xml": "XML",
}
# Formats whose names are not at the start, by offset
_MAGIC_AT: Mapping[int, Mapping[bytes, str]] = {
    4: {
        b"ftypheic": "HEIC",
        b"ftypheix": "HEIC",
        b"ftypmif1": "HEIF",
        b"ftypavif": "AVIF",
        b"ftyp": "an MPEG-4 file",
    },
    8: {b"WEBP": "WebP"},
    257: {b"ustar": "a tar archive"},
    344: {b"n+1\x00": "NIfTI", b"ni1\x00": "NIfTI"},
}


def name_format(data: bytes) -> str | None:
    """Return the name of the file's format, or None if it is unknown."""
    for offset, names in {0: _MAGIC, **_MAGIC_AT}.items():
        for magic, name in names.items():
            if data.startswith(magic, offset):
                return name
    return None
