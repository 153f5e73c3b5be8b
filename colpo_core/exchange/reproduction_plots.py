"""A reproduction of Kim et al. 2022 as plots after the paper's Fig. 6 and Fig. 7, as PNG."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from colpo_core.exchange.reproduction_report import (
    CALL_MEASURES,
    LEAKS,
    MASK_TITLES,
    published_share,
    reproduction_marks,
)
from colpo_core.records.models.networks import CLASSIFIERS
from colpo_core.records.statistics.figures import Proportion
from colpo_core.records.training.reproduction import PUBLISHED_EXPERTS, PUBLISHED_MASKS, ReproducedCalls, Reproduction

NAMES = {"fig6": "fig6-segmentation.png", "fig7a": "fig7a-accuracy.png", "fig7b": "fig7b-calls.png"}
_DPI = 120
_COLOURS = {("paper", "image"): "#c0504d", ("patient", "image"): "#1f6f8b", ("patient", "case"): "#7fb5c8"}
_TITLES = {
    ("paper", "image"): f"paper's protocol, by image ({LEAKS})",
    ("patient", "image"): "by patients, by image",
    ("patient", "case"): "by patients, by case",
}
_FEW = 1e-6  # values nearer to each other than this have no density


def write_plots(r: Reproduction, folder: Path) -> list[Path]:
    """Write the three plots; the same reproduction gives the same bytes.

    Args:
        r: The reproduction.
        folder: An existing folder.

    Returns:
        The files: the distributions of the masks' figures (Fig. 6), accuracy (7a), and the calls of 4 channels (7b).
    """
    plots = {
        "fig6": (_fig6, "Fig. 6: segmentation, each test image"),
        "fig7a": (_fig7a, "Fig. 7a: accuracy without and with the segmentation"),
        "fig7b": (_fig7b, "Fig. 7b: calls of the 4-channel networks"),
    }
    written = []
    for name, (draw, title) in plots.items():
        figure = Figure(figsize=(11, 6.5), dpi=_DPI, layout="constrained")
        axes = figure.subplots()
        draw(r, axes)
        _finish(axes, plot_title(r, title))
        path = folder / NAMES[name]
        # Matplotlib would write its own version into the file.
        FigureCanvasAgg(figure)
        figure.savefig(path, format="png", metadata={"Software": None})
        written.append(path)
    return written


def plot_title(r: Reproduction, what: str) -> str:
    """A plot's title: what it shows, what it rests on, and why the paper's protocol flatters."""
    return f"{what}\n{reproduction_marks(r)}\n{LEAKS} (red): {_in_two(r.leaks)}"


def _fig6(r: Reproduction, axes: Axes) -> None:
    places = dict(zip(MASK_TITLES, range(len(MASK_TITLES)), strict=True))
    shift = dict(zip(("paper", "patient"), (-0.2, 0.2), strict=True))
    for masks in r.masks:
        colour = _COLOURS[masks.protocol, "image"]
        for measure, position in places.items():
            values = [figures[measure] for figures in masks.by_image if figures[measure] is not None]
            _distribution(axes, values, position + shift[masks.protocol], colour)
        axes.plot([], [], "s", color=colour, label=f"{_protocol_title(masks.protocol)}, {masks.n_images} images")
    axes.plot(list(places.values()), [PUBLISHED_MASKS[name] for name in places], "kD", label="published mean")
    axes.plot([], [], "_", color="black", label="our mean")
    axes.set_xticks(list(places.values()), list(MASK_TITLES.values()))


def _fig7a(r: Reproduction, axes: Axes) -> None:
    groups = [(name, channels, "accuracy") for name in _classifiers(r) for channels in (3, 4)]
    titles = [f"{CLASSIFIERS[name].title}\n{channels} channels" for name, channels, _ in groups]
    _bars(axes, r.calls, groups, titles)
    _experts(axes, {expert: accuracy for expert, (accuracy, _) in PUBLISHED_EXPERTS.items()})


def _fig7b(r: Reproduction, axes: Axes) -> None:
    groups = [(name, 4, measure) for name in _classifiers(r) for measure in CALL_MEASURES]
    short = {"sensitivity": "sens.", "specificity": "spec.", "ppv": "PPV", "npv": "NPV"}
    titles = [
        short[measure] + (f"\n{CLASSIFIERS[name].title}" if measure == CALL_MEASURES[0] else "\n")
        for name, _, measure in groups
    ]
    _bars(axes, r.calls, groups, titles)
    _experts(axes, {f"sensitivity of {expert}": sensitivity for expert, (_, sensitivity) in PUBLISHED_EXPERTS.items()})


def _experts(axes: Axes, published: dict[str, float]) -> None:
    for (name, value), style in zip(published.items(), ("--", ":"), strict=True):
        axes.axhline(value, color="grey", linestyle=style, label=f"{name} (published)")


def _distribution(axes: Axes, values: Sequence[float], position: float, colour: str) -> None:
    """A violin where there is something to spread, each image as a dot, and the mean."""
    if not values:
        return
    if np.ptp(values) > _FEW:
        parts = axes.violinplot([values], positions=[position], widths=0.36, showextrema=False)
        for body in parts["bodies"]:  # type: ignore[attr-defined]
            body.set_facecolor(colour)
            body.set_alpha(0.35)
    axes.plot([position] * len(values), values, ".", color=colour, markersize=4, alpha=0.6)
    axes.plot([position], [float(np.mean(values))], "_", color="black", markersize=16, markeredgewidth=2)


def _bars(
    axes: Axes,
    calls: Sequence[ReproducedCalls],
    groups: Sequence[tuple[str, int, str]],
    titles: Sequence[str],
) -> None:
    """One bar a protocol and level in each group, with its interval, and the published figure as a mark."""
    by_key = {(line.classifier, line.channels, line.protocol, line.level): line for line in calls}
    width = 0.26
    for number, column in enumerate(_COLOURS):
        label = _TITLES[column]
        for position, (classifier, channels, measure) in enumerate(groups):
            line = by_key.get((classifier, channels, *column))
            if line is None or line.shares[measure].value is None:
                continue
            _bar(axes, position + (number - 1) * width, line.shares[measure], width, _COLOURS[column])
        axes.plot([], [], "s", color=_COLOURS[column], label=label)
    published = [(position, published_share(measure, name, n)) for position, (name, n, measure) in enumerate(groups)]
    known = [(position, value) for position, value in published if value is not None]
    axes.plot([position for position, _ in known], [value for _, value in known], "kD", label="published")
    axes.set_xticks(range(len(groups)), titles)


def _bar(axes: Axes, position: float, share: Proportion, width: float, colour: str) -> None:
    value = share.value or 0.0
    axes.bar(position, value, width, color=colour)
    if share.low is not None and share.high is not None:
        # Rounding may put a bound on the wrong side of the value by a hair.
        errors = [[max(0.0, value - share.low)], [max(0.0, share.high - value)]]
        axes.errorbar(position, value, yerr=errors, color="black", capsize=3, linewidth=1)
    axes.text(position, 0.01, f"{share.k}/{share.n}", ha="center", va="bottom", fontsize=6, rotation=90)


def _finish(axes: Axes, title: str) -> None:
    axes.set_ylim(0, 1.02)
    axes.set_title(title, fontsize=9)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, fontsize=8)


def _classifiers(r: Reproduction) -> list[str]:
    return list(dict.fromkeys(calls.classifier for calls in r.calls))


def _protocol_title(protocol: str) -> str:
    return f"paper's protocol ({LEAKS})" if protocol == "paper" else "by patients"


def _in_two(sentence: str) -> str:
    """A long sentence on two lines, broken at the space nearest to its middle."""
    middle = len(sentence) // 2
    spaces = [position for position, letter in enumerate(sentence) if letter == " "]
    if not spaces:
        return sentence
    cut = min(spaces, key=lambda position: abs(position - middle))
    return f"{sentence[:cut]}\n{sentence[cut + 1 :]}"
