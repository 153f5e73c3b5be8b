import json
from dataclasses import asdict, astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colpo_core.evaluation.intervals import exact_share
from colpo_core.evaluation.judged import Judged
from colpo_core.evaluation.repeatability import repeatability
from colpo_core.records.statistics.comparisons import CaseFlip
from colpo_core.terms import Label

N, H = Label.NORMAL, Label.HSIL


def case(case_id: int, *probs: float, patient_id: int | None = None) -> list[Judged]:
    who = patient_id if patient_id is not None else case_id
    return [Judged(who, case_id, H, prob, 100 * case_id + place) for place, prob in enumerate(probs)]


def test_figures_by_hand() -> None:
    images = case(1, 0.7, 0.2) + case(2, 0.9) + case(3, 0.4, 0.1, 0.1) + case(4, 0.5, 0.3)
    found = repeatability(images, threshold=0.5)
    assert (found.n_cases, found.n_images, found.threshold) == (3, 7, 0.5)
    assert found.spread.value == pytest.approx((0.5 + 0.3 + 0.2) / 3)
    assert (found.spread.n_patients, found.spread.n_images) == (3, 7)
    assert (found.spread.low, found.spread.missing) == (None, "3 patients, and it takes 5")
    # Sums of squares 0.125, 0.06 and 0.02 on 1 + 2 + 1 degrees of freedom.
    assert found.within_case_sd.value == pytest.approx(np.sqrt(0.205 / 4))
    assert found.both_sides == exact_share(2, 3)
    assert found.flips == (CaseFlip(1, 101, 0.2, 100, 0.7), CaseFlip(4, 401, 0.3, 400, 0.5))
    json.dumps(asdict(found), allow_nan=False)


def test_it_is_the_root_of_the_mean_variance_where_cases_have_equally_many_images() -> None:
    probs = np.random.default_rng(0).random((12, 3))
    found = repeatability([row for n, line in enumerate(probs) for row in case(n, *line)], threshold=0.5)
    assert found.within_case_sd.value == pytest.approx(np.sqrt(probs.var(axis=1, ddof=1).mean()))
    assert found.within_case_sd.low < found.within_case_sd.value < found.within_case_sd.high  # type: ignore[operator]


def test_only_the_widest_twenty_flips_are_listed() -> None:
    images = [row for n in range(30) for row in case(n, 0.2 + n / 100, 0.51 + n / 60)]
    found = repeatability(images, threshold=0.5)
    assert found.both_sides.k == 30
    assert [flip.case_id for flip in found.flips] == list(range(29, 9, -1))


def test_cases_of_one_patient_are_no_independent_trials() -> None:
    images = [row for n in range(12) for row in case(n, 0.2, 0.7 if n < 6 else 0.3, patient_id=n // 3)]
    assert repeatability(images, threshold=0.5).both_sides.low < exact_share(6, 12).low  # type: ignore[operator]


def test_without_repeated_images_nothing_is_known() -> None:
    for images in ([], case(1, 0.3) + case(2, 0.8)):
        found = repeatability(images, threshold=0.5)
        assert (found.n_cases, found.n_images, found.flips) == (0, 0, ())
        assert (found.spread.value, found.within_case_sd.value, found.both_sides.value) == (None, None, None)
    alone = repeatability(case(1, 0.3, 0.6), threshold=0.5)
    assert (alone.spread.value, alone.spread.low) == (pytest.approx(0.3), None)
    same = repeatability(case(1, 0.4, 0.4) + case(2, 0.6, 0.6), threshold=0.5)
    assert (same.within_case_sd.value, same.within_case_sd.low, same.both_sides.k) == (0.0, None, 0)
    # The threshold itself is called `hsil`.
    assert repeatability(case(1, 0.5, 0.6), threshold=0.5).both_sides.k == 0
    assert repeatability(case(1, 0.4, 0.5), threshold=0.5).both_sides.k == 1


@settings(deadline=None, max_examples=50)
@given(st.permutations(case(1, 0.7, 0.2, 0.2) + case(2, 0.4, 0.6) + case(3, 0.4, 0.1, 0.1) + case(4, 0.9)))
def test_the_order_of_images_does_not_matter(images: list[Judged]) -> None:
    plain = repeatability(sorted(images, key=lambda row: row.image_id or 0), threshold=0.5)
    found = repeatability(images, threshold=0.5)
    assert (found.flips, found.both_sides) == (plain.flips, plain.both_sides)
    assert astuple(found.spread) == pytest.approx(astuple(plain.spread))
    assert astuple(found.within_case_sd) == pytest.approx(astuple(plain.within_case_sd))
