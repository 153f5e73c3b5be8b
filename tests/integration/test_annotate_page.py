"""The annotation page without a browser: what it shows and what its buttons do."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from colpo_core.images.masks import encode_rle
from colpo_core.records.images import ImageRecord
from colpo_core.records.people import Actor
from colpo_core.services import annotations
from colpo_core.services.opening import program_actor
from colpo_core.store import Store
from colpo_core.store.tables import Image
from colpo_core.terms import AnnotationState, Finding, MaskOrigin, Stage
from pages._ui.annotating.biopsies import drawing_of, points_of

HEIGHT, WIDTH = 24, 32
Open = Callable[..., Any]


def image_of(store: Store, case_id: int) -> int:
    with store.reading() as session:
        return session.scalars(select(Image.id).where(Image.case_id == case_id)).one()


def import_guess(store: Store, image_id: int) -> int:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[4 : 8 + image_id, 5:20] = True
    return annotations.import_annotation(
        store, actor=program_actor(store, "importer"), image_id=image_id, mask=mask, origin=MaskOrigin.CHORD
    )


def shown(app: Any) -> str:
    said = [str(item.value) for kind in ("title", "header", "markdown", "caption") for item in app.get(kind)]
    return "\n".join([*said, *(box.label for box in app.checkbox)])


def editor_of(app: Any) -> str:
    """What the mask editor was given, as JSON."""
    return next(
        str(one.proto.json)
        for one in app.get("bidi_component")
        if '"layers"' in one.proto.json and '"answer"' in one.proto.json
    )


def asked_image(app: Any) -> str:
    asked = app.query_params["image"]
    return asked if isinstance(asked, str) else asked[0]


def press(app: Any, label: str) -> Any:
    return next(button for button in app.button if button.label == label).click().run()


def test_an_empty_clinic_says_what_to_do(open_page: Open, annotator: Actor) -> None:
    app = open_page(annotator, "annotate")
    assert not app.exception
    assert "No image waits for a mask" in shown(app)


def test_the_next_image_comes_by_itself(store: Store, open_page: Open, annotator: Actor, add_case: Any) -> None:
    add_case(stage=Stage.NATIVE)
    first, second = (image_of(store, add_case(simulated=True)) for _ in range(2))
    app = open_page(annotator, "annotate")
    assert not app.exception
    assert asked_image(app) == str(first)
    assert "Acetic acid" in shown(app)
    assert "SIMULATED" in shown(app)
    app = press(app, "Next image")
    assert asked_image(app) == str(second)


@pytest.mark.parametrize("asked", ["999", "-1", "x", "²", "1" * 30])
def test_an_image_that_is_not_there_is_said(open_page: Open, annotator: Actor, asked: str) -> None:
    app = open_page(annotator, "annotate", image=asked)
    assert not app.exception
    assert len(app.error) == 1
    assert "Choose one from the" in app.error[0].value


def test_the_mask_never_goes_through_the_page(store: Store, open_page: Open, annotator: Actor, add_case: Any) -> None:
    image_id = image_of(store, add_case())
    app = open_page(annotator, "annotate", image=image_id)
    sent = json.loads(editor_of(app))
    assert [layer["finding"] for layer in sent["layers"]] == [finding.value for finding in Finding]
    assert sent["layers"][0]["document_id"] == f"i{image_id}-p{annotator.person_id}-acetowhite_epithelium"
    assert sent["active"] == "acetowhite_epithelium"
    assert "rle" not in editor_of(app)


def test_submitting_asks_for_exactly_the_saved_mask(
    store: Store, open_page: Open, annotator: Actor, add_case: Any
) -> None:
    from pages._ui.annotating import deeds
    from pages._ui.here import Here
    from pages._ui.mask_editor import MaskSubmission

    image_id = image_of(store, add_case())
    opened = annotations.open_annotation(store, actor=annotator, image_id=image_id)
    code = encode_rle(np.eye(HEIGHT, WIDTH, dtype=np.bool_))
    annotations.save_draft(store, actor=annotator, document_id=opened.document_id, base_seq=0, rle=code)
    here = Here(store=store, actor=annotator, token="")
    names = {opened.document_id: "Acetowhite epithelium"}
    deeds.submit(here, [MaskSubmission(opened.document_id, 0, "")], names)
    assert annotations.submitted_masks(store, actor=annotator, image_id=image_id) == ()
    deeds.submit(here, [MaskSubmission(opened.document_id, 1, "a note")], names)
    assert len(annotations.submitted_masks(store, actor=annotator, image_id=image_id)) == 1
    app = open_page(annotator, "annotate", image=image_id)
    assert "Version 1" in shown(app)
    assert "a note" in shown(app)


def test_guesses_are_confirmed_one_after_the_other(
    store: Store, open_page: Open, annotator: Actor, add_case: Any
) -> None:
    first, second = (image_of(store, add_case()) for _ in range(2))
    for image_id in (first, second):
        import_guess(store, image_id)
    app = open_page(annotator, "annotate", image=first)
    assert not app.exception
    assert "a straight line joins its two ends" in shown(app)
    app = press(app, "Confirm")
    assert asked_image(app) == str(second)
    assert app.success[0].value == "Confirmed: training may use this mask"
    app = press(app, "Reject this mask")
    assert not app.exception
    assert annotations.list_to_confirm(store, actor=annotator).total == 0
    assert len(annotations.submitted_masks(store, actor=annotator, image_id=first)) == 1
    assert annotations.submitted_masks(store, actor=annotator, image_id=second) == ()


def test_a_correction_opens_the_editor(store: Store, open_page: Open, annotator: Actor, add_case: Any) -> None:
    image_id = image_of(store, add_case())
    import_guess(store, image_id)
    app = press(open_page(annotator, "annotate", image=image_id), "Correct it")
    assert not app.exception
    mine = annotations.open_annotation(store, actor=annotator, image_id=image_id)
    assert (mine.changed, mine.state) == (True, AnnotationState.DRAFT)
    assert editor_of(app)


def test_a_settled_guess_is_said(store: Store, open_page: Open, annotator: Actor, add_case: Any) -> None:
    image_id = image_of(store, add_case())
    annotation_id = import_guess(store, image_id)
    app = open_page(annotator, "annotate", image=image_id)
    annotations.confirm_annotation(store, actor=annotator, annotation_id=annotation_id)
    app = press(app, "Confirm")
    assert not app.exception
    assert "somebody settled it before you" in app.error[0].value


def test_biopsy_points_have_their_canvas(store: Store, open_page: Open, annotator: Actor, add_case: Any) -> None:
    image_id = image_of(store, add_case())
    annotations.save_biopsy_points(store, actor=annotator, image_id=image_id, points=[(3.0, 4.0)])
    app = open_page(annotator, "annotate", image=image_id)
    app.session_state[f"annotate_mode_{image_id}"] = "Biopsy points"
    app.run()
    assert not app.exception
    assert "x 3, y 4 px" in shown(app)
    canvas = next(element for element in app.get("bidi_component") if "canvasWidth" in element.proto.json)
    assert f"/colpo/images/{image_id}" in canvas.proto.json


def test_points_come_back_from_the_canvas_as_they_went() -> None:
    image = ImageRecord(1, 1, "0" * 64, "image/png", 640, 480, Stage.ACETIC_ACID, None, True, False)
    from colpo_core.records.annotations import BiopsyPointRecord

    points = (BiopsyPointRecord(1, 12.5, 30.0), BiopsyPointRecord(2, 640.0, 0.0))
    back = points_of(drawing_of(points, 1.7), image, 1.7)
    assert np.allclose(back, [(12.5, 30.0), (640.0, 0.0)])
    moved = drawing_of(points, 1.7)
    moved["objects"][0].update(left=-50.0, top=5000.0, scaleX=2.0)
    assert points_of(moved, image, 1.7)[0] == (0.0, 480.0)
