"""The page Models by its sections, for a card of this version, one that leaks, and one of an earlier version."""

from typing import Any

import pytest

from colpo_core.records.models.checkpoints import PromotionChecks
from colpo_core.services.common.callers import Caller
from colpo_core.services.models import promotion_checks, promotions
from colpo_core.services.models import registry as models_registry
from colpo_core.services.snapshots import external_sets
from colpo_core.store.tables import Checkpoint, Evaluation, Prediction, Snapshot
from colpo_core.terms import LabelSource, Split
from pages._ui.shared.markdown import plain
from tests.support.app_pages import OpenPage, labels, press, words_of, write
from tests.support.cards import LEAK, VERDICT, WORSE, new_card, old_card
from tests.support.clinic import PredictedClinic

SECTIONS = (
    "Calls",
    "Masks",
    "Evidence",
    "Did the mask help?",
    "Repeatability",
    "Against the current model",
    "External test sets",
)


@pytest.fixture
def new_model(desk: PredictedClinic) -> int:
    """A checkpoint beside the current one, with a card of this version."""
    return add(desk, new_card())


def add(desk: PredictedClinic, card: dict[str, Any], name: str = "model-2") -> int:
    checkpoint_id = desk.add_checkpoint(name, None)
    with desk.store.writing() as session:
        session.get_one(Checkpoint, checkpoint_id).card = card
    return checkpoint_id


