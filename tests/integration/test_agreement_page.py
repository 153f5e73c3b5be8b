"""The agreement page without a browser: figures with their doubt, one image with all masks, and the decision."""

import numpy as np
import pytest

from colpo_core.images.masks import encode_rle
from colpo_core.services.agreement.adjudication import list_adjudications
from colpo_core.services.agreement.overview import image_agreement
from colpo_core.services.annotations import own_masks
from colpo_core.services.common.callers import Caller
from colpo_core.terms import AdjudicationMethod
from tests.support.app_pages import OpenPage, labels, press, words_of
from tests.support.handed_out import hand_out_spring
from tests.support.several_annotators import submit

HEIGHT, WIDTH = 24, 32


def paint(caller: Caller, image_id: int, columns: slice) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[4:12, columns] = True
    submit(caller, image_id, mask)


@pytest.fixture
def painted_twice(annotator: Caller, berta: Caller, image_id: int) -> int:
    """An image on which Berta has outlined more than Anna."""
    paint(annotator, image_id, slice(5, 15))
    paint(berta, image_id, slice(5, 25))
    return image_id


def test_figures_carry_their_doubt(open_page: OpenPage, administrator: Caller, painted_twice: int) -> None:
    app = open_page(administrator, "agreement")
    values = {metric.label: metric.value for metric in app.metric}
    assert values["Dice"] == "0.67"
    assert values["IoU"] == "0.50"
    assert values["95% Hausdorff distance"] == "10.0 px"
    assert values["Cohen's kappa of pixels"] == "0.61"
    assert "no interval: 1 patient" in words_of(app)
    assert "1 image of 1 patient that" in words_of(app)


def test_a_decision_is_taken_and_told(open_page: OpenPage, administrator: Caller, painted_twice: int) -> None:
    app = open_page(administrator, "agreement", image=str(painted_twice))
    assert "Not decided" in words_of(app)
    versions = image_agreement(administrator, image_id=painted_twice).versions
    app = app.button(key=f"take_{versions[1].version_id}").click().run()
    assert "Decided: the mask of Berta counts" in words_of(app)
    decision = list_adjudications(administrator)[0]
    assert decision.method is AdjudicationMethod.TAKEN
    assert decision.sources == tuple(version.version_id for version in versions)


def test_a_taken_mask_is_marked_and_waits_no_more(
    open_page: OpenPage, administrator: Caller, painted_twice: int
) -> None:
    app = press(open_page(administrator, "agreement"), "Decide: 1 image")
    assert app.query_params["image"] == str(painted_twice)
    assert labels(app).count("Take") == 2
    app = press(app, "Take")
    assert labels(app).count("Take") == 1
    assert "Counts" in words_of(app)
    app = press(app, "Overview")
    assert not [label for label in labels(app) if label.startswith("Decide")]


def test_a_link_from_a_task_lists_its_images_until_another_choice(
    open_page: OpenPage, administrator: Caller, annotator: Caller, berta: Caller, image_id: int
) -> None:
    task_id = hand_out_spring(administrator, annotator, berta)
    paint(annotator, image_id, slice(5, 15))
    paint(berta, image_id, slice(5, 25))
    app = open_page(administrator, "agreement", task=str(task_id))
    assert app.selectbox[1].value == task_id
    app = press(press(app, "Decide: 1 image"), "Overview")
    assert app.selectbox[1].value == task_id
    app = app.selectbox[1].set_value(0).run()
    assert app.selectbox[1].value == 0
    app = press(press(app, "Decide: 1 image"), "Overview")
    assert app.selectbox[1].value == 0


def test_a_mix_opens_the_editor_with_everybody_beside_it(
    open_page: OpenPage, administrator: Caller, annotator: Caller, berta: Caller, image_id: int
) -> None:
    paint(annotator, image_id, slice(5, 15))
    paint(berta, image_id, slice(10, 25))
    app = open_page(administrator, "agreement", image=str(image_id))
    app = press(app, "Intersection")
    assert "then press Adjudicate" in words_of(app)
    assert "Back to the masks" in labels(app)
    draft = own_masks.open_annotation(administrator, image_id=image_id)
    wanted = np.zeros((HEIGHT, WIDTH), np.bool_)
    wanted[4:12, 10:15] = True
    assert draft.rle == encode_rle(wanted)
    app = press(app, "Back to the masks")
    assert "Intersection" in labels(app)


def test_an_annotator_of_the_image_may_not_decide(open_page: OpenPage, annotator: Caller, painted_twice: int) -> None:
    app = open_page(annotator, "agreement", image=str(painted_twice))
    assert "Take" not in labels(app)
    assert "Intersection" not in labels(app)


def test_a_blind_task_hides_fellow_masks_here_too(
    open_page: OpenPage, administrator: Caller, annotator: Caller, berta: Caller, image_id: int
) -> None:
    hand_out_spring(administrator, annotator, berta)
    paint(berta, image_id, slice(5, 25))
    app = open_page(annotator, "agreement", image=str(image_id))
    assert "hidden from you" in words_of(app)
    assert "Berta" not in words_of(app)
    app = open_page(annotator, "agreement")
    assert "No image has masks of two annotators yet" in words_of(app)


def test_an_address_that_names_no_image_leads_back(open_page: OpenPage, administrator: Caller) -> None:
    app = open_page(administrator, "agreement", image="77")
    assert "There is no image 77." in words_of(app)
    assert "Back to the overview" in labels(app)
