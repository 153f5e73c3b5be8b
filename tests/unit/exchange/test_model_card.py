import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from colpo_core.exchange.model_card import About, ExternalLook, PromotionLine, model_card_html
from tests.support.cards import LEAK, VERDICT, WORSE, new_card, old_card

ABOUT = About(
    name="model-1",
    snapshot_name="spring",
    labels="labels by histology",
    by_impression=False,
    simulated=False,
    is_current=True,
)
VOID = {"meta", "br"}


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def whole() -> str:
    return model_card_html(new_card(), about=ABOUT)


def test_the_file_stands_alone(whole: str) -> None:
    assert "http" not in whole
    for tag in ("<script", "<link", "<img", "@import", "url(h"):
        assert tag not in whole
    page = Balanced()
    page.feed(whole)
    page.close()
    assert page.open == []
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
    assert "15 of 48 test images had an expert&#x27;s mask." in whole


def test_no_figure_stands_without_its_interval(whole: str) -> None:
    cells = re.findall("<td>([+-]?[0-9]+[.][0-9]+%? .*?|[+-]?[0-9]+[.][0-9]+%)</td>", whole)
    assert len(cells) > 120
    for cell in cells:
        assert re.search(r"\(.*( to |no interval: |image )", cell), cell


def test_every_block_is_marked() -> None:
    about = replace(ABOUT, labels="labels by impression, not histology", by_impression=True, simulated=True)
    told = model_card_html(new_card(leaks=[LEAK]), about=about)
    n_marked = told.count("<span class='mark leaks'>LEAKS</span>")
    assert n_marked == told.count("<span class='mark simulated'>SIMULATED</span>") > 8
    assert n_marked == told.count("<span class='mark impression'>labels by impression, not histology</span>")
    assert told.count("labels by impression, not histology · LEAKS · SIMULATED</text>") == 4
    assert LEAK in told


def test_an_old_card_says_that_it_is_not_calibrated_and_a_new_one_for_which_share() -> None:
    told = model_card_html(old_card(), about=ABOUT)
    assert told.count("<span class='mark uncalibrated'>NOT CALIBRATED</span>") > 8
    assert "not calibrated for a clinic&#x27;s share of HSIL" in told
    assert "train again for the evidence in black bars and rim" in told
    told = model_card_html(new_card(), about=ABOUT)
    assert "NOT CALIBRATED" not in told
    assert "calibrated for a share of HSIL of 27.0%, that of the 100 images" in told
    assert "3 channels, before the calibration" in told
    assert "Evidence for normal in the black bars" in told


def test_what_is_sound_is_not_marked(whole: str) -> None:
    assert "LEAKS" not in whole
    assert "SIMULATED" not in whole


def test_names_are_escaped() -> None:
    wild = "<script>alert('x')</script>"
    look = ExternalLook(wild, 2, "2026-11-25 03:00", wild, "labels by histology", False, False, new_card()["metrics"])
    about = replace(
        ABOUT, name=wild, snapshot_name=wild, looks=[look], promotions=[PromotionLine("now", wild, wild, (wild,))]
    )
    told = model_card_html(new_card(limits=[wild]), about=about)
    assert "<script" not in told
    assert told.count("&lt;script&gt;") == 9
    assert ", look 2</h3>" in told


def test_an_older_card_says_what_is_missing() -> None:
    told = model_card_html(old_card(), about=ABOUT)
    assert told.count("This model was trained by an earlier version; train again for") == 9
    assert "<svg" not in told
    assert "It was not compared with another model." in told
