from hypothesis import given
from hypothesis import strategies as st

from colpo_core.records.models.cards import (
    CONTROLS,
    DISTRIBUTIONS,
    differences,
    estimate_or_none,
    figure_text,
    leaks,
    pair_name,
    signed_text,
    spread_by,
)
from colpo_core.records.statistics.figures import Estimate
from tests.support.cards import ARMS, LEAK, PAIRS, new_card, old_card


def test_a_difference_has_its_sign_its_interval_and_its_patients() -> None:
    assert signed_text(Estimate(0.031, -0.02, 0.08, 12, 20)) == "+0.03 (-0.02 to +0.08; 12 patients)"
    assert signed_text(Estimate(-0.1, None, None, 3, 3)) == "-0.10 (no interval: 3 patients)"
    assert signed_text(Estimate(None, None, None, 0, 0)) == "not defined (0 patients)"


@given(st.floats(-1, 1), st.floats(0, 1), st.integers(1, 999))
def test_no_value_is_told_without_what_stands_behind_it(value: float, half: float, n_patients: int) -> None:
    for found in (
        Estimate(value, value - half, value + half, n_patients, 1),
        Estimate(value, None, None, n_patients, 1),
    ):
        text = signed_text(found)
        assert text.endswith(f"{n_patients} patients)")
        assert " to " in text or "no interval" in text


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
        return {"patient_id": patient_id, "figures": {"dice": dice}}

    block = {"by_image": [row(1, 0.2), row(1, 0.6), row(1, None), row(2, 0.9), row(3, None)]}
    assert spread_by(block, "dice", patients=False) == [0.2, 0.6, 0.9]
    assert spread_by(block, "dice", patients=True) == [0.4, 0.9]


def test_an_older_card_gives_what_it_has() -> None:
    block = old_card()["metrics"]["segmentation"]
    assert estimate_or_none(block, "kappa") is None
    assert figure_text(block, "kappa") == "not known"
    known = {name: len(spread_by(block, name, patients=False)) for name in DISTRIBUTIONS}
    assert known == {"iou_acetowhite": 4, "dice": 0, "hd95_percent": 0}
    assert spread_by(block, "iou_acetowhite", patients=True) == []
