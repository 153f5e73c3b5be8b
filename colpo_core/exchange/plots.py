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

from colpo_core.records.statistics.curves import Curve, Distribution, NamedEstimate, axis_reach, error_bars
from colpo_core.records.statistics.figures import Bounds, Estimate

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
    x_bounds: Bounds
    y_bounds: Bounds


def roc_svg(curves: Sequence[Curve], *, marks: str, points: Sequence[MarkedPoint] = ()) -> str:
    """ROC curves with the line of chance.

    Args:
        curves: One a network; the legend's name holds the area with its interval.
        marks: What every figure carries: label source, simulated, leaks.
        points: Points beside the curves, each with its intervals.
    """
    figure, axes = _unit_square(4.3 + 0.14 * len(points), marks, x="1 − specificity", y="sensitivity")
    for curve in curves:
        axes.plot(*zip(*curve.points, strict=True), color=COLOURS[curve.network], linewidth=2, label=curve.name)
    for number, point in enumerate(points):
        axes.errorbar(
            [point.x],
            [point.y],
            xerr=[[max(0.0, point.x - point.x_bounds[0])], [max(0.0, point.x_bounds[1] - point.x)]],
            yerr=[[max(0.0, point.y - point.y_bounds[0])], [max(0.0, point.y_bounds[1] - point.y)]],
            color=_POINTS[number % len(_POINTS)],
            marker=_SHAPES[number % len(_SHAPES)],
            markersize=6,
            elinewidth=0.8,
            capsize=2,
            linestyle="none",
            label=point.name,
        )
    return _legend_and_text(figure, axes)


def calibration_svg(curves: Sequence[Curve], *, marks: str) -> str:
    """Observed share of HSIL over the mean probability of each bin, with its interval.

    Args:
        curves: One a network, and where it is known the one before its calibration.
        marks: See `roc_svg`.
    """
    figure, axes = _unit_square(4.3, marks, x="probability of HSIL", y="share that was HSIL")
    for curve in curves:
        x, y = zip(*curve.points, strict=True)
        colour = COLOURS[curve.network]
        if curve.is_before:
            axes.plot(x, y, ":o", color=colour, markersize=2, linewidth=1, alpha=0.8, label=curve.name)
            continue
        axes.errorbar(
            x,
            y,
            yerr=error_bars(curve.shares) if curve.shares else None,
            color=colour,
            marker="o",
            markersize=4,
            linewidth=1.5,
            elinewidth=1,
            capsize=2,
            label=curve.name,
        )
    return _legend_and_text(figure, axes)


def _unit_square(height_in: float, marks: str, *, x: str, y: str) -> tuple[Figure, Axes]:
    """Axes from 0 to 1 with their diagonal."""
    figure, (axes,) = _new(4.4, height_in, marks)
    axes.plot([0, 1], [0, 1], color="#d5dfe1", linewidth=1, linestyle="--")
    axes.set(xlabel=x, ylabel=y, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return figure, axes


def distributions_svg(panels: Sequence[Distribution], *, marks: str) -> str:
    """Distributions, a panel a figure, each value a dot.

    Args:
        panels: From left to right.
        marks: See `roc_svg`.
    """
    figure, all_axes = _new(2.7 * len(panels), 3.4, marks, columns=len(panels))
    for axes, panel in zip(all_axes, panels, strict=True):
        for position, values in enumerate(panel.groups.values()):
            _violin(axes, position, values)
        if panel.mean is not None and panel.mean.value is not None and panel.mean.bounds is not None:
            axes.errorbar(
                [-0.42], [panel.mean.value], yerr=error_bars([panel.mean]), color=INK, marker="D", markersize=4,
                capsize=3, linewidth=1.4,
            )  # fmt: skip
        names = [f"{name}\nn = {len(values)}" for name, values in panel.groups.items()]
        axes.set_xticks(range(len(names)), names)
        axes.set_xlim(-0.6, len(names) - 0.4)
        axes.set_title(panel.title, fontsize=9)
    return _as_svg(figure)


def _violin(axes: Axes, position: int, values: Sequence[float]) -> None:
    if len(values) >= _FEWEST_FOR_A_SHAPE and max(values) > min(values):
        shape: Any = axes.violinplot([list(values)], positions=[position], widths=0.8, showextrema=False)
        for body in shape["bodies"]:
            body.set(facecolor=TEAL, alpha=0.18, edgecolor=TEAL)
    # Spread out in the order of their values: never at random, so that the same values give the same file.
    shifts = [0.16 * ((number * 0.618) % 1 - 0.5) for number in range(len(values))]
    axes.plot([position + shift for shift in shifts], sorted(values), "o", color=TEAL, markersize=2.5, alpha=0.6)


def forest_svg(panels: Mapping[str, Sequence[NamedEstimate]], *, marks: str) -> str:
    """Differences with their intervals about a line at zero, a panel a figure.

    Args:
        panels: By figure, the differences from top to bottom; the same names in each.
        marks: See `roc_svg`.
    """
    names = [wrapped(row.name, _ROW_CHARACTERS) for row in next(iter(panels.values()))]
    figure, all_axes = _new(2.0 * len(panels) + 2.6, 0.42 * len(names) + 1.3, marks, columns=len(panels))
    for axes, (title, rows) in zip(all_axes, panels.items(), strict=True):
        axes.axvline(0, color=INK, linewidth=1)
        for position, row in enumerate(rows):
            _forest_row(axes, position, row.estimate)
        axes.set_title(title, fontsize=9)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(range(len(names)), names if axes is all_axes[0] else [""] * len(names))
        axes.set_xlim(-1.1 * axis_reach(rows), 1.1 * axis_reach(rows))
    return _as_svg(figure)


def _forest_row(axes: Axes, position: int, estimate: Estimate) -> None:
    if estimate.value is None or estimate.bounds is None:
        axes.text(0, position, "no interval", ha="center", va="center", color=INK, fontsize=8, backgroundcolor="white")
        return
    axes.errorbar(
        [estimate.value], [position], xerr=error_bars([estimate]), color=TEAL, marker="s", markersize=5, capsize=3,
        linewidth=1.6,
    )  # fmt: skip


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
