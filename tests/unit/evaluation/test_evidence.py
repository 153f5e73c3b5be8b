import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from colpo_core.evaluation.evidence import evidence_figures, image_evidence, image_places, places_figures
from colpo_core.records.review.explanations import ImageEvidence, ImagePlaces, MapInMask, MapPlaces


def quarter(height: int = 60, width: int = 80) -> np.ndarray:
    mask = np.zeros((height, width), np.bool_)
    mask[: height // 2, : width // 2] = True
    return mask


def bar() -> np.ndarray:
    """A mask of 20 x 100 pixels in an image of 300 x 400."""
    mask = np.zeros((300, 400), np.bool_)
    mask[140:160, 100:200] = True
    return mask


def only(values: np.ndarray, mask: np.ndarray) -> MapInMask:
    found = image_evidence({"one": values.astype(np.float32)}, mask)
    return found.maps["one"]


def test_a_map_that_prefers_no_place_has_the_masks_area() -> None:
    found = image_evidence({"flat": np.ones((3, 5), np.float32)}, quarter())
    assert found.area == 0.25
    assert found.maps["flat"].energy == pytest.approx(0.25)


def test_evidence_inside_and_outside_is_told_apart_at_any_size() -> None:
    inside = np.zeros((6, 8))
    inside[1, 1] = 7
    assert only(inside, quarter()) == MapInMask(1.0, is_hit=True)
    assert only(inside[::-1, ::-1], quarter()) == MapInMask(0.0, is_hit=False)
    both = inside + inside[::-1, ::-1] * 3
    assert only(both, quarter()) == MapInMask(pytest.approx(0.25), is_hit=False)
    assert only(inside, quarter(2400, 3200)) == MapInMask(1.0, is_hit=True)


def test_a_cell_that_the_mask_cuts_counts_by_how_much_of_it_is_covered() -> None:
    mask = np.zeros((40, 40), np.bool_)
    mask[:, :10] = True
    assert only(np.asarray([[1.0, 0.0]]), mask).energy == pytest.approx(0.5)


def test_a_peak_beside_the_mask_by_less_than_a_map_can_tell_is_a_hit() -> None:
    values = np.zeros((300, 400))
    values[150, 212] = 1
    assert only(values, bar()).is_hit
    values[150, 212], values[150, 222] = 0, 1
    assert not only(values, bar()).is_hit


def test_a_place_chosen_by_chance_hits_as_often_as_it_lies_near_the_mask() -> None:
    found = image_evidence({}, bar())
    near_px = 0.03 * 500
    expected = (100 * 20 + 2 * near_px * (100 + 20) + np.pi * near_px**2) / (300 * 400)
    assert found.hit_area == pytest.approx(expected, rel=0.05)
    assert found.hit_area > found.area
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(600):
        values = np.zeros((300, 400))
        values[rng.integers(300), rng.integers(400)] = 1
        hits += only(values, bar()).is_hit
    assert hits / 600 == pytest.approx(found.hit_area, abs=0.03)


def test_nothing_is_said_where_there_is_nothing() -> None:
    assert image_evidence({"one": np.ones((2, 2), np.float32)}, np.zeros((4, 4), np.bool_)) is None
    found = image_evidence({"one": np.zeros((2, 2), np.float32)}, quarter())
    assert found.maps["one"] is None


@given(arrays(np.float32, (4, 6), elements=st.floats(0, 8, width=32)), st.integers(1, 100))
@settings(max_examples=40)
def test_a_share_lies_in_0_to_1_and_does_not_mind_the_maps_scale(values: np.ndarray, times: int) -> None:
    found = image_evidence({"one": values, "more": values * times}, quarter())
    one, more = found.maps["one"], found.maps["more"]
    if one is None or more is None:
        assert values.sum() == 0
        return
    assert 0 <= one.energy <= 1
    assert more.energy == pytest.approx(one.energy, abs=1e-4)


def evidence(three: float | None, four: float | None, *, area: float = 0.2) -> ImageEvidence:
    maps = {
        f"{network}-{label}": None if energy is None else MapInMask(energy, energy > 0.5)
        for network, energy in (("3ch", three), ("4ch", four))
        for label in ("normal", "hsil")
    }
    return ImageEvidence(area, maps, hit_area=area + 0.1)


def test_networks_are_compared_on_the_same_images_with_intervals_by_patients() -> None:
    rows = [evidence(0.3, 0.6), evidence(0.4, 0.8), evidence(0.2, 0.6), evidence(None, 0.9)] * 2
    model = [rows[0], None, rows[2], rows[3]] * 2
    found = evidence_figures(rows, model, range(8))
    hsil = found.expert["hsil"]
    assert (found.n_images, hsil.n_images, hsil.n_patients) == (8, 6, 6), "an image without evidence is not compared"
    assert found.empty == {"3ch-normal": 2, "3ch-hsil": 2, "4ch-normal": 0, "4ch-hsil": 0}
    assert hsil.energy_3ch.value == pytest.approx(0.3)
    assert hsil.energy_4ch.value == pytest.approx(2 / 3)
    assert hsil.energy_difference.value == pytest.approx(2 / 3 - 0.3)
    assert hsil.energy_difference.low > 0.25, "paired: narrower than either"
    few = evidence_figures(rows[:4], model[:4], range(4)).expert["hsil"].energy_difference
    assert (few.low, few.missing) == (None, "3 patients, and it takes 5")
    assert (hsil.hits_3ch.k, hsil.hits_4ch.k, hsil.hits_4ch.n) == (0, 6, 6)
    assert hsil.hits_difference.value == 1
    assert hsil.area.value == pytest.approx(0.2)
    assert found.model["hsil"].n_images == 4


def test_without_images_nothing_is_defined() -> None:
    found = evidence_figures([], [], [])
    assert found.n_images == 0
    assert found.expert["hsil"].energy_4ch.value is None


def places_of(values: np.ndarray, *, top: float = 0.0, left: float = 0.0) -> MapPlaces:
    return image_places({"one": values.astype(np.float32)}, top=top, left=left).maps["one"]


def test_a_map_that_prefers_no_place_has_the_bars_and_the_rims_area() -> None:
    found = image_places({"flat": np.ones((15, 20), np.float32)}, top=0.125, left=0.0)
    assert found.padding_area == pytest.approx(0.25)
    assert found.rim_area == pytest.approx(0.19)
    flat = found.maps["flat"]
    assert flat.padding == pytest.approx(0.25)
    assert flat.rim == pytest.approx(0.19)


def test_evidence_in_the_bars_is_counted_although_no_map_shows_it() -> None:
    values = np.zeros((8, 8))
    values[0, :] = 1  # a row of cells that lies half in the upper bar
    values[4, 4] = 4
    found = places_of(values, top=1 / 16)
    assert found.padding == pytest.approx(4 / 12)
    assert places_of(values, top=1 / 8).padding == pytest.approx(8 / 12)
    assert places_of(values).padding == 0.0
    only_bars = np.zeros((8, 8))
    only_bars[0, :] = 1
    assert places_of(only_bars, top=1 / 8) == MapPlaces(1.0, None)


def test_the_rim_is_the_images_and_not_the_boxs() -> None:
    cells = np.zeros((100, 100))
    cells[:, 20:25] = 1  # the image's own outermost columns: bars of 20 on either side, rim of 3
    found = places_of(cells, left=0.2)
    assert found.padding == pytest.approx(0.0, abs=1e-9)
    assert found.rim == pytest.approx(3 / 5 + 2 / 5 * 0.1)
    middle = np.zeros((100, 100))
    middle[40:60, 40:60] = 1
    assert places_of(middle, left=0.2).rim == pytest.approx(0.0, abs=1e-9)


@given(arrays(np.float32, (4, 6), elements=st.floats(0, 8, width=32)), st.floats(0, 0.45), st.floats(0, 0.45))
@settings(max_examples=60)
def test_places_are_shares_whatever_the_map(values: np.ndarray, top: float, left: float) -> None:
    found = image_places({"one": values, "more": 3 * values}, top=top, left=left)
    one, more = found.maps["one"], found.maps["more"]
    if one is None or more is None:
        assert values.sum() == 0
        return
    assert 0 <= one.padding <= 1
    assert one.rim is None or 0 <= one.rim <= 1
    assert more.padding == pytest.approx(one.padding, abs=1e-4)


def test_places_are_told_by_network_and_class_over_the_images_that_have_them() -> None:
    def image(padding_area: float, padding: float, rim: float) -> ImagePlaces:
        maps: dict[str, MapPlaces | None] = {f"4ch-{label}": MapPlaces(padding, rim) for label in ("normal", "hsil")}
        return ImagePlaces(padding_area, 0.19, maps | {"3ch-hsil": None, "3ch-normal": MapPlaces(0.5, None)})

    places = [image(0.2, 0.3, 0.4), image(0.2, 0.1, 0.2), image(0.0, 0.0, 0.6), image(0.004, 0.0, 0.0)]
    lesions = [evidence(None, 0.6), evidence(0.1, 0.2)]
    found = places_figures("4ch", lesions, [1, 2], places, [1, 2, 3, 4])
    assert found.lesion_excess.value == pytest.approx((0.4 + 0.0) / 2)
    assert found.padding["normal"].value == pytest.approx(0.2)
    assert (found.padding["hsil"].n_images, found.padding["hsil"].n_patients) == (2, 2), "two images have bars"
    assert found.padding_area.value == pytest.approx(0.2)
    assert (found.rim["hsil"].value, found.rim["hsil"].n_images) == (pytest.approx(0.3), 4)
    assert found.rim_area.value == pytest.approx(0.19)
    three = places_figures("3ch", lesions, [1, 2], places, [1, 2, 3, 4])
    assert (three.lesion_excess.value, three.lesion_excess.n_images) == (pytest.approx(-0.1), 1)
    assert three.padding["hsil"].value is None
    assert three.padding["normal"].value == pytest.approx(0.5)
    assert three.rim["normal"].n_images == 0
    nothing = places_figures("4ch", [], [], [], [])
    assert (nothing.lesion_excess.value, nothing.rim_area.value) == (None, None)
