"""A study for somebody else's eyes: its report, its readings, every figure, and a script that computes them anew."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from pathlib import Path

from colpo_core.exchange.archives import zip_bytes
from colpo_core.records.studies.reports import ReportFigure
from colpo_core.studies.export import csv_bytes

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
    columns = ("name", *(field.name for field in fields(ReportFigure)))
    return csv_bytes(columns, ((figure.name, *astuple(figure)) for figure in figures))


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
    return zip_bytes(whole.items())
