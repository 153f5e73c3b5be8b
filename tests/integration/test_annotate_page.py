"""The annotation page without a browser: what it shows and what its buttons do."""

import json
from typing import Any

import numpy as np
import pytest

from colpo_core.images.masks import encode_rle
from colpo_core.records.annotations import BiopsyPointRecord
from colpo_core.records.cases.images import ImageRecord
from colpo_core.services.annotations import biopsy_points, confirmation, own_masks
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.terms import AnnotationState, Finding, MaskDoubt, Stage
from pages._ui.annotations import actions
from pages._ui.annotations.biopsies import drawing_of, points_of
from pages._ui.annotations.mask_questions import MaskQuestion
from pages._ui.components.mask_editor import MaskSubmission
from pages._ui.shared.context import PageContext
from tests.support.annotate_pages import editor_of, import_guess, shown
from tests.support.app_pages import OpenPage, button, press, query_of
from tests.support.handed_out import image_of

HEIGHT, WIDTH = 24, 32


def test_the_next_image_comes_by_itself(store: Store, open_page: OpenPage, annotator: Caller, add_case: Any) -> None:
    add_case(stage=Stage.NATIVE)
    first, second = (image_of(store, add_case(simulated=True)) for _ in range(2))
    app = open_page(annotator, "annotate")
    assert query_of(app, "image") == str(first)
    assert "Acetic acid" in shown(app)
    assert "SIMULATED" in shown(app)
    app = press(app, "Next image")
    assert query_of(app, "image") == str(second)


@pytest.mark.parametrize("asked", ["999", "-1", "x", "²", "1" * 30])
def test_an_image_that_is_not_there_is_said(open_page: OpenPage, annotator: Caller, asked: str) -> None:
    app = open_page(annotator, "annotate", image=asked)
    assert len(app.error) == 1
    assert "Choose one from the" in app.error[0].value


def test_the_mask_never_goes_through_the_page(open_page: OpenPage, annotator: Caller, image_id: int) -> None:
    app = open_page(annotator, "annotate", image=image_id)
    sent = json.loads(editor_of(app))
    assert [layer["finding"] for layer in sent["layers"]] == [finding.value for finding in Finding]
    assert sent["layers"][0]["document_id"] == f"i{image_id}-p{annotator.person_id}-acetowhite_epithelium"
    assert sent["active"] == "acetowhite_epithelium"
    assert "rle" not in editor_of(app)


def test_submitting_asks_for_exactly_the_saved_mask(open_page: OpenPage, annotator: Caller, image_id: int) -> None:
    opened = own_masks.open_annotation(annotator, image_id=image_id)
    code = encode_rle(np.eye(HEIGHT, WIDTH, dtype=np.bool_))
    own_masks.save_draft(annotator, document_id=opened.document_id, base_seq=0, rle=code)
    here = PageContext(annotator)
    names = {opened.document_id: "Acetowhite epithelium"}
    actions.submit(here, [MaskSubmission(opened.document_id, 0, "")], names)
    assert own_masks.submitted_masks(annotator, image_id=image_id) == ()
    actions.submit(here, [MaskSubmission(opened.document_id, 1, "a note")], names)
    assert len(own_masks.submitted_masks(annotator, image_id=image_id)) == 1
    app = open_page(annotator, "annotate", image=image_id)
    assert "Version 1" in shown(app)
    assert "a note" in shown(app)


def test_nothing_acetowhite_is_one_press(open_page: OpenPage, annotator: Caller, images: list[int]) -> None:
    first, second = images[:2]
    app = press(open_page(annotator, "annotate"), "Nothing acetowhite here")
    assert query_of(app, "image") == str(second)
    (made,) = own_masks.submitted_masks(annotator, image_id=first)
    assert (made.absence_confirmed, made.area_px) == (True, 0)
    assert f"nothing acetowhite on image {first}" in app.success[0].value
    app = open_page(annotator, "annotate", image=first)
    assert "none there" in shown(app)
    assert button(app, "Confirmed: nothing acetowhite").disabled


def test_submitting_an_empty_mask_asks_first(open_page: OpenPage, annotator: Caller, image_id: int) -> None:
    opened = own_masks.open_annotation(annotator, image_id=image_id)
    question = MaskQuestion(
        MaskSubmission(opened.document_id, 0, ""), "Acetowhite epithelium", MaskDoubt.EMPTY, "Is there none?"
    )
    app = open_page(annotator, "annotate", image=image_id)
    app.session_state[actions.QUESTIONS] = (question,)
    app = app.run()
    assert "not submitted yet" in shown(app)
    app = press(app, "Not painted yet")
    assert "not submitted yet" not in shown(app)
    app.session_state[actions.QUESTIONS] = (question,)
    app = press(app.run(), "There is none: no acetowhite epithelium")
    (made,) = own_masks.submitted_masks(annotator, image_id=image_id)
    assert made.absence_confirmed


