"""Areas and diameters in the editor's JavaScript, against numpy and SciPy."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from tests.javascript.conftest import Run
from tests.javascript.masks import HELPERS, masks, sent


def test_the_largest_diameter_is_that_of_the_convex_hull(run_javascript: Run) -> None:
    drawn = list(masks(41, 90))
    body = f"{HELPERS} return given.map((one) => largestDiameter(maskOf(one)));"
    for mask, found in zip(drawn, run_javascript(body, [sent(mask) for mask in drawn]), strict=True):
        if not mask.any():
            assert found == 0
            continue
        pixels = np.argwhere(mask)
        corners = np.concatenate([pixels + shift for shift in ((0, 0), (0, 1), (1, 0), (1, 1))])
        hull = corners[ConvexHull(corners).vertices]
        assert found == pytest.approx(np.linalg.norm(hull[:, None] - hull[None], axis=-1).max())


def test_areas_are_counted_and_the_cervix_counts_as_filled(run_javascript: Run) -> None:
    y, x = np.mgrid[:40, :50]
    distance = np.hypot(y - 20, x - 25)
    ring = (distance < 18) & (distance > 15)
    lesion = (y > 15) & (x > 20)
    body = f"{HELPERS} const [mask, cervix] = given.map(maskOf); return atOnce(measured(mask, cervix));"
    found = run_javascript(body, [sent(lesion), sent(ring)])
    assert found["area"] == lesion.sum()
    assert found["cervix"]["area"] == (distance < 18).sum()
    assert found["cervix"]["covered"] == (lesion & (distance < 18)).sum()
    assert found["cervix"]["diameter"] == pytest.approx(36, abs=1.5)
    nothing = run_javascript(body, [sent(lesion), sent(np.zeros_like(ring))])
    assert nothing == {"area": lesion.sum(), "cervix": None}
