"""Plots as inline SVG, for a file that must stand alone: no script, no link, the same bytes for the same figures."""

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from threading import Lock
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from colpo_core.records.statistics.figures import Estimate

TEAL, AMBER, GREY, RED, INK = "#0f6b74", "#d08a1d", "#8aa5a8", "#b3402f", "#1d2b2f"
COLOURS = {"3ch": GREY, "4ch": TEAL}
_POINTS = ("#b4581b", "#7a5195", "#2f6f3e", "#9a3d0c", "#3b5b92", "#8a6d1d", "#a0446c")
_SHAPES = ("o", "s", "^", "D", "v", "P", "X", "*")
_FEWEST_FOR_A_SHAPE = 5
# The names of a legend are 8 pt high, and the browser's letters may be wider than those that were measured here.
_LEGEND_CHARACTERS = 48
_LEGEND_LINE_IN = 0.14
_ROW_CHARACTERS = 30
_STYLE: dict[Any, Any] = {  # its keys' own type is a list of 300 words
    "svg.hashsalt": "colpodesk",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.parse_math": False,
}
ONE_AT_A_TIME = Lock()  # matplotlib's settings belong to the process, and pages are drawn by several threads
_UNUSED_ID = re.compile(r' id="[A-Za-z][\w.]*_\d+"')
_NAMESPACE = re.compile(r' xmlns(:\w+)?="[^"]*"')


@dataclass(frozen=True)
class Curve:
    """One network's ROC curve, or its calibration curve.

    Attributes:
        name: What the legend calls it.
        network: `3ch` or `4ch`, for its colour.
        points: (x, y) of each point.
        bounds: (low, high) of each point's 95% interval, or None where a curve has none of its own.
        is_before: Whether it is what was before the calibration, and is drawn beneath in dots.
    """

    name: str
    network: str
    points: Sequence[tuple[float, float]]
    bounds: Sequence[tuple[float, float]] | None = None
    is_before: bool = False


@dataclass(frozen=True)
class MarkedPoint:
    """One point beside a curve, such as a reader's.

    Attributes:
        name: What the legend calls it.
        x: Where it lies.
        y: Likewise.
        x_bounds: (low, high) of the 95% interval.
        y_bounds: Likewise.
    """

    name: str
    x: float
    y: float
    x_bounds: tuple[float, ...]
    y_bounds: tuple[float, ...]


@dataclass(frozen=True)
class ForestRow:
    """One difference of a forest plot.

    Attributes:
        name: What was held against what.
        found: The difference with its interval.
    """

    name: str
    found: Estimate


