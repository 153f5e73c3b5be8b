"""A case as one page of PDF: what is recorded, shown, predicted, judged and found by the pathologist."""

import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from numpy.typing import NDArray

from colpo_core.exchange.plots import ONE_AT_A_TIME
from colpo_core.labels import GRADE_NAMES
from colpo_core.records.cases.cases import CaseRecord, SpecimenRecord
from colpo_core.records.exports import CaseReport, ReportedImage
from colpo_core.records.models.marks import SIMULATED_IMAGE, Mark, MarkKind
from colpo_core.records.snapshots.snapshots import label_source_text
from colpo_core.records.statistics.number_texts import percent_texts
from colpo_core.terms import Label

MOST_IMAGES = 8
ImagesById = Mapping[int, NDArray[Any]]
_A4_INCHES = (8.27, 11.69)
_COLUMNS = 4
_LINE = 0.0142
_TEXT_COLUMNS = 118
_LABEL_COLUMNS = 74
_BADGE_COLUMNS = 48
_MOST_LINES = 36
_MARGIN = 0.06
_FONT, _NO_PHOTOGRAPH = "DejaVu Sans", "\N{WHITE SQUARE}"
_STYLE: dict[Any, Any] = {  # its keys' own type is a list of 300 words
    "pdf.fonttype": 42,
    "font.family": _FONT,
    "text.parse_math": False,
}
_TEAL, _AMBER, _GREY, _INK = "#00b3a6", "#c98a00", "#56666b", "#14181a"
_HEADING = "#0b6e69"
_LABELS = {Label.HSIL: "HSIL", Label.NORMAL: "Normal"}


def case_pdf(report: CaseReport, photographs: ImagesById, masks: ImagesById) -> bytes:
    """Draw the page. Whatever comes in, it is one; what has no room is shortened, and the page says so.

    Args:
        report: What the page says.
        photographs: By image H x W x 3 uint8, of any size.
        masks: By image H x W bool where the model sees acetowhite epithelium, of any size with the image's proportions.

    Returns:
        A PDF file with the fonts that it needs. Equal reports give equal files but for the time of making.
    """
    with ONE_AT_A_TIME, mpl.rc_context(_STYLE):
        figure = Figure(figsize=_A4_INCHES)
        top = _head(figure, report)
        top = _images(figure, report, photographs, masks, top)
        _lines(figure, list(_text(report)), top)
        _foot(figure, report)
        buffer = io.BytesIO()
        made = {"Title": f"Case {report.case.id}", "Creator": f"ColpoDesk {report.code_version}"}
        figure.savefig(buffer, format="pdf", metadata={**made, "CreationDate": report.made_at})
    return buffer.getvalue()


def _head(figure: Figure, report: CaseReport) -> float:
    case = report.case
    day = "day unknown" if case.case_date is None else case.case_date.isoformat()
    figure.text(_MARGIN, 0.962, f"{_plain(case.patient_code)} · {day}", size=15, weight="bold")
    label, top = case.label(), 0.943
    text = "No label by histology" if label is None or label.label is None else _LABELS[label.label]
    grade = "" if label is None or label.grade is None else f" · {GRADE_NAMES[label.grade]}"
    why = "" if label is None else f" · {label.reason}"
    for line in textwrap.wrap(_plain(f"{text}{grade}{why}"), _LABEL_COLUMNS, max_lines=2, placeholder=" …"):
        figure.text(_MARGIN, top, line, size=9)
        top -= 0.016
    badges = ["FLAGGED"] if label is not None and label.flagged else []
    badges += [mark.text for mark in _marks(report)]
    figure.text(1 - _MARGIN, 0.966, f"case {case.id}", size=9, color=_GREY, ha="right")
    for number, line in enumerate(textwrap.wrap(" · ".join(badges), _BADGE_COLUMNS, max_lines=3)):
        height = 0.95 - number * 0.013
        figure.text(1 - _MARGIN, height, line, size=8, weight="bold", color=_AMBER, ha="right")
    return top


