from colpo_core.records.models.cards import (
    CONTROLS,
    DISTRIBUTIONS,
    calibration_curves,
    differences,
    estimate_or_none,
    figure_text,
    leaks,
    mask_distributions,
    pair_name,
    paired_differences,
    roc_curves,
)
from tests.support.cards import ARMS, LEAK, PAIRS, new_card, old_card


def test_the_papers_protocol_leaks_whatever_the_card_says() -> None:
    assert leaks(new_card()) == ()
    assert leaks(old_card()) == ()
    assert leaks(new_card(leaks=[LEAK])) == (LEAK,)
    assert "both sides" in leaks(new_card(protocol="paper"))[0]


def test_a_pair_is_named_by_its_arms_second_first() -> None:
    card = new_card()
    assert [pair_name(card, pair) for pair in differences(card)] == [
        f"{ARMS[second]} − {ARMS[first]}" for first, second in PAIRS
    ]
    assert differences(old_card()) == []
    assert set(CONTROLS) == set(ARMS)


def test_a_patient_is_the_mean_over_her_images_with_a_lesion() -> None:
    def row(patient_id: int, dice: float | None) -> dict[str, object]:
        return {"patient_id": patient_id, "figures": dict.fromkeys(DISTRIBUTIONS, dice)}

    block = {"by_image": [row(1, 0.2), row(1, 0.6), row(1, None), row(2, 0.9), row(3, None)]}
    panels = mask_distributions(block)
    assert [panel.title for panel in panels] == list(DISTRIBUTIONS.values())
    assert {(panel.images, panel.patients, panel.mean) for panel in panels} == {((0.2, 0.6, 0.9), (0.4, 0.9), None)}


def test_images_without_a_lesion_are_in_no_distribution() -> None:
    panels = mask_distributions(new_card()["metrics"]["segmentation"])
    assert [(len(panel.images), len(panel.patients)) for panel in panels] == [(12, 5)] * 3


def test_each_curve_is_named_with_its_figure_and_interval() -> None:
    metrics = new_card()["metrics"]
    for curves, figure in ((roc_curves(metrics, "case"), "AUC"), (calibration_curves(metrics, "case"), "Brier")):
        named = [curve.name for curve in curves if not curve.is_before]
        for name, network in zip(named, ("3 channels", "4 channels"), strict=True):
            assert name.startswith(f"{network}: {figure}")
            assert " to " in name


def test_a_calibration_curve_has_an_interval_at_each_point_and_the_one_before_it_none() -> None:
    curves = calibration_curves(new_card()["metrics"], "case")
    assert [curve.is_before for curve in curves] == [False, True] * 2
    for curve in curves:
        assert len(curve.shares) == (0 if curve.is_before else len(curve.points))
        assert [share.value for share in curve.shares] == [y for _, y in curve.points if not curve.is_before]


def test_every_pair_is_in_every_figure_of_the_comparison() -> None:
    card = new_card()
    pairs = [pair_name(card, pair) for pair in differences(card)]
    assert len(pairs) == 5
    panels = paired_differences(card)
    assert list(panels) == ["AUC", "Accuracy", "Sensitivity", "Specificity"]
    assert all([row.name for row in rows] == pairs for rows in panels.values())


def test_an_older_card_gives_what_it_has() -> None:
    card = old_card()
    metrics = card["metrics"]
    assert estimate_or_none(metrics["segmentation"], "kappa") is None
    assert figure_text(metrics["segmentation"], "kappa") == "not known"
    assert mask_distributions(metrics["segmentation"]) == ()
    assert roc_curves(metrics, "case") == calibration_curves(metrics, "case") == ()
    assert paired_differences(card) == {}
