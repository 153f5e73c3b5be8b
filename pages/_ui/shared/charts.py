"""Plotly charts in the program's look: bars, curves and a confusion matrix with its counts."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from colpo_core.records.statistics.curves import Curve, error_bars
from colpo_core.records.statistics.figures import CallFigures, Estimate, Proportion

TEAL, AMBER, GREY, RED, INK = "#0f6b74", "#d08a1d", "#b5c3c6", "#b3402f", "#1d2b2f"
NETWORK_COLOURS = {"3ch": "#8aa5a8", "4ch": TEAL}
NETWORK_STYLES = {network: {"color": colour} for network, colour in NETWORK_COLOURS.items()}
_FONT = {"color": INK, "size": 13, "family": "Source Sans, Source Sans Pro, Segoe UI, sans-serif"}
_LOOK = {"font": _FONT, "plot_bgcolor": "rgba(0,0,0,0)", "paper_bgcolor": "rgba(0,0,0,0)"}
CONFIG = {"displayModeBar": False}
"""Plotly's settings: charts react to hovering only."""


def bar_chart(names: Sequence[str], counts: Sequence[int], colours: Sequence[str], *, height_px: int) -> go.Figure:
    """Horizontal bars with their counts beside them, the first on top.

    Args:
        names: What each bar is.
        counts: How long it is.
        colours: Its colour.
        height_px: Height of the chart.
    """
    figure = go.Figure(
        go.Bar(
            x=list(counts),
            y=list(names),
            orientation="h",
            marker_color=list(colours),
            text=[f"{count:,}" for count in counts],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x}<extra></extra>",
        )
    )
    figure.update_layout(
        height=height_px,
        margin={"l": 0, "r": 36, "t": 4, "b": 4},
        bargap=0.35,
        showlegend=False,
        **_LOOK,
    )
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False, ticksuffix="  ", automargin=True)
    return figure


def confusion_chart(figures: CallFigures) -> go.Figure:
    """Labels in rows, calls in columns; right calls in teal, wrong ones in red, the stronger the more.

    Args:
        figures: The four counts.
    """
    counts = [
        [figures.true_positive, figures.false_negative],
        [figures.false_positive, figures.true_negative],
    ]
    most = max(1, *(count for row in counts for count in row))
    signed = [[counts[0][0], -counts[0][1]], [-counts[1][0], counts[1][1]]]
    figure = go.Figure(
        go.Heatmap(
            z=signed,
            x=["called HSIL", "called normal"],
            y=["HSIL", "normal"],
            zmin=-most,
            zmax=most,
            colorscale=[[0, RED], [0.5, "#f7fafa"], [1, TEAL]],
            showscale=False,
            text=[[str(count) for count in row] for row in counts],
            texttemplate="%{text}",
            textfont={"size": 18},
            xgap=3,
            ygap=3,
            hovertemplate="label %{y}, %{x}: %{text}<extra></extra>",
        )
    )
    figure.update_layout(
        height=190,
        margin={"l": 0, "r": 0, "t": 22, "b": 0},
        **_LOOK,
    )
    figure.update_xaxes(side="top", fixedrange=True, showgrid=False)
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False, title="label", automargin=True)
    return figure


def stacked_chart(
    columns: Sequence[str], series: Sequence[tuple[str, str, Sequence[int]]], *, height_px: int
) -> go.Figure:
    """Upright bars, each of several kinds upon each other.

    Args:
        columns: What each bar is, such as a month.
        series: Name, colour and counts of each kind; a kind without any is left out of the legend.
        height_px: Height of the chart.
    """
    figure = go.Figure([
        go.Bar(
            x=list(columns), y=list(counts), name=name, marker_color=colour, showlegend=any(counts),
            hovertemplate="%{x}: %{y} " + name + "<extra></extra>",
        )
        for name, colour, counts in series
    ])  # fmt: skip
    _lay_out(figure, height_px)
    figure.update_layout(barmode="stack", bargap=0.25, legend={"orientation": "h", "y": 1.16, "x": 0})
    figure.update_xaxes(type="category", fixedrange=True, showgrid=False, nticks=14)
    figure.update_yaxes(fixedrange=True, gridcolor="#e3eaec", rangemode="tozero")
    return figure


def roc_chart(curves: Sequence[Curve], *, marks: str = "", height_px: int = 300) -> go.Figure:
    """ROC curves with the diagonal of chance.

    Args:
        curves: One a network.
        marks: What stands over the chart: label source, simulated, leaks.
        height_px: Height of the chart.
    """
    figure = _unit_square(curves, x="1 − specificity", y="sensitivity", marks=marks, height_px=height_px)
    for curve in curves:
        x, y = zip(*curve.points, strict=True)
        figure.add_trace(
            go.Scatter(
                x=x, y=y, mode="lines", name=curve.name, line={"color": NETWORK_COLOURS[curve.network], "width": 2.5},
                customdata=[1 - value for value in x],
                hovertemplate=f"{escape(curve.name)}<br>sensitivity %{{y:.0%}}, specificity %{{customdata:.0%}}"
                "<extra></extra>",
            )
        )  # fmt: skip
    return figure


