"""ZIP files and CSV tables for somebody else's eyes."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence

from colpo_core.studies.export import csv_cell

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def zip_bytes(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A ZIP file; equal files give equal ones.

    Args:
        files: Name and content of each, in order.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, date_time=_ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table as UTF-8 CSV with a header; what is None is an empty cell, numbers are written in full."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(value) for value in row] for row in rows)
    return buffer.getvalue().encode()