def roc_svg(curves: Sequence[Curve], *, marks: str, points: Sequence[MarkedPoint] = ()) -> str:
    """ROC curves with the line of chance.

    Args:
        curves: One a network; the legend's name holds the area with its interval.
        marks: What every figure carries: label source, simulated, leaks.
        points: Points beside the curves, each with its intervals.
    """
    figure, (axes,) = _new(4.4, 4.3 + 0.14 * len(points), marks)
    axes.plot([0, 1], [0, 1], color="#d5dfe1", linewidth=1, linestyle="--")
    for curve in curves:
        x, y = zip(*curve.points, strict=True)
        axes.plot(x, y, color=COLOURS[curve.network], linewidth=2, label=curve.name)
    for place, one in enumerate(points):
        axes.errorbar(
            [one.x],
            [one.y],
            xerr=[[max(0.0, one.x - one.x_bounds[0])], [max(0.0, one.x_bounds[1] - one.x)]],
            yerr=[[max(0.0, one.y - one.y_bounds[0])], [max(0.0, one.y_bounds[1] - one.y)]],
            color=_POINTS[place % len(_POINTS)],
            marker=_SHAPES[place % len(_SHAPES)],
            markersize=6,
            elinewidth=0.8,
            capsize=2,
            linestyle="none",
            label=one.name,
        )
    axes.set(xlabel="1 − specificity", ylabel="sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return _legend_and_text(figure, axes)


def reliability_svg(curves: Sequence[Curve], *, marks: str) -> str:
    """Observed share of HSIL over the mean probability of each bin, with its interval.

    Args:
        curves: One a network, with bounds.
        marks: See `roc_svg`.
    """
    figure, (axes,) = _new(4.4, 4.3, marks)
    axes.plot([0, 1], [0, 1], color="#d5dfe1", linewidth=1, linestyle="--")
    for curve in curves:
        x, y = zip(*curve.points, strict=True)
        if curve.is_before:
            axes.plot(x, y, color=COLOURS[curve.network], marker="o", markersize=2, linewidth=1, linestyle=":",
                      alpha=0.8, label=curve.name)  # fmt: skip
            continue
        bounds = curve.bounds or [(value, value) for value in y]
        axes.errorbar(
            x,
            y,
            yerr=[
                [max(0.0, value - low) for value, (low, _) in zip(y, bounds, strict=True)],
                [max(0.0, high - value) for value, (_, high) in zip(y, bounds, strict=True)],
            ],
            color=COLOURS[curve.network],
            marker="o",
            markersize=4,
            linewidth=1.5,
            elinewidth=1,
            capsize=2,
            label=curve.name,
        )
    axes.set(xlabel="probability of HSIL", ylabel="share that was HSIL", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return _legend_and_text(figure, axes)


def violin_svg(
    panels: Mapping[str, Mapping[str, Sequence[float]]], *, means: Mapping[str, Estimate], marks: str
) -> str:
    """Distributions, a panel a figure, each value a dot.

    Args:
        panels: By figure, the values of each group, such as `images` and `patients`.
        means: By figure, the mean of the first group with its interval.
        marks: See `roc_svg`.
    """
    figure, all_axes = _new(2.7 * len(panels), 3.4, marks, columns=len(panels))
    for axes, (title, groups) in zip(all_axes, panels.items(), strict=True):
        for place, values in enumerate(groups.values()):
            _violin(axes, place, values)
        _mean(axes, means.get(title))
        axes.set_xticks(range(len(groups)), [f"{name}\nn = {len(values)}" for name, values in groups.items()])
        axes.set_xlim(-0.6, len(groups) - 0.4)
        axes.set_title(title, fontsize=9)
    return _as_svg(figure)


def _violin(axes: Axes, place: int, values: Sequence[float]) -> None:
    if len(values) >= _FEWEST_FOR_A_SHAPE and max(values) > min(values):
        shape: Any = axes.violinplot([list(values)], positions=[place], widths=0.8, showextrema=False)
        for body in shape["bodies"]:
            body.set(facecolor=TEAL, alpha=0.18, edgecolor=TEAL)
    # Beside each other in the order of their values: never at random, so that a file can be made again.
    shifts = [0.16 * ((number * 0.618) % 1 - 0.5) for number in range(len(values))]
    axes.plot([place + shift for shift in shifts], sorted(values), "o", color=TEAL, markersize=2.5, alpha=0.6)


def _mean(axes: Axes, found: Estimate | None) -> None:
    if found is None or found.value is None or found.low is None or found.high is None:
        return
    error = [[max(0.0, found.value - found.low)], [max(0.0, found.high - found.value)]]
    axes.errorbar([-0.42], [found.value], yerr=error, color=INK, marker="D", markersize=4, capsize=3, linewidth=1.4)


def forest_svg(panels: Mapping[str, Sequence[ForestRow]], *, marks: str) -> str:
    """Differences with their intervals about a line at zero, a panel a figure.

    Args:
        panels: By figure, the differences from top to bottom; the same names in each.
        marks: See `roc_svg`.
    """
    names = [wrapped(row.name, _ROW_CHARACTERS) for row in next(iter(panels.values()))]
    figure, all_axes = _new(2.0 * len(panels) + 2.6, 0.42 * len(names) + 1.3, marks, columns=len(panels))
    for axes, (title, rows) in zip(all_axes, panels.items(), strict=True):
        axes.axvline(0, color=INK, linewidth=1)
        for place, row in enumerate(rows):
            _forest_row(axes, place, row.found)
        axes.set_title(title, fontsize=9)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(range(len(names)), names if axes is all_axes[0] else [""] * len(names))
        reach = max([0.05, *(abs(bound) for row in rows for bound in _reach(row.found))])
        axes.set_xlim(-1.1 * reach, 1.1 * reach)
    return _as_svg(figure)


def _forest_row(axes: Axes, place: int, found: Estimate) -> None:
    if found.value is None or found.low is None or found.high is None:
        axes.text(0, place, "no interval", ha="center", va="center", color=INK, fontsize=8, backgroundcolor="white")
        return
    error = [[max(0.0, found.value - found.low)], [max(0.0, found.high - found.value)]]
    axes.errorbar([found.value], [place], xerr=error, color=TEAL, marker="s", markersize=5, capsize=3, linewidth=1.6)


def _reach(found: Estimate) -> tuple[float, ...]:
    return tuple(value for value in (found.low, found.high) if value is not None)


def _new(width_in: float, height_in: float, marks: str, *, columns: int = 1) -> tuple[Figure, list[Axes]]:
    with ONE_AT_A_TIME, mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        all_axes = [figure.add_subplot(1, columns, number + 1) for number in range(columns)]
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(colors=INK, labelsize=8)
    figure.supxlabel(marks, fontsize=8, color=RED if "LEAKS" in marks else INK)
    return figure, all_axes


def _legend_and_text(figure: Figure, axes: Axes) -> str:
    """The drawing under its legend, whose lines are broken where they are longer than the drawing is wide.

    The drawing grows by whatever of the legend would not fit: a name may be one long word.
    """
    handles, labels = axes.get_legend_handles_labels()
    lines = [wrapped(label, _LEGEND_CHARACTERS) for label in labels]
    height = figure.get_figheight() + _LEGEND_LINE_IN * sum(line.count("\n") for line in lines)
    figure.set_figheight(height)
    axes.legend(handles, lines, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False, fontsize=8)
    return _as_svg(figure, is_grown=True)


def wrapped(text: str, width: int) -> str:
    """A text in lines of at most so many characters; a longer word is broken."""
    return "\n".join(textwrap.wrap(text, width)) or text


def _as_svg(figure: Figure, *, is_grown: bool = False) -> str:
    """The drawing as it stands within HTML, which needs neither a prolog nor namespaces."""
    text = StringIO()
    with ONE_AT_A_TIME, mpl.rc_context(_STYLE):
        figure.savefig(
            text,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
            bbox_inches="tight" if is_grown else None,
            pad_inches=0.06,
        )
    drawn = text.getvalue()
    drawn = _NAMESPACE.sub("", drawn[drawn.index("<svg") :]).replace("xlink:href", "href")
    return _UNUSED_ID.sub("", drawn).strip()
