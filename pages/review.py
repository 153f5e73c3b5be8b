"""Predictions: what the model sees, how sure it is, what spoke for its call; agree or overrule."""

import pandas as pd
import streamlit as st

from colpo_core.errors import Blinding
from colpo_core.labels import GRADE_NAMES
from colpo_core.records.checkpoints import PredictionRecord, ReviewDesk, ReviewQueue, label_source_text
from colpo_core.records.explanations import MapInMask
from colpo_core.services import jobs, review
from colpo_core.terms import Label, LabelSource, Verdict
from pages._ui.badges import impression_badge, simulated_badge
from pages._ui.errors import showing_errors
from pages._ui.here import Here, here
from pages._ui.jobs import prediction_progress
from pages._ui.links import link
from pages._ui.tables import as_when, count_text
from pages._ui.viewer import Layer, image_viewer

_MAPS = {
    "3ch-normal": "3 channels, for normal",
    "3ch-hsil": "3 channels, for HSIL",
    "4ch-normal": "4 channels, for normal",
    "4ch-hsil": "4 channels, for HSIL",
}


def render() -> None:
    """Draw the page."""
    person = here()
    st.title("Review")
    with showing_errors():
        prediction_progress()
        queue = review.list_for_review(person.store, actor=person.actor)
        try:
            prediction_id = _asked_for(person, queue)
            if prediction_id is None:
                _nothing_to_show(queue)
                return
            desk = review.open_review(person.store, actor=person.actor, prediction_id=prediction_id)
        except Blinding as why:
            _kept_back(str(why), queue)
            return
        _desk(person, desk)


def _asked_for(person: Here, queue: ReviewQueue) -> int | None:
    """The prediction of the address, else that of the image of the address, else the first that waits."""
    prediction, image = st.query_params.get("prediction", ""), st.query_params.get("image", "")
    if prediction.isdigit():
        return int(prediction)
    if image.isdigit():
        found = review.find_prediction(person.store, actor=person.actor, image_id=int(image))
        if found is None:
            _offer_prediction(int(image), is_possible=queue.checkpoint_name is not None)
            st.stop()
        return found.id
    return queue.rows[0].id if queue.rows else None


def _offer_prediction(image_id: int, *, is_possible: bool) -> None:
    st.info(f"Image {image_id} has no prediction yet.", icon=":material/hourglass_empty:")
    if is_possible:
        st.button("Predict it now", icon=":material/play_arrow:", type="primary", on_click=_predict, args=(image_id,))
    else:
        link("models", "Promote a model first", icon=":material/deployed_code:")


def _predict(image_id: int) -> None:
    person = here()
    with showing_errors():
        jobs.start_prediction(person.store, actor=person.actor, image_ids=[image_id])


def _nothing_to_show(queue: ReviewQueue) -> None:
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


def _kept_back(why: str, queue: ReviewQueue) -> None:
    st.info(why, icon=":material/visibility_off:")
    if queue.rows:
        link("review", "Review one that I may see", icon=":material/fact_check:", prediction=queue.rows[0].id)
    link("home", "Back to my worklist", icon=":material/home:")


def _desk(person: Here, desk: ReviewDesk) -> None:
    found = desk.prediction
    _head(desk)
    picture, verdict = st.columns([5, 3], gap="large")
    with picture:
        image_viewer(
            "review_viewer",
            f"/colpo/images/{found.image_id}",
            _layers(person, desk),
            height_px=430,
        )
    with verdict:
        _calls(found)
        _verdict(person, desk)
        _reference(person, desk)
    _maps(person, desk)


def _layers(person: Here, desk: ReviewDesk) -> list[Layer]:
    """The model's mask, then its maps; the annotated mask after my verdict."""
    found = desk.prediction
    layers = [Layer("Acetowhite epithelium", f"/colpo/predictions/{found.id}/mask.png", opacity=0.55)]
    if desk.expert_version_id is not None and _has_verdict(person, desk):
        url = f"/colpo/annotations/versions/{desk.expert_version_id}/mask.png?colour=amber"
        layers.append(Layer(f"Mask of {desk.expert}", url, visible=False, opacity=0.55))
    return layers + [
        Layer(f"Grad-CAM, {title}", f"/colpo/predictions/{found.id}/maps/{name}.png", visible=False, opacity=0.7)
        for name, title in _MAPS.items()
        if desk.map_strengths[name] > 0
    ]


def _has_verdict(person: Here, desk: ReviewDesk) -> bool:
    return any(one.reviewer_id == person.actor.person_id for one in desk.reviews)


def _head(desk: ReviewDesk) -> None:
    found = desk.prediction
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{found.patient_code}** · case {found.case_id} · image {found.image_id}", width="content")
        if found.simulated or found.checkpoint_simulated:
            simulated_badge()
        if found.label_source is LabelSource.IMPRESSION:
            impression_badge()
        st.space("stretch")
        st.caption(f"{desk.waiting} waiting", width="content")
        st.button(
            "Next",
            icon=":material/skip_next:",
            shortcut="N",
            on_click=_show,
            args=(desk.next_id,),
            disabled=desk.next_id is None,
        )
    st.caption(f"{found.checkpoint_name} · {label_source_text(found.label_source)}")


