from colpo_core.records.models.cards import calibration_curves, roc_curves
from colpo_core.records.statistics.curves import Curve
from colpo_core.records.statistics.figures import Proportion
from pages._ui.shared.charts import calibration_chart, roc_chart
from tests.support.cards import new_card

METRICS = new_card()["metrics"]


def test_a_chart_draws_the_curves_of_the_card_under_its_marks() -> None:
    for draw, curves in (
        (roc_chart, roc_curves(METRICS, "case")),
        (calibration_chart, calibration_curves(METRICS, "case")),
    ):
        figure = draw(curves, marks="labels by histology · SIMULATED")
        diagonal, *drawn = figure.data
        assert list(diagonal.x) == list(diagonal.y) == [0, 1]
        assert [trace.name for trace in drawn] == [curve.name for curve in curves]
        assert [tuple(zip(trace.x, trace.y, strict=True)) for trace in drawn] == [curve.points for curve in curves]
        assert figure.layout.title.text == "labels by histology · SIMULATED"
        assert figure.layout.showlegend


def test_one_curve_alone_needs_neither_legend_nor_marks() -> None:
    figure = roc_chart(roc_curves(METRICS, "case")[:1])
    assert not figure.layout.showlegend
    assert figure.layout.title.text is None


def test_intervals_are_drawn_where_there_are_any_and_the_curve_before_is_dotted() -> None:
    known, unknown = Proportion(5, 10, 0.5, 0.25, 1.0), Proportion(1, 10, 0.1, None, None, "too few patients")
    after = Curve("after", "4ch", ((0.2, 0.1), (0.6, 0.5)), (unknown, known))
    _, first, second = calibration_chart([after, Curve("before", "4ch", after.points, is_before=True)]).data
    assert (list(first.error_y.arrayminus), list(first.error_y.array)) == ([0.0, 0.25], [0.0, 0.5])
    assert second.error_y.array is None
    assert (first.line.dash, second.line.dash) == (None, "dot")


def test_each_caller_of_a_study_has_a_style_of_their_own_and_a_name_that_is_no_markup() -> None:
    curve = Curve("<b>", "Ruth", ((0.2, 0.1),), (Proportion(1, 10, 0.1, 0.0, 0.3),))
    _, drawn = calibration_chart([curve], styles={"Ruth": {"color": "#123456", "dash": "dash"}}).data
    assert (drawn.line.color, drawn.line.dash, drawn.error_y.color) == ("#123456", "dash", "#123456")
    assert drawn.hovertemplate.startswith("&lt;b&gt;<br>")
