"""Charts of a model's figures: shares with intervals, distributions of the masks' figures, paired differences."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from colpo_core.records.models.cards import DISTRIBUTIONS, NETWORKS, SHARES, Block, calls, proportion
from colpo_core.records.statistics.curves import Distribution, NamedEstimate, axis_reach
from colpo_core.records.statistics.figures import Estimate
from pages._ui.shared.charts import INK, NETWORK_COLOURS, TEAL, intervals

_ROW_PX = 46


def intervals_chart(metrics: Block, level: str, marks: str) -> go.Figure:
    """Each share with its interval, the two networks below each other."""
    figure = go.Figure()
    for network, name in NETWORKS.items():
        shares = {label: proportion(calls(metrics, network, level), share) for share, label in SHARES.items()}
        known = {label: share for label, share in shares.items() if share.value is not None}
        figure.add_trace(
            go.Bar(
                orientation="h",
                y=list(known),
                x=[share.value for share in known.values()],
                name=name,
                marker_color=NETWORK_COLOURS[network],
                error_x=intervals(known.values()),
                customdata=[share.text() for share in known.values()],
                hovertemplate=f"{name}: %{{customdata}}<extra></extra>",
            )
        )
    figure.update_layout(barmode="group", bargap=0.35, xaxis={"range": [0, 1], "tickformat": ".0%"})
    figure.update_yaxes(autorange="reversed", automargin=True, ticksuffix="  ")
    return _laid_out(figure, marks, height_px=330)


def violins_chart(panels: Sequence[Distribution], marks: str) -> go.Figure:
    """Distributions over images and over patients, with the mean over images.

    Args:
        panels: From left to right.
        marks: What stands over the chart.
    """
    figure = make_subplots(cols=len(panels), subplot_titles=[panel.title for panel in panels], horizontal_spacing=0.07)
    for column, panel in enumerate(panels, start=1):
        for (group, values), colour in zip(panel.groups.items(), (TEAL, "#7a5195"), strict=True):
            name = f"{group}<br>n = {len(values)}"
            figure.add_trace(_violin(values, name, colour, panel.title), row=1, col=column)
        if panel.mean is not None:
            figure.add_trace(_mean(panel.mean, panel.title), row=1, col=column)
        is_share = panel.title != DISTRIBUTIONS["hd95_percent"]
        figure.update_yaxes(range=[0, 1] if is_share else None, rangemode="tozero", row=1, col=column)
    return _without_legend(_laid_out(figure, marks, height_px=390))


def _violin(values: Sequence[float], name: str, colour: str, panel: str) -> go.Violin:
    return go.Violin(
        y=list(values),
        name=name,
        points="all",
        pointpos=0,
        jitter=0.5,
        marker={"size": 4, "color": colour, "opacity": 0.55},
        line={"color": colour, "width": 1},
        fillcolor="rgba(15,107,116,0.12)",
        spanmode="hard",
        scalegroup=f"{panel} {name}",
        scalemode="width",
        width=0.8,
        hovertemplate="%{y:.2f}<extra></extra>",
        hoveron="points",
    )


def _mean(mean: Estimate, title: str) -> go.Scatter:
    return go.Scatter(
        x=["mean over<br>images"],
        y=[mean.value],
        mode="markers",
        marker={"symbol": "diamond", "size": 9, "color": INK},
        error_y=intervals([mean]),
        customdata=[mean.text()],
        hovertemplate=f"{title}: %{{customdata}}<extra></extra>",
    )


def forest_chart(panels: Mapping[str, Sequence[NamedEstimate]], marks: str) -> go.Figure:
    """Differences with their intervals about a line at zero.

    Args:
        panels: By figure, the differences from top to bottom; the same names in each.
        marks: What stands over the chart.
    """
    names = [row.name.replace(" − ", "<br>− ") for row in next(iter(panels.values()))]  # so that the axis stays narrow
    figure = make_subplots(cols=len(panels), shared_yaxes=True, subplot_titles=list(panels), horizontal_spacing=0.025)
    for column, rows in enumerate(panels.values(), start=1):
        figure.add_trace(_forest(names, [row.estimate for row in rows]), row=1, col=column)
        reach = 1.1 * axis_reach(rows)
        figure.update_xaxes(range=[-reach, reach], nticks=5, row=1, col=column)
        figure.add_vline(x=0, line={"color": INK, "width": 1.2}, row=1, col=column)
    figure.update_xaxes(zeroline=False, tickformat="+.2f")
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], automargin=True, ticksuffix="  ")
    return _without_legend(_laid_out(figure, marks, height_px=110 + _ROW_PX * len(names)))


def _forest(names: Sequence[str], differences: Sequence[Estimate]) -> go.Scatter:
    return go.Scatter(
        x=[difference.value for difference in differences],
        y=list(names),
        mode="markers",
        marker={
            "size": 10,
            "color": TEAL,
            "symbol": ["square-open" if difference.bounds is None else "square" for difference in differences],
            "line": {"width": 1.5, "color": TEAL},
        },
        error_x=intervals(differences, colour=TEAL),
        customdata=[difference.text(is_signed=True) for difference in differences],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _without_legend(figure: go.Figure) -> go.Figure:
    return figure.update_layout(showlegend=False, margin={"l": 0, "r": 10, "t": 60, "b": 10})


def _laid_out(figure: go.Figure, marks: str, *, height_px: int) -> go.Figure:
    return figure.update_layout(
        height=height_px,
        margin={"l": 0, "r": 30, "t": 34, "b": 0},
        title={"text": marks, "font": {"size": 12}},
        legend={"orientation": "h", "y": -0.12},
        template="plotly_white",
    )