def _calls(found: PredictionRecord) -> None:
    four, three = st.columns(2)
    for column, name, prob, threshold, call in (
        (four, "4 channels", found.prob_hsil_4ch, found.threshold_4ch, found.call_4ch),
        (three, "3 channels", found.prob_hsil_3ch, found.threshold_3ch, found.call_3ch),
    ):
        is_hsil = call is Label.HSIL
        column.metric(
            f"HSIL, {name}",
            f"{prob:.0%}",
            delta=f"calls {call.value}",
            delta_color="red" if is_hsil else "green",
            delta_arrow="off",
            border=True,
            help=f"Calls hsil from {threshold:.0%}, the threshold frozen at training.",
        )
    st.caption(
        f"Calls hsil from {found.threshold_4ch:.0%} (4 channels) and {found.threshold_3ch:.0%} (3 channels). "
        f"Acetowhite epithelium covers {found.acetowhite_fraction:.1%} of the image."
    )


def _verdict(person: Here, desk: ReviewDesk) -> None:
    mine = next((one for one in desk.reviews if one.reviewer_id == person.actor.person_id), None)
    prediction_id = desk.prediction.id
    with st.container(border=True):
        if mine is not None:
            word = "You agreed" if mine.verdict is Verdict.AGREE else "You overruled"
            st.markdown(f"**{word}.** {mine.reason}")
        st.button(
            "Agree",
            icon=":material/check:",
            shortcut="A",
            type="primary" if mine is None else "secondary",
            on_click=_enter,
            args=(prediction_id, Verdict.AGREE),
            width="stretch",
        )
        reason = st.text_input(
            "Why overrule",
            key=f"reason_{prediction_id}",
            placeholder="Mask covers the reflection, not the lesion",
            max_chars=2000,
        )
        st.button(
            "Overrule",
            icon=":material/close:",
            on_click=_enter,
            args=(prediction_id, Verdict.OVERRULE),
            help=None if reason else "Write the reason first.",
            width="stretch",
        )


def _enter(prediction_id: int, verdict: Verdict) -> None:
    person = here()
    reason = st.session_state.get(f"reason_{prediction_id}", "") if verdict is Verdict.OVERRULE else ""
    with showing_errors():
        review.record_review(
            person.store, actor=person.actor, prediction_id=prediction_id, verdict=verdict, reason=reason
        )
        st.query_params["prediction"] = str(prediction_id)


def _show(prediction_id: int) -> None:
    st.query_params.pop("image", None)
    st.query_params["prediction"] = str(prediction_id)


def _reference(person: Here, desk: ReviewDesk) -> None:
    """The case's histology: open after my verdict, shut before it, so that it does not sway me."""
    has_verdict = _has_verdict(person, desk)
    reference = desk.reference
    with st.expander("Histology of the case", icon=":material/biotech:", expanded=has_verdict):
        if reference.label is None:
            st.markdown(f"No label: {reference.reason}")
        else:
            grade = f" · {GRADE_NAMES[reference.grade]}" if reference.grade else ""
            st.markdown(f"**{reference.label.value}**{grade}")
            st.caption(reference.reason)
        if reference.flagged:
            st.warning("Needs a clinician's attention.", icon=":material/priority_high:")
        link("cases", "Open the case", icon=":material/folder_shared:", case=desk.prediction.case_id)
    if desk.reviews:
        with st.expander(f"Verdicts ({len(desk.reviews)})", icon=":material/history:"):
            for one in desk.reviews:
                st.markdown(f"{as_when(one.at)} · {one.reviewer} · **{one.verdict.value}** {one.reason}")


def _maps(person: Here, desk: ReviewDesk) -> None:
    found = desk.prediction
    st.subheader("What spoke for each call (Grad-CAM)")
    for column, (name, title) in zip(st.columns(4), _MAPS.items(), strict=True):
        with column:
            st.markdown(f"**{title}**")
            strength = desk.map_strengths[name]
            layer = Layer("Map", f"/colpo/predictions/{found.id}/maps/{name}.png", opacity=0.7)
            layers = [layer] if strength > 0 else []
            image_viewer(f"map_{name}", f"/colpo/images/{found.image_id}", layers, height_px=210)
            st.caption(f"Peak {strength:.0%} of this network's strongest" if layers else "No positive evidence")
    st.html(
        "<div style='display:flex;align-items:center;gap:.6rem;font-size:.85rem'><span>least evidence</span>"
        f"<span style='flex:0 0 14rem;height:.7rem;border-radius:.3rem;background:{review.MAP_SCALE}'></span>"
        "<span>most of this network</span></div>"
    )
    st.caption("The two maps of one network share one scale. A map shows where evidence lay, not whether it was right.")
    _evidence(person, desk)


def _evidence(person: Here, desk: ReviewDesk) -> None:
    """How much of each map lies in the masks; beside an annotated one after my verdict, so that it sways nobody."""
    has_verdict = _has_verdict(person, desk)
    sides = [("In the model's mask", desk.in_model_mask)]
    if desk.in_expert_mask is not None and has_verdict:
        sides.append((f"In the mask of {desk.expert}", desk.in_expert_mask))
    rows = [
        {"": title, **{_MAPS[name]: _inside(found.maps.get(name)) for name in _MAPS}, "Area": f"{found.area:.0%}"}
        for title, found in sides
        if found is not None
    ]
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="review_evidence")
        st.caption(
            "Share of each map's evidence inside the mask, and whether its highest place lies there. A map that "
            "prefers no place has the mask's area."
        )


def _inside(found: MapInMask | None) -> str:
    return "no evidence" if found is None else f"{found.energy:.0%}{', peak inside' if found.is_hit else ''}"
