"""List the images of an archive: the files of a folder tree, or the rows of a table.

Both may lie wherever fsspec reads: on this machine, or for example at `s3://bucket/folder` with
the package s3fs.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from string import Formatter
from typing import Any

import fsspec
import pyarrow as pa
from fsspec import AbstractFileSystem
from pyarrow import csv, parquet

from service.errors import SourceRefused
from service.imaging.file_names import read_file_name
from service.imaging.image_files import counts_as_image
from service.records import View

LISTING = pa.schema(
    [
        pa.field("number", pa.int64(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("exam", pa.string()),
        pa.field("laterality", pa.string()),
        pa.field("view", pa.string()),
        pa.field("named_by", pa.string(), nullable=False),
    ]
)
"""Images by their number from 0, in the order of the source.

`path`: an address for fsspec. `exam`: None if the files tell. `laterality`, `view`: as `named_by`
says, the caller in a table or the name of the file, None if it does not.
"""

TABLE_SUFFIXES = (".csv", ".parquet")
_BATCH = 65_536  # rows of a table at a time
_EXAM_COLUMNS = ("patient_id", "exam_id")
_LATERALITIES = {"L": "L", "LEFT": "L", "R": "R", "RIGHT": "R"}
_VIEWS = {view.value: view.value for view in View}


def list_source(source: str, images: str | None, left_out: str) -> pa.Table:
    """Return the listing of a folder, or of a table if the name ends in .csv or .parquet.

    `images`: template of the paths of a table's images, None for its column `path`, relative to the
    folder of the table. `left_out`: a folder whose files are no images, that of the results.

    Raises:
        SourceRefused: the source cannot be read, or has no images.
    """
    filesystem, root = fsspec.url_to_fs(source)
    is_table = root.lower().endswith(TABLE_SUFFIXES)
    try:
        if is_table:
            listing = _list_table(filesystem, root, images)
        else:
            listing = _list_folder(filesystem, root, left_out)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceRefused(f"{source} cannot be read: {reason}.") from error

    if not listing.num_rows:
        raise SourceRefused(f"There is no image in {source}: see --help for the files that count.")
    numbers = pa.array(range(listing.num_rows), pa.int64())
    return listing.add_column(0, LISTING.field(0), numbers)


def digest_of(listing: pa.Table) -> str:
    """Return the SHA-256 of a listing, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for batch in listing.to_batches(max_chunksize=_BATCH):
        digest.update(repr(batch.to_pydict()).encode())
    return digest.hexdigest()


def _list_folder(filesystem: AbstractFileSystem, root: str, left_out: str) -> pa.Table:
    """Return the listing of the images in a folder and below it, sorted by path."""
    if not filesystem.isdir(root):
        kinds = " or ".join(TABLE_SUFFIXES)
        raise SourceRefused(f"{root} is neither a folder nor a table ({kinds}).")

    skipped = f"{left_out.rstrip('/')}/"
    inside = (path for path in filesystem.find(root) if not path.startswith(skipped))
    paths = [path for path in sorted(inside) if _is_image(filesystem, root, path)]
    names = [read_file_name(PurePosixPath(path).name) for path in paths]
    return _listing(
        [filesystem.unstrip_protocol(path) for path in paths],
        exam=[None] * len(paths),
        laterality=[name.laterality for name in names],
        view=[name.view for name in names],
        named_by=["file-name"] * len(paths),
    )


def _is_image(filesystem: AbstractFileSystem, root: str, path: str) -> bool:
    """Return whether a file is not hidden, and is a DICOM file or named as an image."""
    parts = PurePosixPath(path[len(root) :]).parts
    if any(part.startswith(".") for part in parts):
        return False
    return counts_as_image(PurePosixPath(path), lambda size: filesystem.read_block(path, 0, size))