def calibration_chart(
    curves: Sequence[Curve],
    *,
    marks: str = "",
    height_px: int = 300,
    styles: Mapping[str, Mapping[str, str]] = NETWORK_STYLES,
) -> go.Figure:
    """Observed share of HSIL over the probability, with intervals; right is the diagonal.

    Args:
        curves: One a network, or one a caller of a study.
        marks: See `roc_chart`.
        height_px: Height of the chart.
        styles: By `network` of the curves, their `color` and, where they are not solid, their `dash`.
    """
    figure = _unit_square(curves, x="probability of HSIL", y="share that was HSIL", marks=marks, height_px=height_px)
    for curve in curves:
        x, y = zip(*curve.points, strict=True)
        style = styles[curve.network]
        figure.add_trace(
            go.Scatter(
                x=x, y=y, mode="lines+markers", name=curve.name,
                line={"width": 2, **style} if not curve.is_before else {"width": 1, **style, "dash": "dot"},
                marker={"size": 4 if curve.is_before else 8},
                error_y=intervals(curve.shares, colour=style["color"]) if curve.shares else None,
                customdata=[share.text() for share in curve.shares] or [f"{share:.1%}" for share in y],
                hovertemplate=f"{escape(curve.name)}<br>probability %{{x:.2f}}, HSIL %{{customdata}}<extra></extra>",
            )
        )  # fmt: skip
    return figure


def intervals(figures: Iterable[Estimate | Proportion], *, colour: str = INK) -> dict[str, object]:
    """Error bars of Plotly; of length 0 where there is no interval."""
    below, above = error_bars(figures)
    return {
        "type": "data", "symmetric": False, "array": above, "arrayminus": below, "thickness": 1.4, "width": 4,
        "color": colour,
    }  # fmt: skip


def _unit_square(curves: Sequence[Curve], *, x: str, y: str, marks: str, height_px: int) -> go.Figure:
    """Axes from 0 to 1 with their diagonal, and under them a legend of several curves."""
    figure = go.Figure(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": GREY, "dash": "dot"}, showlegend=False,
                   hoverinfo="skip")
    )  # fmt: skip
    _lay_out(figure, height_px)
    figure.update_layout(margin_l=58, showlegend=len(curves) > 1, legend={"orientation": "h", "y": -0.2, "x": 0})
    if marks:
        figure.update_layout(title={"text": marks, "font": {"size": 12}}, margin_t=34)
    figure.update_xaxes(title=x, range=[-0.02, 1.02], fixedrange=True, gridcolor="#e3eaec", constrain="domain")
    figure.update_yaxes(title=y, range=[-0.02, 1.02], fixedrange=True, gridcolor="#e3eaec")
    return figure


def spread_chart(rows: Sequence[tuple[str, str, Sequence[float]]], *, height_px: int) -> go.Figure:
    """Boxes from quartiles, the first on top.

    Args:
        rows: Name, colour, and lowest, quartiles and highest value of each, as shares.
        height_px: Height of the chart.
    """
    figure = go.Figure()
    for name, colour, (lowest, lower, middle, upper, highest) in rows:
        figure.add_trace(
            go.Box(
                y=[name], q1=[lower], median=[middle], q3=[upper], lowerfence=[lowest], upperfence=[highest],
                orientation="h", marker_color=colour, name=name,
            )
        )  # fmt: skip
    _lay_out(figure, height_px)
    figure.update_layout(showlegend=False)
    figure.update_xaxes(tickformat=".0%", rangemode="tozero", fixedrange=True, gridcolor="#e3eaec")
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False, ticksuffix="  ")
    return figure


def scores_chart(points: Sequence[tuple[bool, float, float]], first: str, second: str) -> go.Figure:
    """Two probabilities of each case against each other.

    Args:
        points: Whether the case is HSIL, and both probabilities.
        first: What stands below.
        second: What stands at the side.
    """
    figure = go.Figure(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": GREY, "dash": "dot"}, showlegend=False)
    )
    for is_hsil, name, colour in ((False, "normal", TEAL), (True, "HSIL", RED)):
        chosen = [(x, y) for label, x, y in points if label is is_hsil]
        figure.add_trace(
            go.Scatter(
                x=[x for x, _ in chosen], y=[y for _, y in chosen], mode="markers", name=name,
                marker={"color": colour, "size": 7, "opacity": 0.75},
                hovertemplate=name + ": %{x:.0%}, %{y:.0%}<extra></extra>",
            )
        )  # fmt: skip
    _lay_out(figure, 320)
    figure.update_layout(margin_l=58, legend={"orientation": "h", "y": 1.1, "x": 0})
    figure.update_xaxes(title=first, range=[0, 1], fixedrange=True, gridcolor="#e3eaec", tickformat=".0%")
    figure.update_yaxes(title=second, range=[0, 1], fixedrange=True, gridcolor="#e3eaec", tickformat=".0%")
    return figure


def _lay_out(figure: go.Figure, height_px: int) -> None:
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    figure.update_layout(
        height=height_px, margin={"l": 0, "r": 8, "t": 8, "b": 4}, showlegend=len(figure.data) > 2, **_LOOK
    )
