import io
from math import hypot

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from colpo_core.images.biopsy_sites import MOST_SITES, propose_sites, sites_png
from colpo_core.images.clock_face import lay_clock

SIDE = 80
MAPS = hnp.arrays(np.float32, (5, 7), elements=st.floats(0, 4, width=32))
MASKS = hnp.arrays(np.bool_, (SIDE, SIDE), elements=st.booleans()) | st.just(np.zeros((SIDE, SIDE), bool))
CLOCK = lay_clock(None, height_px=SIDE, width_px=SIDE)


@given(MAPS, MASKS)
def test_sites_lie_in_the_mask_apart_and_the_strongest_comes_first(
    values: NDArray[np.float32], mask: NDArray[np.bool_]
) -> None:
    sites = propose_sites(values, mask, CLOCK)
    assert len(sites) <= MOST_SITES
    assert all(mask[int(site.y_px), int(site.x_px)] for site in sites)
    assert [site.evidence for site in sites] == sorted((site.evidence for site in sites), reverse=True)
    assert all(0.25 <= site.evidence <= 1 for site in sites)
    for place, site in enumerate(sites):
        assert all(hypot(site.x_px - one.x_px, site.y_px - one.y_px) >= 0.1 * hypot(SIDE, SIDE) - 1e-6
                   for one in sites[:place])  # fmt: skip
    assert propose_sites(values, mask, CLOCK) == sites
    if not mask.any() or not values.any():
        assert sites == ()


def test_two_lesions_give_two_sites_at_their_hours() -> None:
    values = np.zeros((40, 40), np.float32)
    values[5, 20], values[20, 35] = 4.0, 3.0
    mask = np.ones((400, 400), bool)
    first, second = propose_sites(values, mask, lay_clock(None, height_px=400, width_px=400))
    assert (first.hour, second.hour) == (12, 3)
    assert (first.evidence, round(second.evidence, 2)) == (1.0, 0.75)
    assert hypot(first.x_px - 205, first.y_px - 55) < 6


def test_evidence_outside_of_the_mask_proposes_nothing_and_faint_places_neither() -> None:
    values = np.zeros((40, 40), np.float32)
    values[5, 5], values[20, 20], values[35, 35] = 9.0, 4.0, 0.9
    mask = np.zeros((400, 400), bool)
    mask[150:, 150:] = True
    (only,) = propose_sites(values, mask, lay_clock(None, height_px=400, width_px=400))
    assert (only.evidence, only.hour) == (1.0, None)


def test_the_rings_lie_around_their_places_and_nothing_else_is_drawn() -> None:
    values = np.zeros((40, 40), np.float32)
    values[20, 10] = 4.0
    sites = propose_sites(values, np.ones((300, 400), bool), lay_clock(None, height_px=300, width_px=400))
    drawn = np.asarray(Image.open(io.BytesIO(sites_png(sites, height_px=300, width_px=400))))
    assert drawn.shape == (300, 400, 4)
    rows, columns = np.nonzero(drawn[..., 3])
    assert np.hypot(rows - sites[0].y_px, columns - sites[0].x_px).max() < 45
    assert drawn[int(sites[0].y_px), int(sites[0].x_px), 3] == 0, "the place itself stays in sight"
    assert not np.asarray(Image.open(io.BytesIO(sites_png((), height_px=9, width_px=9))))[..., 3].any()