def _list_table(filesystem: AbstractFileSystem, root: str, images: str | None) -> pa.Table:
    """Return the listing of a table's rows.

    Raises:
        SourceRefused: the table is damaged, or lacks a column.
    """
    template = "{path}" if images is None else images
    fields = _fields(template)
    try:
        names = _column_names(filesystem, root)
        _require_columns(fields, names)
        used = {*fields, *_EXAM_COLUMNS, "laterality", "view"} & names.keys()
        rows = _read_columns(filesystem, root, [names[name] for name in used])
    except pa.ArrowInvalid as error:
        raise SourceRefused(f"{root} is damaged: {error}") from error

    beside = filesystem.unstrip_protocol(PurePosixPath(root).parent.as_posix())
    folder = beside if images is None else None
    batches = rows.rename_columns([name.lower() for name in rows.column_names]).to_batches(_BATCH)
    listed = [_list_rows(batch.to_pydict(), template, folder) for batch in batches]
    return pa.concat_tables(listed)


def _list_rows(cells: Mapping[str, Sequence[Any]], template: str, folder: str | None) -> pa.Table:
    """Return the listing of rows of a table. Relative paths begin at the folder if there is one."""
    fields = _fields(template)
    filled = zip(*(cells[field] for field in fields), strict=True)
    paths = [template.format(**dict(zip(fields, row, strict=True))) for row in filled]
    if folder is not None:
        paths = [path if _is_absolute(path) else f"{folder}/{path}" for path in paths]

    nothing: list[None] = [None] * len(paths)
    return _listing(
        paths,
        exam=_exams(cells) or nothing,
        laterality=_words(cells.get("laterality", nothing), _LATERALITIES),
        view=_words(cells.get("view", nothing), _VIEWS),
        named_by=["caller"] * len(paths),
    )


def _fields(template: str) -> list[str]:
    """Return the columns that a template of paths names."""
    return sorted({field for _, field, _, _ in Formatter().parse(template) if field})


def _column_names(filesystem: AbstractFileSystem, root: str) -> dict[str, str]:
    """Return the names of a table's columns by the same in lower case."""
    with filesystem.open(root, "rb") as file:
        if root.lower().endswith(".parquet"):
            names = parquet.read_schema(file).names
        else:
            names = csv.open_csv(file).schema.names
    return {name.lower(): name for name in names}


def _read_columns(filesystem: AbstractFileSystem, root: str, names: Sequence[str]) -> pa.Table:
    """Read columns of a table. Every cell of a CSV file is text, as 007 is."""
    with filesystem.open(root, "rb") as file:
        if root.lower().endswith(".parquet"):
            return parquet.read_table(file, columns=list(names))
        as_text = csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), include_columns=names
        )
        return csv.read_csv(file, convert_options=as_text)


def _require_columns(fields: Collection[str], names: Collection[str]) -> None:
    """Raise SourceRefused if the paths of images are made of a column that is missing."""
    missing = sorted({*fields} - {*names})
    if missing:
        raise SourceRefused(
            f"The table has no column {missing[0]}, of which the paths of its images are made. Its "
            f"columns are {', '.join(names)}. Name others with --images, as in "
            "--images 'images/{patient_id}/{image_id}.dcm'."
        )


def _is_absolute(path: str) -> bool:
    return path.startswith("/") or "://" in path


def _exams(columns: Mapping[str, Sequence[Any]]) -> list[str | None] | None:
    """Return the exam of each row: the patient and the exam as far as there are such columns."""
    own = [columns[name] for name in _EXAM_COLUMNS if name in columns]
    if not own:
        return None
    return ["/".join(str(cell) for cell in row) for row in zip(*own, strict=True)]


def _words(cells: Iterable[Any], known: Mapping[str, str]) -> list[str | None]:
    """Return the known value of each cell, None for another."""
    return [known.get(str(cell).strip().upper()) for cell in cells]


def _listing(paths: Sequence[str], **columns: Sequence[str | None]) -> pa.Table:
    """Return a listing without the numbers of its images."""
    return pa.table({"path": paths, **columns}, LISTING.remove(0))
