"""A reproduction of Kim et al. 2022 as text, CSV and JSON: its Fig. 6 and Fig. 7 beside the clinic's own figures.

A figure by the paper's protocol never stands alone: in the text it is marked LEAKS and its table says why, and in CSV
and JSON it carries the sentence.
"""

import json
from dataclasses import asdict, astuple, dataclass, fields
from typing import Any

from colpo_core.exchange.tables import aligned
from colpo_core.records.models.networks import CLASSIFIERS, SEGMENTERS
from colpo_core.records.snapshots.snapshots import label_source_text
from colpo_core.records.statistics.figures import Estimate, Proportion
from colpo_core.records.training.reproduction import (
    PUBLISHED_ACCURACY,
    PUBLISHED_EXPERTS,
    PUBLISHED_MASKS,
    PUBLISHED_SENSITIVITY,
    PUBLISHED_SENSITIVITY_3_CHANNELS,
    PUBLISHED_SPECIFICITY,
    ReproducedCalls,
    ReproducedMasks,
    Reproduction,
)
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.studies.export import csv_bytes

LEAKS = "LEAKS"
MASK_TITLES = {
    "accuracy_acetowhite": "accuracy of acetowhite",
    "accuracy_background": "accuracy of background",
    "iou_acetowhite": "IoU of acetowhite",
    "iou_background": "IoU of background",
}
CALL_MEASURES = ("sensitivity", "specificity", "ppv", "npv")
_COLUMNS = (("paper", "image"), ("patient", "image"), ("patient", "case"))
_UNKNOWN = "-"


@dataclass(frozen=True, kw_only=True)
class ReportRow:
    """One figure of a reproduction with all that it must be read with.

    Attributes:
        figure: The paper's: `6`, `7a` or `7b`.
        protocol: `paper` or `patient`.
        leaks: Why the figure flatters; empty where nothing leaks.
        classifier: Its name; empty for the masks.
        channels: 3 or 4; None for the masks.
        level: `image` or `case`.
        measure: What was measured.
        published: The paper's own figure; None where it gives none.
        value: Ours; None where it is not defined.
        low: Lower bound of the 95% interval, or None.
        high: Upper bound, or None.
        k: Successes; None for a mean.
        n: Images or cases behind it.
        n_patients: Patients behind it.
        label_source: What the labels rest on.
        simulated: Whether any image was drawn by the program.
    """

    figure: str
    protocol: str
    leaks: str
    classifier: str = ""
    channels: int | None = None
    level: str = "image"
    measure: str
    published: float | None
    value: float | None
    low: float | None
    high: float | None
    k: int | None = None
    n: int
    n_patients: int
    label_source: str
    simulated: bool


def reproduction_marks(r: Reproduction) -> str:
    """What every table and plot says of its labels and images: `labels by histology; SIMULATED images`."""
    return label_source_text(r.label_source) + ("; SIMULATED images" if r.simulated else "")


def reproduction_rows(r: Reproduction) -> list[ReportRow]:
    """All figures, one a row: those of Fig. 6, then of Fig. 7a (accuracy) and 7b (the other shares)."""
    rows = [_mask_row(r, masks, measure) for masks in r.masks for measure in MASK_TITLES]
    for figure, measures in (("7a", ("accuracy",)), ("7b", CALL_MEASURES)):
        rows += [_call_row(r, figure, calls, measure) for calls in r.calls for measure in measures]
    return rows


def reproduction_csv(r: Reproduction) -> str:
    """The rows as CSV with a header; what is not defined is left empty, truth values are `true` and `false`."""
    return csv_bytes([field.name for field in fields(ReportRow)], map(astuple, reproduction_rows(r))).decode()


