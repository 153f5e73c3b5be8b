import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from colpo_core.exchange.plots import MarkedPoint, calibration_svg, distributions_svg, forest_svg, roc_svg
from colpo_core.records.statistics.curves import Curve, Distribution, NamedEstimate, error_bars
from colpo_core.records.statistics.figures import Estimate, Proportion

MARKS = "labels by histology · SIMULATED images"
CURVE = Curve("4 channels: AUC 0.80 (0.70 to 0.90; 12 patients)", "4ch", ((0, 0), (0.2, 0.8), (1, 1)))
SHARES = (Proportion(1, 10, 0.1, 0.0, 0.3), Proportion(9, 10, 0.9, 0.6, 1.0))
CALIBRATION = Curve("4 channels", "4ch", ((0.2, 0.1), (0.8, 0.9)), SHARES)
MEAN = Estimate(0.4, 0.3, 0.5, 5, 6)
PANEL = Distribution("Dice", (0.1, 0.2, 0.4, 0.5, 0.6, 0.7), (0.3, 0.4), MEAN)
ROWS = {
    "AUC": [
        NamedEstimate("a − b", Estimate(0.1, 0.02, 0.2, 5, 5)),
        NamedEstimate("c − d", Estimate(0.1, None, None, 5, 5)),
    ]
}


def drawings() -> list[str]:
    return [
        roc_svg([CURVE], marks=MARKS),
        calibration_svg([CALIBRATION], marks=MARKS),
        distributions_svg([PANEL], marks=MARKS),
        forest_svg(ROWS, marks=MARKS),
    ]


def test_every_drawing_is_whole_and_carries_its_marks() -> None:
    for drawn in drawings():
        assert ET.fromstring(drawn).tag == "svg"  # noqa: S314 - made here
        assert MARKS in drawn


def test_nothing_leads_outside_and_nothing_runs() -> None:
    for drawn in drawings():
        assert "http" not in drawn
        assert "<script" not in drawn
        assert "<metadata" not in drawn


def test_the_same_figures_give_the_same_bytes() -> None:
    assert drawings() == drawings()


def test_names_are_escaped_and_never_read_as_formulas() -> None:
    drawn = roc_svg([Curve("<b> & $x^2$", "3ch", CURVE.points)], marks="<i>")
    assert "&lt;b&gt; &amp; $x^2$" in drawn
    assert "<i>" not in drawn


def test_a_difference_without_an_interval_says_so() -> None:
    assert forest_svg(ROWS, marks=MARKS).count("no interval") == 1


def test_a_mean_is_drawn_with_its_interval_or_not_at_all() -> None:
    without = distributions_svg([replace(PANEL, mean=Estimate(0.4, None, None, 1, 6))], marks=MARKS)
    assert without == distributions_svg([replace(PANEL, mean=None)], marks=MARKS)
    assert without != distributions_svg([PANEL], marks=MARKS)


def test_a_share_without_an_interval_is_a_point_alone() -> None:
    share = Proportion(1, 10, 0.1, None, None, "4 patients, and it takes 5")
    drawn = calibration_svg([replace(CALIBRATION, shares=(share, SHARES[1]))], marks=MARKS)
    assert drawn != calibration_svg([CALIBRATION], marks=MARKS)
    assert error_bars([share, SHARES[1]]) == ([0.0, pytest.approx(0.3)], [0.0, pytest.approx(0.1)])


@pytest.mark.parametrize("values", [(), (0.5,), (0.5,) * 8])
def test_few_or_equal_values_have_no_shape_but_are_drawn(values: tuple[float, ...]) -> None:
    assert f"n = {len(values)}" in distributions_svg([Distribution("IoU", values, (), None)], marks=MARKS)


def widest_text_px(svg: str) -> tuple[float, float]:
    """Where the rightmost text ends, by the letters that matplotlib measures with, and the drawing's edge."""
    root = ET.fromstring(svg)  # noqa: S314 - made here
    font, ends = FontProperties(family="DejaVu Sans"), []
    for text in root.iter("text"):
        size = float(re.search(r"([\d.]+)px", text.get("style", "font: 9px"))[1])  # type: ignore[index]
        moved = re.search(r"translate\(([\d.-]+)", text.get("transform", ""))
        left = float(text.get("x") or (moved[1] if moved else 0))
        if "middle" not in text.get("style", ""):
            ends.append(left + TextPath((0, 0), text.text or " ", size=size, prop=font).get_extents().x1)
    return max(ends), float(root.get("viewBox", "0 0 0 0").split()[2])


@pytest.mark.parametrize(
    "name",
    [
        "model-1, 3 channels: area 0.62 (0.00 to 1.00)",
        "a network with a name that nobody would like to read aloud, 4 channels: area 1.00 (no interval)",
        "x" * 90,
    ],
)
def test_no_legend_is_cut_off(name: str) -> None:
    point = MarkedPoint(f"{name}, aided", 0.5, 0.5, (0.4, 0.6), (0.4, 0.6))
    for svg in (
        roc_svg([Curve(name, "3ch", ((0, 0), (1, 1)))], marks="by histology", points=[point]),
        calibration_svg([Curve(name, "3ch", ((0, 0), (1, 1)))], marks="by histology"),
    ):
        end, edge = widest_text_px(svg)
        assert end <= edge
        texts = ET.fromstring(svg).iter("text")  # noqa: S314 - made here
        said = "".join(text.text or "" for text in texts)
        assert name.replace(" ", "") in said.replace(" ", "")
