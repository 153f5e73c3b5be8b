"""Review of predictions: what the model sees, how sure it is and why; agree or overrule."""

import streamlit as st

from colpo_core.errors import Blinding
from colpo_core.records.overview.worklist import many_text
from colpo_core.records.review.reviews import ReviewDesk, ReviewNext
from colpo_core.records.snapshots.snapshots import label_source_text
from colpo_core.services.common.stored_images import get_image
from colpo_core.services.models import predicting
from colpo_core.services.review import desk as review
from pages._ui.cases.pdf_button import offer_page
from pages._ui.jobs.live import prediction_progress
from pages._ui.review.calls import show_calls
from pages._ui.review.images import show_image, show_maps, show_sites
from pages._ui.review.reasons import show_reasons
from pages._ui.review.verdict import show_reference, show_verdict
from pages._ui.shared.badges import model_badges
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import count_text
from pages._ui.shared.links import asked_row, link
from pages._ui.shared.words import stage_text


def render() -> None:
    """Draw the page."""
    ctx = page_context()
    st.title("Review")
    with showing_errors():
        prediction_progress()
        queue = review.next_for_review(ctx.caller)
        try:
            prediction_id = _asked_for(ctx, queue)
            if prediction_id is None:
                _nothing_to_show(queue)
                return
            desk = review.open_review(ctx.caller, prediction_id=prediction_id)
        except Blinding as why:
            _kept_back(str(why), queue)
            return
        _desk(ctx, desk)


def _asked_for(ctx: PageContext, queue: ReviewNext) -> int | None:
    """The prediction or the image that the address names, else the first prediction that waits."""
    prediction = asked_row("prediction", choose_from="cases")
    image = None if prediction is not None else asked_row("image", choose_from="cases")
    if prediction is not None:
        return prediction
    if image is not None:
        record = review.find_prediction(ctx.caller, image_id=image)
        if record is None:
            _offer_prediction(ctx, image, is_possible=queue.checkpoint_name is not None)
            st.stop()
        return record.id
    return queue.prediction_id


def _offer_prediction(ctx: PageContext, image_id: int, *, is_possible: bool) -> None:
    image = get_image(ctx.caller, image_id=image_id)
    if not image.is_readable:
        st.info(
            f"Image {image_id} gets no prediction: a model reads images after acetic acid that show the cervix, and "
            f"this one is marked otherwise ({stage_text(image)}). Correct its mark on the case's page if it is wrong.",
            icon=":material/block:",
        )
        link("cases", "Open the case", icon=":material/folder_shared:", case=image.case_id)
        return
    st.info(f"Image {image_id} has no prediction yet.", icon=":material/hourglass_empty:")
    if is_possible:
        st.button("Predict it now", icon=":material/play_arrow:", type="primary", on_click=_predict, args=(image_id,))
    else:
        link("models", "Promote a model first", icon=":material/deployed_code:")


@showing_errors()
def _predict(image_id: int) -> None:
    predicting.start_prediction(page_context().caller, image_ids=[image_id])


def _nothing_to_show(queue: ReviewNext) -> None:
    if queue.checkpoint_name is None:
        st.info("No model is promoted yet: there is nothing to review.", icon=":material/deployed_code:")
        link("models", "Go to the models", icon=":material/arrow_forward:")
    elif queue.n_kept_back:
        images = count_text(queue.n_kept_back, "image")
        them = "it" if queue.n_kept_back == 1 else "them"
        _kept_back(
            f"You have reviewed every prediction that you may see. Of {images} your task keeps the model's output back "
            f"until you have submitted or skipped {them}.",
            queue,
        )
    else:
        st.success("You have reviewed every prediction of the current model.", icon=":material/task_alt:")
        link("home", "Back to my worklist", icon=":material/home:")


def _kept_back(why: str, queue: ReviewNext) -> None:
    st.info(why, icon=":material/visibility_off:")
    if queue.prediction_id is not None:
        link("review", "Review one that I may see", icon=":material/fact_check:", prediction=queue.prediction_id)
    link("home", "Back to my worklist", icon=":material/home:")


def _desk(ctx: PageContext, desk: ReviewDesk) -> None:
    prediction = desk.prediction
    _head(ctx, desk)
    for problem in desk.problems:
        st.warning(f"{problem} Or predict the image again.", icon=":material/broken_image:")
    image_side, verdict = st.columns([5, 3], gap="large")
    with image_side:
        show_image(ctx, desk)
        show_sites(desk)
    with verdict:
        show_calls(prediction)
        show_verdict(ctx, desk)
        show_reference(ctx, desk)
    show_maps(ctx, desk)
    show_reasons(ctx, desk)


def _head(ctx: PageContext, desk: ReviewDesk) -> None:
    prediction = desk.prediction
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**{prediction.patient_code}** · case {prediction.case_id} · image {prediction.image_id}", width="content"
        )
        model_badges(prediction.all_marks)
        st.space("stretch")
        offer_page(ctx, prediction.case_id)
        st.caption(f"{many_text(desk.waiting)} waiting", width="content")
        st.button(
            "Next",
            icon=":material/skip_next:",
            shortcut="N",
            on_click=_show,
            args=(desk.next_id,),
            disabled=desk.next_id is None,
        )
    st.caption(f"{prediction.checkpoint_name} · {label_source_text(prediction.label_source)}")


def _show(prediction_id: int) -> None:
    st.query_params.pop("image", None)
    st.query_params["prediction"] = str(prediction_id)