def reproduction_json(r: Reproduction) -> str:
    """`reproduction_content` as one JSON document."""
    return json.dumps(reproduction_content(r), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def reproduction_content(r: Reproduction) -> dict[str, Any]:
    """The record for JSON; each block of the paper's protocol carries the sentence on its leakage."""
    content = asdict(r)
    content["published"] = {
        "masks": PUBLISHED_MASKS,
        "accuracy": _listed(PUBLISHED_ACCURACY),
        "sensitivity": _listed(PUBLISHED_SENSITIVITY),
        "specificity": _listed(PUBLISHED_SPECIFICITY),
        "experts": {
            who: {"accuracy": accuracy, "sensitivity": sensitivity}
            for who, (accuracy, sensitivity) in PUBLISHED_EXPERTS.items()
        },
    }
    for block in (*content["masks"], *content["calls"]):
        block["leaks"] = _leaks(r, block["protocol"])
        block["marks"] = reproduction_marks(r)
    return content


def reproduction_text(r: Reproduction) -> str:
    """The tables of Fig. 6 and Fig. 7, each beside the published figures, with intervals and what they rest on."""
    lines = [
        "Kim et al. 2022 on this snapshot",
        f"snapshot {r.snapshot_sha256[:12]}; {reproduction_marks(r)}",
        _settings_line(r),
        "The published figures are of other patients and images: a difference from them proves nothing by itself.",
    ]
    return "\n".join([*lines, "", *_fig6(r), "", *_fig7(r, "7a"), "", *_fig7(r, "7b")]) + "\n"


def _settings_line(r: Reproduction) -> str:
    """What the figures were learned with: those of a quick trial must not pass for the paper's sizes."""
    settings = TrainingSettings.from_dict(r.settings)
    segmenter = SEGMENTERS[settings.segmenter]
    width = f" at {settings.segnet_width:g} of its width" if segmenter.scalable else ""
    start = "no pretrained weights" if settings.pretrained == "none" else "pretrained weights"
    return (
        f"Both protocols from preset “{settings.preset}”: {settings.width_px} x {settings.height_px} pixels, "
        f"{segmenter.title}{width} for up to {settings.segmentation_epochs} epochs, classifiers for up to "
        f"{settings.classification_epochs}, {start}, seed {settings.seed}. The paper: 640 x 480, SegNet on VGG-19 at "
        "full width."
    )


def _row(
    r: Reproduction,
    figure: str,
    line: ReproducedMasks | ReproducedCalls,
    measure: str,
    share: Estimate | Proportion,
    **behind: Any,  # noqa: ANN401 - the other fields of the row
) -> ReportRow:
    return ReportRow(
        figure=figure,
        protocol=line.protocol,
        leaks=_leaks(r, line.protocol),
        measure=measure,
        value=share.value,
        low=share.low,
        high=share.high,
        label_source=str(r.label_source),
        simulated=r.simulated,
        **behind,
    )


def _mask_row(r: Reproduction, masks: ReproducedMasks, measure: str) -> ReportRow:
    mean, published = masks.figures[measure], PUBLISHED_MASKS[measure]
    return _row(r, "6", masks, measure, mean, published=published, n=mean.n_images, n_patients=mean.n_patients)


def _call_row(r: Reproduction, figure: str, calls: ReproducedCalls, measure: str) -> ReportRow:
    share = calls.shares[measure]
    return _row(
        *(r, figure, calls, measure, share),
        classifier=calls.classifier,
        channels=calls.channels,
        level=calls.level,
        published=published_share(measure, calls.classifier, calls.channels),
        k=share.k,
        n=share.n,
        n_patients=calls.n_patients,
    )


def published_share(measure: str, classifier: str, channels: int) -> float | None:
    """The paper's own figure of a classifier; None where it gives none."""
    tables = {
        "accuracy": PUBLISHED_ACCURACY,
        "sensitivity": PUBLISHED_SENSITIVITY,
        "specificity": PUBLISHED_SPECIFICITY,
    }
    return tables[measure].get((classifier, channels)) if measure in tables else None


def _fig6(r: Reproduction) -> list[str]:
    by_protocol = {masks.protocol: masks for masks in r.masks}
    rows = [
        (
            title,
            f"{PUBLISHED_MASKS[measure]:.2f}",
            *(
                _marked(by_protocol[name].figures[measure], name) if name in by_protocol else _UNKNOWN
                for name in ("paper", "patient")
            ),
        )
        for measure, title in MASK_TITLES.items()
    ]
    heading = f"Fig. 6: the segmentation, means over test images by image ({reproduction_marks(r)})"
    tested = "; ".join(f"{masks.n_images} test images by the protocol “{masks.protocol}”" for masks in r.masks)
    columns = ("", "published (50 images)", f"paper's protocol ({LEAKS})", "by patients")
    return [
        heading,
        *aligned(columns, rows),
        f"In brackets the 95% interval, by patients. {tested}.",
        _leak_line(r),
        "Here its test images are others than those learned from, but they may be of the same patients.",
    ]


def _fig7(r: Reproduction, figure: str) -> list[str]:
    measures = ("accuracy",) if figure == "7a" else CALL_MEASURES
    by_key = {(calls.classifier, calls.channels, calls.protocol, calls.level): calls for calls in r.calls}
    rows = []
    for classifier in dict.fromkeys(calls.classifier for calls in r.calls):
        for channels in (3, 4) if figure == "7a" else (4,):
            for measure in measures:
                by_column = [by_key.get((classifier, channels, *column)) for column in _COLUMNS]
                cells = [
                    _UNKNOWN if line is None else _marked(line.shares[measure], line.protocol) for line in by_column
                ]
                what = f"{CLASSIFIERS[classifier].title}, {channels} channels"
                published = published_share(measure, classifier, channels)
                rows.append((what, measure, _UNKNOWN if published is None else f"{published:.1%}", *cells))
    what = "accuracy with 3 and 4 channels" if figure == "7a" else "calls of the 4-channel networks"
    columns = ("", "", "published (by image)", f"paper's protocol, by image ({LEAKS})")
    return [
        f"Fig. {figure}: {what} ({reproduction_marks(r)})",
        *aligned((*columns, "by patients, by image", "by patients, by case"), rows),
        _interval_line(r),
        _experts_line(figure),
        _leak_line(r),
    ]


def _interval_line(r: Reproduction) -> str:
    kinds = dict.fromkeys(
        f"{calls.interval} over {calls.n} {calls.level}s of {calls.n_patients} patients, protocol “{calls.protocol}”"
        for calls in r.calls
    )
    return f"In brackets k/n and the 95% interval. {'; '.join(kinds)}."


def _experts_line(figure: str) -> str:
    position, measure = (0, "accuracy") if figure == "7a" else (1, "sensitivity")
    experts = ", ".join(f"{who} {figures[position]:.1%}" for who, figures in PUBLISHED_EXPERTS.items())
    low, high = PUBLISHED_SENSITIVITY_3_CHANNELS
    more = f" Published sensitivity with 3 channels: {low:.1%} to {high:.1%} over the three ResNets."
    return f"The paper's two experts on its own images, {measure}: {experts}.{'' if figure == '7a' else more}"


def _leak_line(r: Reproduction) -> str:
    return f"{LEAKS}: {r.leaks}"


def _leaks(r: Reproduction, protocol: str) -> str:
    return r.leaks if protocol == "paper" else ""


def _marked(figure: Estimate | Proportion, protocol: str) -> str:
    return f"{figure.text()} {LEAKS}" if protocol == "paper" else figure.text()


def _listed(published: dict[tuple[str, int], float]) -> list[dict[str, object]]:
    return [{"classifier": name, "channels": channels, "value": v} for (name, channels), v in published.items()]
