import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from colpo_core.exchange.model_card import model_card_html
from colpo_core.records.models.checkpoints import CheckpointRecord, EvaluationRecord, PromotionChecks, PromotionRecord
from colpo_core.terms import LabelSource
from tests.support.cards import LEAK, VERDICT, WORSE, new_card, old_card
from tests.support.markup import check_balanced

AT = datetime(2026, 11, 25, 3, tzinfo=UTC)
MODEL = CheckpointRecord(
    id=1,
    name="model-1",
    sha256="c" * 64,
    snapshot_id=1,
    snapshot_name="spring",
    job_id=None,
    label_source=LabelSource.HISTOLOGY,
    simulated=False,
    card=new_card(),
    created_at=AT,
    promoted_at=AT,
    is_current=True,
)
OLD = replace(MODEL, card=old_card())


@pytest.fixture(scope="module")
def whole() -> str:
    return model_card_html(MODEL)


def test_the_file_stands_alone(whole: str) -> None:
    assert "http" not in whole
    for tag in ("<script", "<link", "<img", "@import", "url(h"):
        assert tag not in whole
    check_balanced(whole)
    assert whole.count("<svg") == 4


def test_it_says_all_in_the_clinicians_order(whole: str) -> None:
    titles = re.findall("<h2>(.*?)</h2>", whole)
    assert titles == [
        "Limits",
        "Calls",
        "Masks",
        "Where the evidence lies",
        "Did the mask help?",
        "Repeatability",
        "Against the current model",
        "External test sets",
        "What it learned from",
        "Settings",
    ]
    assert VERDICT in whole
    assert WORSE in whole
    assert "15 of 48 test images had an expert's mask." in " ".join(whole.split())


def test_no_figure_stands_without_its_interval(whole: str) -> None:
    cells = re.findall("<td>([+-]?[0-9]+[.][0-9]+%? .*?|[+-]?[0-9]+[.][0-9]+%)</td>", whole)
    assert len(cells) > 120
    for cell in cells:
        assert re.search(r"\(.*( to |no interval: |image )", cell), cell


def test_every_block_is_marked() -> None:
    about = {"label_source": LabelSource.IMPRESSION, "simulated": True, "card": new_card(leaks=[LEAK])}
    told = model_card_html(replace(MODEL, **about))
    n_marked = told.count("<span class='mark leaks'>LEAKS</span>")
    assert n_marked == told.count("<span class='mark simulated'>SIMULATED</span>") > 8
    assert n_marked == told.count(
        "<span class='mark impression'>labels by impression (Swede score ≥ 5), not histology</span>"
    )
    assert told.count("labels by impression (Swede score ≥ 5), not histology · LEAKS · SIMULATED</text>") == 4
    assert LEAK in told


def test_an_old_card_says_that_it_is_not_calibrated_and_a_new_one_for_which_share() -> None:
    told = model_card_html(OLD)
    assert told.count("<span class='mark uncalibrated'>NOT CALIBRATED</span>") > 8
    assert "not calibrated for a clinic&#39;s share of HSIL" in told
    assert "train again for the evidence in black bars and rim" in told
    told = model_card_html(MODEL)
    assert "NOT CALIBRATED" not in told
    assert "calibrated for a share of HSIL of 27.0%, that of the 100 images" in told
    assert "3 channels, before the calibration" in told
    assert "Evidence for normal in the black bars" in told


def test_what_is_sound_is_not_marked(whole: str) -> None:
    assert "LEAKS" not in whole
    assert "SIMULATED" not in whole


def test_names_are_escaped() -> None:
    wild = "<script>alert('x')</script>"
    look = EvaluationRecord(
        1, 1, 1, wild, LabelSource.HISTOLOGY, simulated=False, metrics=MODEL.card["metrics"], created_by=wild,
        created_at=AT, look=2,
    )  # fmt: skip
    told = model_card_html(
        replace(MODEL, name=wild, snapshot_name=wild, card=new_card(limits=[wild])),
        looks=[look],
        promotions=[PromotionRecord(1, 1, wild, wild, wild, AT, (wild,))],
        checks=PromotionChecks((wild,), (wild,)),
    )
    assert "<script" not in told
    assert told.count("&lt;script&gt;") == 11
    assert ", look 2</h3>" in told


def test_an_older_card_says_what_is_missing() -> None:
    told = model_card_html(OLD)
    assert told.count("This model was trained by an earlier version; train again for") == 9
    assert "<svg" not in told
    assert "It was not compared with another model." in told
