"""Plotly charts in the program's look: flat bars and a confusion matrix that says its numbers."""

from collections.abc import Sequence

import plotly.graph_objects as go

from colpo_core.records.statistics.figures import CallFigures, ReliabilityBin

TEAL, AMBER, GREY, RED, INK = "#0f6b74", "#d08a1d", "#b5c3c6", "#b3402f", "#1d2b2f"
_FONT = {"color": INK, "size": 13, "family": "Source Sans, Source Sans Pro, Segoe UI, sans-serif"}
_PLAIN = {"displayModeBar": False, "staticPlot": False, "scrollZoom": False}


def config() -> dict[str, object]:
    """How charts behave: hover and nothing else."""
    return dict(_PLAIN)


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
        font=_FONT,
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False, ticksuffix="  ", automargin=True)
    return figure


def confusion_chart(figures: CallFigures, *, height_px: int = 190) -> go.Figure:
    """Labels in rows, calls in columns; right calls in teal, wrong ones in red, the stronger the more.

    Args:
        figures: The four counts.
        height_px: Height of the chart.
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
        height=height_px,
        margin={"l": 0, "r": 0, "t": 22, "b": 0},
        font=_FONT,
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
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


def roc_chart(points: Sequence[tuple[float, float]], *, height_px: int = 300) -> go.Figure:
    """An ROC curve with the diagonal of chance."""
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": GREY, "dash": "dot"}))
    figure.add_trace(
        go.Scatter(
            x=[x for x, _ in points], y=[y for _, y in points], mode="lines", line={"color": TEAL, "width": 2.5},
            hovertemplate="1 - specificity %{x:.2f}, sensitivity %{y:.2f}<extra></extra>",
        )
    )  # fmt: skip
    _lay_out(figure, height_px)
    figure.update_layout(margin_l=58)
    figure.update_xaxes(title="1 − specificity", range=[0, 1], fixedrange=True, gridcolor="#e3eaec")
    figure.update_yaxes(title="Sensitivity", range=[0, 1.005], fixedrange=True, gridcolor="#e3eaec")
    return figure


def calibration_chart(bins: Sequence[ReliabilityBin], *, height_px: int = 300) -> go.Figure:
    """Predicted probability against the share that was HSIL, with intervals; right is the diagonal."""
    shown = [one for one in bins if one.observed.value is not None]
    values = [one.observed.value or 0.0 for one in shown]
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": GREY, "dash": "dot"}))
    figure.add_trace(
        go.Scatter(
            x=[one.mean_prob for one in shown], y=values, mode="markers+lines", marker={"size": 8, "color": TEAL},
            line={"color": TEAL, "width": 1},
            error_y={
                "array": [(one.observed.high or value) - value for one, value in zip(shown, values, strict=True)],
                "arrayminus": [value - (one.observed.low or 0.0) for one, value in zip(shown, values, strict=True)],
                "color": TEAL, "thickness": 1.4, "width": 3,
            },
            customdata=[one.observed.text() for one in shown],
            hovertemplate="predicted %{x:.0%}: %{customdata}<extra></extra>",
        )
    )  # fmt: skip
    _lay_out(figure, height_px)
    figure.update_layout(margin_l=58)
    figure.update_xaxes(title="Predicted probability of HSIL", range=[0, 1], fixedrange=True, gridcolor="#e3eaec")
    figure.update_yaxes(title="Share that was HSIL", range=[0, 1.02], fixedrange=True, gridcolor="#e3eaec")
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


def scores_chart(
    points: Sequence[tuple[bool, float, float]], first: str, second: str, *, height_px: int = 320
) -> go.Figure:
    """Two probabilities of each case against each other.

    Args:
        points: Whether the case is HSIL, and both probabilities.
        first: What stands below.
        second: What stands at the side.
        height_px: Height of the chart.
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
    _lay_out(figure, height_px)
    figure.update_layout(margin_l=58, legend={"orientation": "h", "y": 1.1, "x": 0})
    figure.update_xaxes(title=first, range=[0, 1], fixedrange=True, gridcolor="#e3eaec", tickformat=".0%")
    figure.update_yaxes(title=second, range=[0, 1], fixedrange=True, gridcolor="#e3eaec", tickformat=".0%")
    return figure


def _lay_out(figure: go.Figure, height_px: int) -> None:
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    figure.update_layout(
        height=height_px, margin={"l": 0, "r": 8, "t": 8, "b": 4}, showlegend=len(figure.data) > 2, font=_FONT,
        plot_bgcolor="rgba(0,0,0,0)", paper_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
