"""A study for somebody else's eyes: its report, its readings, every figure, and a script that computes them anew."""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from colpo_core.records.reports import ReportFigure
from colpo_core.studies.export import csv_cell

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)
_README = """Report of the reading study “{name}”

report.html    the report; prints to PDF from any browser
readings.csv   every locked reading, and every network's word on every case
ratings.csv    first readings as ratings, for the command `analyse`
record.json    design, seal, amendments, exposures and refusals
figures.csv    every number of the report with its bounds
analyse.R      computes figures.csv anew from readings.csv, with base R and pROC: Rscript analyse.R

Patients are not named in any of these files. For research; not for diagnosis.
"""


def figures_csv(figures: Sequence[ReportFigure]) -> bytes:
    """Figures as UTF-8 CSV with a header; what is not defined is an empty cell, numbers are written in full."""
    columns = [field.name for field in fields(ReportFigure)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["name", *columns])
    writer.writerows([csv_cell(one.name), *(csv_cell(getattr(one, column)) for column in columns)] for one in figures)
    return buffer.getvalue().encode()


def r_script() -> bytes:
    """The script in R."""
    return (Path(__file__).parent / "analyse.R").read_bytes()


def study_archive(name: str, parts: Mapping[str, bytes]) -> bytes:
    """A ZIP file of a study; equal parts give equal files.

    Args:
        name: The study's name.
        parts: The files by name; the README and the script are added.
    """
    whole = {"README.txt": _README.format(name=name).encode(), **parts, "analyse.R": r_script()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file, content in whole.items():
            entry = zipfile.ZipInfo(file, date_time=_ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()
