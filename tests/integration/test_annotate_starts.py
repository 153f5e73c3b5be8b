"""The annotation page without a browser: what a mask starts from, its versions, and the masks of others."""

import json
from typing import Any

from colpo_core.images.masks import decode_rle
from colpo_core.services.annotations import own_masks
from colpo_core.services.common import preferences
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import Image
from colpo_core.terms import Stage, Start
from tests.support.annotate_pages import editor_of, paint, shown
from tests.support.app_pages import OpenPage, button, labels, press
from tests.support.clinic import PredictedClinic
from tests.support.handed_out import image_of

HEIGHT, WIDTH = 24, 32


def open_starts(app: Any) -> Any:
    app.session_state["annotate_start"] = True
    return app.run()


def columns_of(caller: Caller, image_id: int) -> int:
    """How many columns my mask in the making covers."""
    rle = own_masks.open_annotation(caller, image_id=image_id).rle
    return int(decode_rle(rle, height_px=HEIGHT, width_px=WIDTH).any(axis=0).sum())


def test_a_mask_starts_from_nothing_a_version_or_another_s(
    open_page: OpenPage, annotator: Caller, administrator: Caller, image_id: int
) -> None:
    first = paint(annotator, image_id, 4)
    paint(annotator, image_id, 8)
    other = paint(administrator, image_id, 12)
    app = open_page(annotator, "annotate", image=image_id)
    assert "An empty mask" not in labels(app)
    app = press(open_starts(app), "An empty mask")
    assert columns_of(annotator, image_id) == 0
    assert json.loads(editor_of(app))["load"] == 1
    for version_id, columns in ((first, 4), (other, 12)):
        app = open_starts(app)
        app = app.button(key=f"start_{version_id}").click().run()
        assert columns_of(annotator, image_id) == columns
    assert "Started from the mask of Ada" in app.success[0].value
    opened = own_masks.open_annotation(annotator, image_id=image_id)
    assert opened.start is Start.OTHER_VERSION


def test_a_mask_starts_from_another_image_of_the_case(
    store: Store, open_page: OpenPage, annotator: Caller, add_case: Any
) -> None:
    case_id = add_case()
    image_id = image_of(store, case_id)
    with store.writing() as session:
        first = session.get_one(Image, image_id)
        second = Image(case_id=case_id, sha256="f" * 64, media_type="image/png", stage=Stage.LUGOL)
        second.width_px, second.height_px, second.shows_cervix = 64, 48, True
        assert first.stage is Stage.ACETIC_ACID
        session.add(second)
        session.flush()
        other_id = second.id
    paint(annotator, image_id, 8)
    app = open_starts(open_page(annotator, "annotate", image=other_id))
    assert "press T" in shown(app)
    strip = next(one for one in app.get("bidi_component") if f'"/colpo/images/{image_id}/thumbnail"' in one.proto.json
                 and "25.0%" in one.proto.json)  # fmt: skip
    assert strip is not None


def test_the_model_s_proposal_is_offered_or_refused_with_its_reason(
    open_page: OpenPage, annotator: Caller, administrator: Caller
) -> None:
    predicted = PredictedClinic(administrator)
    image_id = predicted.cases[1].image_id
    app = open_starts(open_page(annotator, "annotate", image=image_id))
    assert "model\\-1" in shown(app)
    app = press(app, "The model's proposal")
    assert own_masks.open_annotation(annotator, image_id=image_id).start is Start.PROPOSAL
    preferences.set_proposals(administrator, allowed=False)
    app = open_starts(app)
    assert "switched the model's proposals off" in shown(app)
    assert button(app, "The model's proposal").disabled


def test_versions_say_how_they_were_made_and_are_compared_and_restored(
    open_page: OpenPage, annotator: Caller, image_id: int
) -> None:
    first, second = paint(annotator, image_id, 8), paint(annotator, image_id, 4, note="narrower *here*")
    app = open_page(annotator, "annotate", image=image_id)
    said = shown(app)
    assert "from version 1, 50% kept, 0% added · 3 strokes · 1\u00a0min 01\u00a0s" in said
    assert "based on 1" in said
    assert "narrower \\*here\\*" in said
    assert button(app, "Tick two to compare").disabled
    for version_id in (first, second):
        app.checkbox(key=f"compare_{version_id}").set_value(True)
    app = press(app.run(), "Compare the two")
    assert "Dice **0.667**" in shown(app)
    assert any(f"/versions/{first}/compare/{second}.png" in one.proto.json for one in app.get("bidi_component"))
    app = press(app, "Back to painting")
    assert editor_of(app)
    app = app.button(key=f"restore_{first}").click().run()
    assert "Restored as version 3" in app.success[0].value
    assert columns_of(annotator, image_id) == 8


def test_another_s_mask_is_shown_while_painting_only_on_request(
    open_page: OpenPage, annotator: Caller, administrator: Caller, image_id: int
) -> None:
    other = paint(administrator, image_id, 12)
    app = open_page(annotator, "annotate", image=image_id)
    assert json.loads(editor_of(app))["references"] == []
    app = app.toggle(key=f"seen_{other}").set_value(True).run()
    references = json.loads(editor_of(app))["references"]
    assert [(one["title"], one["url"].split("?")[0]) for one in references] == [
        ("Ada", f"/colpo/annotations/versions/{other}/mask.png")
    ]
