import json
from dataclasses import asdict

from colpo_core.evaluation.calibration import brier_estimate, ece_estimate, reliability
from colpo_core.evaluation.intervals import exact_share
from colpo_core.evaluation.probabilities import Judged, probability_figures
from colpo_core.evaluation.roc import roc_points
from colpo_core.terms import Label

N, H = Label.NORMAL, Label.HSIL


def test_independent_rows_have_exact_intervals() -> None:
    figures = probability_figures(
        [Judged(n, n, H if n < 4 else N, 0.9 if n in (0, 1, 2, 5) else 0.1) for n in range(10)], threshold=0.5
    )
    assert not figures.clustered
    assert figures.sensitivity == exact_share(3, 4)
    assert figures.specificity == exact_share(5, 6)
    assert figures.ppv == exact_share(3, 4)
    assert figures.npv == exact_share(5, 6)
    assert figures.accuracy == exact_share(8, 10)
    assert (figures.n, figures.n_patients) == (10, 10)


def test_several_images_of_a_patient_widen_the_intervals() -> None:
    rows = [Judged(n // 10, n, H if n // 10 < 4 else N, 0.9 if n // 10 in (0, 1, 5) else 0.1) for n in range(80)]
    figures = probability_figures(rows, threshold=0.5)
    plain = exact_share(figures.accuracy.k, figures.accuracy.n)
    assert figures.clustered
    assert figures.accuracy.value == plain.value
    assert figures.accuracy.low < plain.low  # type: ignore[operator]
    assert figures.accuracy.high > plain.high  # type: ignore[operator]


def test_all_right_in_few_patients_does_not_claim_certainty() -> None:
    figures = probability_figures(
        [Judged(n // 2, n, H if n < 4 else N, 0.9 if n < 4 else 0.1) for n in range(8)], threshold=0.5
    )
    assert figures.sensitivity.value == 1.0
    assert figures.sensitivity.low < 0.7  # type: ignore[operator]
    assert figures.auc.value == 1.0
    assert figures.auc.low is None


def test_figures_can_be_written_as_json_even_when_empty() -> None:
    figures = probability_figures([], threshold=0.5)
    assert figures.n == 0
    assert (figures.brier.value, figures.ece.value, figures.reliability, figures.roc) == (None, None, (), ())
    assert json.loads(json.dumps(asdict(figures), allow_nan=False))["accuracy"]["value"] is None


def test_figures_hold_calibration_and_the_curve() -> None:
    rows = [Judged(n, n, H if n % 3 == 0 else N, (n + 0.5) / 24) for n in range(24)]
    figures = probability_figures(rows, threshold=0.5, seed=7, resamples=50)
    assert figures.brier == brier_estimate(rows)
    assert figures.ece == ece_estimate(rows, seed=7, resamples=50)
    assert figures.reliability == reliability(rows)
    assert figures.roc == roc_points([row.label for row in rows], [row.prob_hsil for row in rows])
    written = json.loads(json.dumps(asdict(figures), allow_nan=False))
    assert written["reliability"][0]["observed"]["n"] == 12
    assert written["roc"][-1] == [1.0, 1.0]