def _marks(report: CaseReport) -> tuple[Mark, ...]:
    """What Review marks too: the case itself drawn by the program, and what to mind of the model."""
    predicted = next((reported.prediction for reported in report.images if reported.prediction is not None), None)
    marks = () if predicted is None else predicted.all_marks
    if report.case.simulated and not any(mark.kind is MarkKind.SIMULATED for mark in marks):
        return (SIMULATED_IMAGE, *marks)
    return marks


def _images(
    figure: Figure,
    report: CaseReport,
    photographs: ImagesById,
    masks: ImagesById,
    top: float,
) -> float:
    if not report.images:
        figure.text(_MARGIN, top - 0.02, "No image.", size=9, color=_GREY)
        return top - 0.04
    large = len(report.images) <= 2
    columns, height = (2, 0.235) if large else (_COLUMNS, 0.125)
    width = (1 - 2 * _MARGIN) / columns
    for number, reported in enumerate(report.images):
        row, column = divmod(number, columns)
        left, bottom = _MARGIN + column * width, top - (row + 1) * (height + 0.022)
        axes = figure.add_axes((left + 0.004, bottom + 0.018, width - 0.008, height))
        _photograph(axes, reported, photographs, masks)
        figure.text(left + 0.006, bottom + 0.006, _short(_caption(reported), 46 if large else 30), size=7)
    return top - (1 + (len(report.images) - 1) // columns) * (height + 0.022) - 0.012


def _photograph(axes: Axes, reported: ReportedImage, photographs: ImagesById, masks: ImagesById) -> None:
    axes.set_axis_off()
    photograph = photographs.get(reported.image.id)
    if photograph is None:
        axes.text(0.5, 0.5, "image missing", ha="center", va="center", size=8, color=_GREY, transform=axes.transAxes)
        return
    extent = (0, reported.image.width_px, reported.image.height_px, 0)
    axes.imshow(photograph, extent=extent, aspect="equal", interpolation="lanczos")
    mask = masks.get(reported.image.id)
    if mask is not None and mask.any() and not mask.all():
        axes.contour(mask, levels=[0.5], colors=[_TEAL], linewidths=1.4, extent=extent, origin="upper")
    for number, site in enumerate(reported.sites, start=1):
        axes.plot(site.x_px, site.y_px, "o", ms=7, mfc="none", mec=_AMBER, mew=1.6)
        box = {"boxstyle": "round,pad=0.15", "fc": _INK, "ec": "none"}
        here = (site.x_px, site.y_px)
        axes.annotate(str(number), here, (5, 3), textcoords="offset points", size=7, color="white", bbox=box)


def _caption(reported: ReportedImage) -> str:
    after = f" {reported.image.seconds_after_acid} s" if reported.image.seconds_after_acid is not None else ""
    return f"image {reported.image.id}, {reported.image.stage.value.replace('_', ' ')}{after}"


def _text(report: CaseReport) -> Iterator[tuple[str, bool]]:
    """Lines of the page's body, each with whether it is a heading."""
    yield "Record", True
    yield _record(report.case), False
    yield "Histology", True
    counted = [specimen for specimen in report.case.specimens if specimen.withdrawn_at is None]
    for specimen in counted:
        yield _specimen(specimen), False
    if not counted:
        yield "None.", False
    yield "Current model", True
    predicted = [reported for reported in report.images if reported.prediction is not None]
    if not predicted:
        yield "No prediction that may be shown to whoever made this page.", False
        return
    first = predicted[0].prediction
    if first is not None:
        source = label_source_text(first.label_source)
        yield f"{first.checkpoint_name} ({report.model_sha256[:12]}), {source}. The outline is its mask.", False
        for mark in first.marks:
            yield f"{mark.text}: {mark.meaning}", False
        if first.calibration:
            yield first.calibration, False
    for reported in predicted:
        yield from _predicted(reported)


def _predicted(reported: ReportedImage) -> Iterator[tuple[str, bool]]:
    prediction = reported.prediction
    if prediction is None:
        return
    calls = "; ".join(
        _call(name, prob, call, threshold)
        for name, prob, call, threshold in (
            ("4 channels", prediction.prob_hsil_4ch, prediction.call_4ch, prediction.threshold_4ch),
            ("3 channels", prediction.prob_hsil_3ch, prediction.call_3ch, prediction.threshold_3ch),
        )
    )
    yield (
        f"Image {prediction.image_id}: probability of HSIL by {calls}. "
        f"Acetowhite {prediction.acetowhite_fraction:.1%} of the image.",
        False,
    )
    for review in reported.reviews:
        why = ". ".join(part for part in (review.because.value.replace("_", " ") if review.because else "",
                                          review.reason) if part)  # fmt: skip
        yield f"   {review.reviewer}, {review.at:%Y-%m-%d}: {review.verdict.value}{f' ({why})' if why else ''}", False
    if reported.sites:
        places = ", ".join(
            f"{number} at {'the centre' if site.hour is None else f'{site.hour} o’clock'} ({site.evidence:.0%})"
            for number, site in enumerate(reported.sites, start=1)
        )
        on = "" if reported.has_cervix else "; hours from the middle of the image"
        yield f"   PROPOSED biopsy sites, not a recommendation: {places}{on}", False


def _call(name: str, prob: float, call: Label, threshold: float) -> str:
    probability, frozen = percent_texts(prob, threshold)
    return f"{name} {probability}, called {call.value} (HSIL from {frozen})"


def _record(case: CaseRecord) -> str:
    form = case.form
    given = {
        "age": form.age_years, "cytology": form.cytology, "HPV": form.hpv_result, "indication": form.indication,
        "earlier treatment": form.earlier_treatment, "device": form.device,
        "menopausal state": form.menopausal_state and form.menopausal_state.value,
        "HIV": form.hiv_status and form.hiv_status.value,
        "colposcopy": form.colposcopy.value.replace("_", " "),
        "Swede score": None if case.swede_total is None else f"{case.swede_total} of 10",
    }  # fmt: skip
    return " · ".join(f"{name} {value}" for name, value in given.items() if value not in (None, ""))


def _specimen(specimen: SpecimenRecord) -> str:
    where = "" if specimen.clock_hour is None else f" at {specimen.clock_hour} o'clock"
    note = f". {specimen.note}" if specimen.note else ""
    return f"{specimen.number}. {specimen.kind.value.replace('_', ' ')}{where}: {GRADE_NAMES[specimen.grade]}{note}"


def _lines(figure: Figure, text: Sequence[tuple[str, bool]], top: float) -> None:
    """Set the body, as far as there is room."""
    rows: list[tuple[str, bool]] = []
    for line, is_heading in text:
        wrapped = textwrap.wrap(_plain(line), _TEXT_COLUMNS, max_lines=3, placeholder=" …", drop_whitespace=False)
        rows += [(part, is_heading) for part in wrapped or [""]]
    room = min(_MOST_LINES, int((top - 0.05) / _LINE))
    if len(rows) > room:
        rows = [*rows[: room - 1], (f"… {len(rows) - room + 1} more lines are in the program.", False)]
    for number, (line, is_heading) in enumerate(rows):
        figure.text(_MARGIN, top - number * _LINE, line, size=8, va="top", weight="bold" if is_heading else "normal",
                    color=_HEADING if is_heading else "black")  # fmt: skip


def _foot(figure: Figure, report: CaseReport) -> None:
    left_out = report.n_images - len(report.images)
    more = f" {left_out} more images are in the program." if left_out else ""
    figure.text(
        _MARGIN, 0.03,
        f"Made {report.made_at:%Y-%m-%d %H:%M} UTC by {_short(report.made_by, 40)} with ColpoDesk "
        f"{report.code_version}.{more} For research; not for diagnosis.",
        size=7, color=_GREY,
    )  # fmt: skip


def _short(text: str, most: int) -> str:
    text = _plain(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _plain(text: str) -> str:
    """Text in the page's font: what it has no glyph for, such as another script's characters, is a white square."""
    return "".join(
        " " if not character.isprintable() else character if ord(character) in _pictured() else _NO_PHOTOGRAPH
        for character in text
    )


@cache
def _pictured() -> frozenset[int]:
    return frozenset(get_font(findfont(_FONT)).get_charmap())
