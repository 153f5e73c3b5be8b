"""The charts of a model's figures; what lies behind them is read from its card."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from colpo_core.records.models.cards import (
    COMPARED,
    DISTRIBUTIONS,
    NETWORKS,
    SHARES,
    Block,
    calls,
    differences,
    estimate,
    pair_name,
    proportion,
    signed_text,
    spread_by,
    uncalibrated_bins,
)
from colpo_core.records.statistics.figures import Estimate
from pages._ui.shared.charts import INK, TEAL

COLOURS = {"3ch": "#8aa5a8", "4ch": TEAL}
CONFIG = {"displayModeBar": False}
_CHANCE = {"color": "#b5c3c6", "dash": "dash", "width": 1}
_ROW_PX = 46


def intervals_chart(metrics: Block, level: str, marks: str) -> go.Figure:
    """Each share with its interval, the two networks below each other."""
    figure = go.Figure()
    for network, name in NETWORKS.items():
        found = {label: proportion(calls(metrics, network, level), share) for share, label in SHARES.items()}
        known = {label: one for label, one in found.items() if one.value is not None}
        figure.add_trace(
            go.Bar(
                orientation="h",
                y=list(known),
                x=[one.value for one in known.values()],
                name=name,
                marker_color=COLOURS[network],
                error_x=_error([(one.value or 0, one.low or 0, one.high or 0) for one in known.values()]),
                customdata=[one.text() for one in known.values()],
                hovertemplate=f"{name}: %{{customdata}}<extra></extra>",
            )
        )
    figure.update_layout(barmode="group", bargap=0.35, xaxis={"range": [0, 1], "tickformat": ".0%"})
    figure.update_yaxes(autorange="reversed", automargin=True, ticksuffix="  ")
    return _dressed(figure, marks, height_px=330)


def roc_chart(metrics: Block, level: str, marks: str) -> go.Figure | None:
    """ROC curves of both networks; None where a card or a side has none."""
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line=_CHANCE, showlegend=False, hoverinfo="skip"))
    for network, name in NETWORKS.items():
        block = calls(metrics, network, level)
        if not block.get("roc"):
            return None
        x, y = zip(*block["roc"], strict=True)
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                mode="lines",
                name=f"{name}: AUC {estimate(block, 'auc').text()}",
                line={"color": COLOURS[network], "width": 2.5},
                hovertemplate=f"{name}: sensitivity %{{y:.0%}}, specificity %{{customdata:.0%}}<extra></extra>",
                customdata=[1 - value for value in x],
            )
        )
    figure.update_xaxes(title_text="1 − specificity")
    figure.update_yaxes(title_text="sensitivity")
    return _square(figure, marks)


def reliability_chart(metrics: Block, level: str, marks: str) -> go.Figure | None:
    """Observed share of HSIL over the probability, with intervals; None where a card or a side has none."""
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line=_CHANCE, showlegend=False, hoverinfo="skip"))
    for network, name in NETWORKS.items():
        block = calls(metrics, network, level)
        bins = [one for one in block.get("reliability", ()) if one["observed"]["value"] is not None]
        if not bins:
            return None
        shares = [proportion(one, "observed") for one in bins]
        figure.add_trace(
            go.Scatter(
                x=[one["mean_prob"] for one in bins],
                y=[one.value for one in shares],
                mode="lines+markers",
                name=f"{name}: Brier {estimate(block, 'brier').text()}",
                line={"color": COLOURS[network], "width": 2},
                marker={"size": 8},
                error_y=_error(
                    [(one.value or 0, one.low or 0, one.high or 0) for one in shares], colour=COLOURS[network]
                ),
                customdata=[one.text() for one in shares],
                hovertemplate=f"{name}: probability %{{x:.2f}}, HSIL %{{customdata}}<extra></extra>",
            )
        )
        before = uncalibrated_bins(metrics, network, level)
        figure.add_trace(
            go.Scatter(
                x=[one["mean_prob"] for one in before],
                y=[one["observed"]["value"] for one in before],
                mode="lines+markers",
                name=f"{name}, before the calibration",
                line={"color": COLOURS[network], "width": 1, "dash": "dot"},
                marker={"size": 4},
                showlegend=bool(before),
                hovertemplate=f"{name} before: probability %{{x:.2f}}, HSIL %{{y:.1%}}<extra></extra>",
            )
        )
    figure.update_xaxes(title_text="probability of HSIL")
    figure.update_yaxes(title_text="share that was HSIL")
    return _square(figure, marks)


def violins_chart(segmentation: Block, marks: str) -> go.Figure:
    """IoU, Dice and 95% Hausdorff distance over images and over patients, with the mean over images."""
    figure = make_subplots(
        cols=len(DISTRIBUTIONS), subplot_titles=list(DISTRIBUTIONS.values()), horizontal_spacing=0.07
    )
    for column, (name, title) in enumerate(DISTRIBUTIONS.items(), start=1):
        for group, colour in (("images", TEAL), ("patients", "#7a5195")):
            values = spread_by(segmentation, name, patients=group == "patients")
            figure.add_trace(_violin(values, f"{group}<br>n = {len(values)}", colour, title), row=1, col=column)
        figure.add_trace(_mean(estimate(segmentation, name), title), row=1, col=column)
        figure.update_yaxes(range=[0, 1] if name != "hd95_percent" else None, rangemode="tozero", row=1, col=column)
    figure = _dressed(figure, marks, height_px=390)
    return figure.update_layout(showlegend=False, margin={"l": 0, "r": 10, "t": 60, "b": 10})


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


def _mean(found: Estimate, title: str) -> go.Scatter:
    bounds = [(found.value or 0, found.low or 0, found.high or 0)] if found.low is not None else []
    return go.Scatter(
        x=["mean over<br>images"],
        y=[found.value],
        mode="markers",
        marker={"symbol": "diamond", "size": 9, "color": INK},
        error_y=_error(bounds) if bounds else None,
        customdata=[found.text()],
        hovertemplate=f"{title}: %{{customdata}}<extra></extra>",
    )


def forest_chart(card: Block, marks: str) -> go.Figure:
    """The paired differences of the comparison about a line at zero."""
    pairs = differences(card)
    names = [_broken(pair_name(card, pair)) for pair in pairs]
    figure = make_subplots(
        cols=len(COMPARED), shared_yaxes=True, subplot_titles=list(COMPARED.values()), horizontal_spacing=0.025
    )
    for column, name in enumerate(COMPARED, start=1):
        found = [estimate(pair, name) for pair in pairs]
        figure.add_trace(_forest(names, found), row=1, col=column)
        reach = max(
            0.05, *(abs(bound) for one in found for bound in (one.low, one.high, one.value) if bound is not None)
        )
        figure.update_xaxes(range=[-1.1 * reach, 1.1 * reach], nticks=5, row=1, col=column)
        figure.add_vline(x=0, line={"color": INK, "width": 1.2}, row=1, col=column)
    figure.update_xaxes(zeroline=False, tickformat="+.2f")
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], automargin=True, ticksuffix="  ")
    figure = _dressed(figure, marks, height_px=110 + _ROW_PX * len(names))
    return figure.update_layout(showlegend=False, margin={"l": 0, "r": 10, "t": 60, "b": 10})


def _forest(names: Sequence[str], found: Sequence[Estimate]) -> go.Scatter:
    bounds = [(one.value or 0, _or(one.low, one.value), _or(one.high, one.value)) for one in found]
    has_interval = [one.low is not None and one.high is not None for one in found]
    return go.Scatter(
        x=[one.value for one in found],
        y=list(names),
        mode="markers",
        marker={
            "size": 10,
            "color": TEAL,
            "symbol": ["square" if known else "square-open" for known in has_interval],
            "line": {"width": 1.5, "color": TEAL},
        },
        error_x=_error(bounds, colour=TEAL),
        customdata=[signed_text(one) for one in found],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _or(bound: float | None, value: float | None) -> float:
    return bound if bound is not None else value or 0.0


def _broken(name: str) -> str:
    """A pair's name on two lines, so that the axis stays narrow."""
    return name.replace(" − ", "<br>− ")


def _error(bounds: Sequence[tuple[float, float, float]], *, colour: str = INK) -> Mapping[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, high - value) for value, _, high in bounds],
        "arrayminus": [max(0.0, value - low) for value, low, _ in bounds],
        "thickness": 1.4,
        "width": 4,
        "color": colour,
    }


def _square(figure: go.Figure, marks: str) -> go.Figure:
    figure.update_xaxes(range=[-0.02, 1.02], constrain="domain")
    figure.update_yaxes(range=[-0.02, 1.02])
    return _dressed(figure, marks, height_px=430).update_layout(
        legend={"orientation": "h", "y": -0.2, "yanchor": "top", "x": 0}
    )


def _dressed(figure: go.Figure, marks: str, *, height_px: int) -> go.Figure:
    return figure.update_layout(
        height=height_px,
        margin={"l": 0, "r": 30, "t": 34, "b": 0},
        title={"text": marks, "font": {"size": 12}},
        legend={"orientation": "h", "y": -0.12},
        template="plotly_white",
    )
