"""DeLong's test against pROC, plain slow code, and figures by hand."""

import csv
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from colpo_core.evaluation.delong import delong, delong_interval
from colpo_core.evaluation.roc import auc
from colpo_core.terms import Label
from tests.support.cohorts import cohort

N, H = Label.NORMAL, Label.HSIL
VAN_DYKE = Path(__file__).resolve().parents[3].parent / "shared" / "oracles" / "vandyke.csv"
scored = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=24)


class Readings(NamedTuple):
    """One reader's ratings of both modalities."""

    truth: list[Label]
    first: list[float]
    second: list[float]


def van_dyke(reader: int) -> Readings:
    """The ratings of one reader; the data lie beside the checkout."""
    with VAN_DYKE.open() as file:
        rows = [row for row in csv.DictReader(file) if row["reader"] == str(reader)]
    first, second = ({row["case"]: row for row in rows if row["treatment"] == arm} for arm in "12")
    return Readings(
        [H if row["truth"] == "1" else N for row in first.values()],
        [float(row["rating"]) for row in first.values()],
        [float(second[case]["rating"]) for case in first],
    )


def slow_delong(truth: Sequence[Label], *scores: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Areas and their covariance by every pair of HSIL and normal, as DeLong et al. 1988 write it."""
    hsil, normal = ([n for n, label in enumerate(truth) if label is one] for one in (H, N))
    psi = np.array([[[(x[i] > x[j]) + 0.5 * (x[i] == x[j]) for j in normal] for i in hsil] for x in scores])
    of_hsil, of_normal = psi.mean(axis=2), psi.mean(axis=1)
    covariance = np.cov(of_hsil) / len(hsil) + np.cov(of_normal) / len(normal)
    return psi.mean(axis=(1, 2)), np.atleast_2d(covariance)


@pytest.mark.skipif(not VAN_DYKE.exists(), reason="the ratings of Van Dyke et al. 1993 do not lie beside the checkout")
@pytest.mark.parametrize(
    ("reader", "areas", "bounds", "z", "p"),
    [
        (1, (0.9196457, 0.9478261), (0.8609737, 0.9783178), 1.111081, 0.266533),
        (2, (0.8587762, 0.9053140), (0.7879401, 0.9296123), 1.780089, 0.075061),
        (3, (0.9038647, 0.9217391), (0.8488026, 0.9589269), 0.576101, 0.564547),
        (4, (0.9731079, 0.9993559), (0.9393544, 1.0000000), 1.528343, 0.126427),
        (5, (0.8297907, 0.9299517), (0.7485346, 0.9110467), 2.287716, 0.022154),
    ],
)
def test_delong_agrees_with_proc(
    reader: int, areas: tuple[float, float], bounds: tuple[float, float], z: float, p: float
) -> None:
    readings = van_dyke(reader)
    found = delong(*readings)
    assert (found.auc_first, found.auc_second) == pytest.approx(areas, abs=6e-8)
    assert found.z == pytest.approx(z, abs=6e-7)
    assert found.p == pytest.approx(p, abs=6e-7)
    alone = delong_interval(readings.truth, readings.first)
    assert (alone.low, alone.high) == pytest.approx(bounds, abs=6e-8)


@given(scored)
def test_delong_is_that_of_every_pair(rows: list[tuple[bool, int, int]]) -> None:
    truth = [H if flag else N for flag, _, _ in rows]
    first, second = [float(x) for _, x, _ in rows], [float(y) for _, _, y in rows]
    found, alone = delong(truth, first, second), delong_interval(truth, first)
    if len(set(truth)) < 2:
        assert astuple(found) == (None,) * 8
        assert astuple(alone) == (None,) * 3
        return
    assert found.auc_first == alone.auc == pytest.approx(auc(truth, first))
    assert found.auc_second == pytest.approx(auc(truth, second))
    assert found.difference == pytest.approx(found.auc_second - found.auc_first)  # type: ignore[operator]
    if min(truth.count(H), truth.count(N)) < 2:
        assert (found.z, found.p, found.low, alone.low) == (None,) * 4
        return
    areas, covariance = slow_delong(truth, first, second)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    if variance < 1e-12:
        assert (found.low, found.high, found.z, found.p) == (None,) * 4
    else:
        z = (areas[1] - areas[0]) / np.sqrt(variance)
        assert found.z == pytest.approx(z, abs=1e-9)
        assert found.p == pytest.approx(2 * norm.cdf(-abs(z)), abs=1e-9)
        half = 1.959963985 * np.sqrt(variance)
        bounds = max(-1, areas[1] - areas[0] - half), min(1, areas[1] - areas[0] + half)
        assert (found.low, found.high) == pytest.approx(bounds, abs=1e-9)
    if covariance[0, 0] < 1e-12:
        assert (alone.low, alone.high) == (None, None)
    else:
        half = 1.959963985 * np.sqrt(covariance[0, 0])
        assert (alone.low, alone.high) == pytest.approx((max(0, areas[0] - half), min(1, areas[0] + half)), abs=1e-9)


def test_delong_by_hand() -> None:
    # HSIL 3, 2 against normal 1, 2: placements of the HSIL 1 and 0.75, of the normal 1 and 0.75; area 0.875.
    truth = [H, H, N, N]
    found = delong_interval(truth, [3.0, 2.0, 1.0, 2.0])
    error = np.sqrt(0.03125 / 2 + 0.03125 / 2)
    assert found.auc == 0.875
    assert (found.low, found.high) == (pytest.approx(0.875 - 1.959963985 * error), 1.0)


def test_swapped_scores_swap_the_sign_and_the_order_of_cases_does_not_matter() -> None:
    chance = np.random.default_rng(0)
    labels, probs = cohort(50, 1.0, chance, seeds=2)
    found, swapped = delong(labels, *probs.tolist()), delong(labels, *probs[::-1].tolist())
    assert (swapped.difference, swapped.z, swapped.p) == pytest.approx((-found.difference, -found.z, found.p))  # type: ignore[operator]
    assert (swapped.low, swapped.high) == pytest.approx((-found.high, -found.low))  # type: ignore[operator]
    order = chance.permutation(50)
    turned = delong([labels[n] for n in order], *probs[:, order].tolist())
    assert astuple(turned) == pytest.approx(astuple(found))
    # Only the order of the scores counts.
    assert astuple(delong(labels, (3 * probs[0] - 9).tolist(), (probs[1] ** 3).tolist())) == astuple(found)


def test_delong_without_variance_claims_nothing() -> None:
    truth, perfect = [H, H, H, N, N], [0.9, 0.8, 0.7, 0.2, 0.1]
    same = delong(truth, perfect, [0.6, 0.5, 0.4, 0.3, 0.2])
    assert astuple(same) == (1.0, 1.0, 0.0, *[None] * 5)
    turned = delong(truth, [1 - x for x in perfect], perfect)
    assert astuple(turned) == (0.0, 1.0, 1.0, *[None] * 5)
    assert astuple(delong_interval(truth, perfect)) == (1.0, None, None)
    assert astuple(delong_interval(truth, [0.5] * 5)) == (0.5, None, None)
    assert astuple(delong([], [], [])) == (None,) * 8
    with pytest.raises(ValueError, match="2 cases, but 2 and 1 scores"):
        delong([H, N], [0.1, 0.2], [0.1])
    with pytest.raises(ValueError, match="2 cases, but 1 scores"):
        delong_interval([H, N], [0.1])
