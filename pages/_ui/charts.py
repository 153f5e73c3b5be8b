"""Plotly charts in the program's look: flat bars and a confusion matrix that says its numbers."""

from collections.abc import Sequence

import plotly.graph_objects as go

from colpo_core.records.figures import CallFigures

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