@pytest.fixture
def open_card(desk: PredictedClinic, annotator: Caller, open_page: OpenPage) -> OpenPage:
    """Opens the page for an annotator on a new model with a card."""
    return lambda card: open_page(annotator, "models", checkpoint=add(desk, card))


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints whose files are not there count as whole."""
    monkeypatch.setattr("colpo_core.services.models.files.verify_files", lambda _store, _checkpoint: None)


def section(app: Any, name: str) -> Any:
    return app.segmented_control(key="models_section").set_value(name).run()


def tables_of(app: Any) -> str:
    return "\n".join(one.value.to_string() for kind in (app.table, app.dataframe) for one in kind)


def test_all_sections_of_a_new_card(open_card: OpenPage) -> None:
    app = open_card(new_card())
    n_charts = []
    for name in SECTIONS:
        section(app, name)
        assert not app.error, name
        assert "earlier version" not in words_of(app), name
        n_charts.append(len(app.get("plotly_chart")))
    assert n_charts == [3, 1, 0, 1, 0, 0, 0]
    section(app, "Calls")
    assert "HSIL is called at a probability of **0.500** (3 channels)" in words_of(app)
    assert "Calibration error (ECE)" in tables_of(app)
    section(app, "Evidence")
    assert "Evidence for HSIL inside the annotated mask" in tables_of(app)
    assert "resnet.fc" in tables_of(app)
    assert "stay alike" not in words_of(app)
    section(app, "Did the mask help?")
    assert VERDICT in words_of(app)
    assert "15 of 48 test images had an expert's mask. Each arm was trained 2 times" in words_of(app)
    assert "A fourth channel without content" in tables_of(app)
    section(app, "Against the current model")
    assert WORSE in words_of(app)
    assert "8 images left out" in words_of(app)


def test_validation_is_told_to_flatter(open_card: OpenPage) -> None:
    app = open_card(new_card())
    assert "flatter the model" not in words_of(app)
    app.segmented_control(key="models_side").set_value(Split.VALIDATION).run()
    assert "The thresholds were chosen on these cases: the figures flatter the model." in words_of(app)


def test_every_block_of_a_model_that_leaks_says_so(open_card: OpenPage) -> None:
    app = open_card(new_card(leaks=[LEAK]))
    n_marks = []
    for name in SECTIONS[:-1]:
        section(app, name)
        n_marks.append(sum("LEAKS" in str(one.value) for one in app.markdown))
    assert n_marks == [6, 6, 4, 4, 3, 2], "one beside the model's name, and one for each block"
    assert LEAK in words_of(app)


def test_an_older_card_says_what_to_train_again_for(open_card: OpenPage) -> None:
    app = open_card(old_card())
    told = {}
    for name in SECTIONS:
        section(app, name)
        assert not app.error, name
        told[name] = words_of(app).count("This model was trained by an earlier version; train again for")
    assert told == dict(zip(SECTIONS, (3, 2, 1, 1, 1, 1, 0), strict=True))


def test_maps_that_do_not_change_when_the_model_forgets_are_warned_of(open_card: OpenPage) -> None:
    card = new_card()
    card["metrics"]["forgetting"]["4ch"][-1]["similarity"] = 0.8
    card["metrics"]["evidence"]["n_images"] = 0
    app = section(open_card(card), "Evidence")
    assert "the maps of 4 channels stay alike (correlation 0.80)" in words_of(app)
    assert "No test image has an annotated lesion" in words_of(app)


def test_flips_lead_to_their_case(desk: PredictedClinic, annotator: Caller, open_page: OpenPage) -> None:
    card = new_card()
    flip = {"case_id": 2, "low_image_id": 2, "low_prob": 0.1, "high_image_id": 3, "high_prob": 0.9}
    for network in ("3ch", "4ch"):
        card["metrics"]["repeatability"][network]["flips"] = [flip]
    app = section(open_page(annotator, "models", checkpoint=add(desk, card)), "Repeatability")
    assert "0.10 (image 2)" in tables_of(app)
    card["metrics"]["repeatability"] |= {
        network: card["metrics"]["repeatability"][network] | {"n_cases": 0} for network in ("3ch", "4ch")
    }
    app = section(open_page(annotator, "models", checkpoint=add(desk, card, "model-3")), "Repeatability")
    assert "No test case has two images or more" in words_of(app)


def test_each_look_at_an_external_set_is_numbered(
    new_model: int, administrator: Caller, annotator: Caller, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = section(open_page(annotator, "models", checkpoint=new_model), "External test sets")
    assert "No patients are kept as an external test set yet." in words_of(app)
    with administrator.store.writing() as session:
        kept = Snapshot(
            name="kept", sha256="7" * 64, label_source=LabelSource.HISTOLOGY, rules_version="r", seed=0,
            counts={"patients": {"total": 24}}, created_by=administrator.person_id, external=True)  # fmt: skip
        session.add(kept)
        session.flush()
        for _ in range(2):
            session.add(
                Evaluation(
                    checkpoint_id=new_model, snapshot_id=kept.id, metrics=new_card()["metrics"],
                    created_by=administrator.person_id)
            )  # fmt: skip
    monkeypatch.setattr(external_sets, "seen_by", lambda *_args, **_options: ("The training saw patient 3.",))
    app = section(open_page(annotator, "models", checkpoint=new_model), "External test sets")
    assert [one.label for one in app.expander if "look" in one.label] == ["kept · look 2", "kept · look 1"]
    words = words_of(app)
    assert "The training saw patient 3." in words
    assert "Each look is counted and stays in the record" in words
    assert "24 cases of 24 patients · labels by histology" in words
    assert "Look at this set" in labels(app)


@pytest.mark.usefixtures("verified", "placed")
def test_doubts_stand_before_the_button_and_are_overruled_in_writing(
    new_model: int, administrator: Caller, annotator: Caller, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = PromotionChecks((WORSE,), ("Whether it looks at the rim.",))
    for place in (promotion_checks, promotions):
        monkeypatch.setattr(place, "check_promotion", lambda *_args, **_options: checks)
    app = open_page(annotator, "models", checkpoint=new_model)
    assert plain(WORSE) in [one.value for one in app.warning]
    assert "Whether it looks at the rim" in words_of(app)
    assert not app.text_area, "only an administrator may overrule"
    app = open_page(administrator, "models", checkpoint=new_model)
    write(app, "Reason", "better masks")
    press(app, "Promote")
    assert app.error
    current = models_registry.current_checkpoint(administrator.store)
    assert current
    assert current.name == "model-1"
    app.text_area[0].set_value("Three cases only; two of us looked at them.")
    press(app, "Promote")
    assert "model-2 is the current model" in words_of(app)
    assert f"Overruled: {plain(WORSE)}" in words_of(app)


def test_without_doubts_nothing_is_overruled(
    desk: PredictedClinic, administrator: Caller, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promotion_checks, "check_promotion", lambda *_args, **_options: PromotionChecks())
    card = new_card()
    card["metrics"]["against_current"] = None
    app = open_page(administrator, "models", checkpoint=add(desk, card))
    assert not app.text_area
    assert "Nothing speaks against it." in words_of(app)
    section(app, "Against the current model")
    assert "No model was current when this one was trained." in words_of(app)


def test_the_card_can_be_had_as_a_file(open_card: OpenPage) -> None:
    app = open_card(new_card())
    labels = [one.proto.label for one in app.get("download_button")]
    assert labels == ["Model card (HTML)", "Model card (JSON)"]


def test_two_models_are_compared_and_the_cases_that_flipped_are_named(
    desk: PredictedClinic, annotator: Caller, open_page: OpenPage, placed: list[int]
) -> None:
    second = add(desk, new_card())
    app = section(open_page(annotator, "models", checkpoint=second), "Compare")
    assert "was predicted by both" in words_of(app)
    press(app, "Predict what is missing")
    assert len(placed) == 1
    for case in desk.cases[:2]:
        with desk.store.writing() as session:
            session.get_one(Prediction, desk.predict(case.image_id, second)).prob_hsil_4ch = 0.3
    app = section(open_page(annotator, "models", checkpoint=second), "Compare")
    assert "1 became right, 1 became wrong" in words_of(app)
    assert "became WRONG" in tables_of(app)
    assert "Area under the ROC curve" in tables_of(app)


def test_one_model_alone_has_nothing_to_be_compared_with(
    desk: PredictedClinic, annotator: Caller, open_page: OpenPage
) -> None:
    app = section(open_page(annotator, "models"), "Compare")
    assert "no other model" in words_of(app)


def test_models_names_the_label_source_beside_every_figure_and_promotes(
    desk: PredictedClinic, administrator: Caller, open_page: OpenPage, verified: None, placed: list[int]
) -> None:
    newer = desk.add_checkpoint("model-2", None)
    app = open_page(administrator, "models", checkpoint=newer)
    words = words_of(app)
    assert "Labels by impression (Swede score ≥ 5), not histology" in words
    assert "BY IMPRESSION, NOT HISTOLOGY" in words
    assert "For research. It is not a medical device." in words
    press(app, "Promote")
    assert "Say why" in words_of(app)
    write(app, "Reason", "higher sensitivity")
    press(app, "Promote")
    assert "Its labels are colposcopic impressions, not histology" in words_of(app)
    overrule = next(field for field in app.text_area if field.label == "Overrule in writing")
    overrule.set_value("histology is on its way")
    press(app, "Promote")
    current = models_registry.current_checkpoint(desk.store)
    assert current is not None
    assert current.id == newer
    assert "model-2 is the current model" in words_of(app)
    assert len(placed) == 1


def test_models_lets_nobody_but_an_administrator_promote(
    administrator: Caller, annotator: Caller, open_page: OpenPage
) -> None:
    newer = PredictedClinic(administrator).add_checkpoint("model-2", None)
    app = open_page(annotator, "models", checkpoint=newer)
    assert "An administrator can make this" in words_of(app)
    assert "Promote" not in labels(app)