def test_many_images_are_confirmed_from_their_thumbnails(
    store: Store, open_page: OpenPage, annotator: Caller, add_case: Any
) -> None:
    image_ids = [image_of(store, add_case()) for _ in range(3)]
    app = open_page(annotator, "annotate", unmarked=1)
    assert "Images without a lesion" in shown(app)
    assert "3 images" in shown(app)
    app = press(app, "Choose all on this page")
    app = press(app, "Nothing acetowhite on 3 images")
    assert "Confirmed: nothing acetowhite on 3 images." in app.success[0].value
    for image_id in image_ids:
        (made,) = own_masks.submitted_masks(annotator, image_id=image_id)
        assert made.absence_confirmed
    assert "confirmed to show nothing acetowhite" in app.info[0].value


def test_guesses_are_confirmed_one_after_the_other(
    store: Store, open_page: OpenPage, annotator: Caller, images: list[int]
) -> None:
    first, second = images[:2]
    for image_id in (first, second):
        import_guess(store, image_id)
    app = open_page(annotator, "annotate", image=first)
    assert "a straight line joins its two ends" in shown(app)
    app = press(app, "Confirm")
    assert query_of(app, "image") == str(second)
    assert app.success[0].value == "Confirmed: training may use this mask"
    app = press(app, "Reject this mask")
    assert confirmation.list_to_confirm(annotator).total == 0
    assert len(own_masks.submitted_masks(annotator, image_id=first)) == 1
    assert own_masks.submitted_masks(annotator, image_id=second) == ()


def test_a_correction_opens_the_editor(store: Store, open_page: OpenPage, annotator: Caller, image_id: int) -> None:
    import_guess(store, image_id)
    app = press(open_page(annotator, "annotate", image=image_id), "Correct it")
    mine = own_masks.open_annotation(annotator, image_id=image_id)
    assert (mine.changed, mine.state) == (True, AnnotationState.DRAFT)
    assert editor_of(app)


def test_a_settled_guess_is_said(store: Store, open_page: OpenPage, annotator: Caller, image_id: int) -> None:
    annotation_id = import_guess(store, image_id)
    app = open_page(annotator, "annotate", image=image_id)
    confirmation.confirm_annotation(annotator, annotation_id=annotation_id)
    app = press(app, "Confirm")
    assert "somebody settled it before you" in app.error[0].value


def test_biopsy_points_have_their_canvas(open_page: OpenPage, annotator: Caller, image_id: int) -> None:
    biopsy_points.save_biopsy_points(annotator, image_id=image_id, points=[(3.0, 4.0)])
    app = open_page(annotator, "annotate", image=image_id)
    app.session_state[f"annotate_mode_{image_id}"] = "Biopsy points"
    app.run()
    assert "x 3, y 4 px" in shown(app)
    canvas = next(element for element in app.get("bidi_component") if "canvasWidth" in element.proto.json)
    assert f"/colpo/images/{image_id}" in canvas.proto.json


def test_points_come_back_from_the_canvas_as_they_went() -> None:
    image = ImageRecord(1, 1, "0" * 64, "image/png", 640, 480, Stage.ACETIC_ACID, None, True, False)
    points = (BiopsyPointRecord(1, 12.5, 30.0), BiopsyPointRecord(2, 640.0, 0.0))
    back = points_of(drawing_of(points, 1.7), image, 1.7)
    assert np.allclose(back, [(12.5, 30.0), (640.0, 0.0)])
    moved = drawing_of(points, 1.7)
    moved["objects"][0].update(left=-50.0, top=5000.0, scaleX=2.0)
    assert points_of(moved, image, 1.7)[0] == (0.0, 480.0)


def test_all_findings_are_submitted_together_and_a_refusal_keeps_the_rest(
    annotator: Caller, image_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: dict[str, Any] = {}
    monkeypatch.setattr("streamlit.session_state", said)
    names, asked = {}, []
    for finding in (Finding.ACETOWHITE, Finding.MOSAIC, Finding.CERVIX):
        opened = own_masks.open_annotation(annotator, image_id=image_id, finding=finding)
        names[opened.document_id] = finding.value
        code = encode_rle(np.eye(HEIGHT, WIDTH, dtype=np.bool_))
        own_masks.save_draft(annotator, document_id=opened.document_id, base_seq=0, rle=code)
        asked.append(MaskSubmission(opened.document_id, 1 if finding is not Finding.MOSAIC else 7, ""))
    actions.submit(PageContext(annotator), asked, names)
    text, is_error = said[actions.SAID]
    assert is_error
    assert text.startswith(
        "Submitted: acetowhite_epithelium, version 1 and cervix_outline, version 1. Not submitted: mosaic. The stored"
    )
    assert len(own_masks.submitted_masks(annotator, image_id=image_id)) == 2
    actions.submit(PageContext(annotator), [MaskSubmission(asked[1].document_id, 1, "")], names)
    assert said[actions.SAID] == ("Version 1 submitted: mosaic.", False)


@pytest.mark.parametrize("mode", ["Compare stages", "Case form"])
def test_the_case_is_at_hand(open_page: OpenPage, annotator: Caller, image_id: int, mode: str) -> None:
    app = open_page(annotator, "annotate", image=image_id)
    app.session_state[f"annotate_mode_{image_id}"] = mode
    app.run()
    assert not app.error
    if mode == "Compare stages":
        assert "nothing to compare it with" in app.info[0].value
    else:
        assert app.tabs[0].label.endswith("Findings")
