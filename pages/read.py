"""A reader's blinded session: one image, two calls, a confidence, and no going back."""

from urllib.parse import quote

import streamlit as st

from colpo_core.errors import ColpoError, SessionWaits
from colpo_core.records.statistics.number_texts import percent_texts
from colpo_core.records.studies.reading_plans import ASKED_FINDINGS, MOST_POINTS
from colpo_core.records.studies.readings import AidShown, AssignedStudy, Presented
from colpo_core.services.studies import presenting, readings
from colpo_core.terms import Label, Role
from pages._ui.components.answer import answer_panel, given_answer
from pages._ui.components.viewer import Layer, Mark, image_viewer
from pages._ui.shared.badges import model_badges, simulated_badge
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_when
from pages._ui.shared.links import go, link, row_or_none
from pages._ui.shared.markdown import plain
from pages._ui.shared.words import FINDINGS, STAGES

_ANSWER = "reading_answer"
_REFUSAL = "reading_refusal"
_ATTEMPT = "reading_attempt"
_FEEDBACK = "reading_feedback"
_POINTS = "reading_points"
_SETTING = "reading_sets_points"
_POINT_COLOUR = "#1f4fa3"
_HEIGHT_PX = 640
_WORDS = {Label.NORMAL: "normal", Label.HSIL: "HSIL"}


def render() -> None:
    """Draw the page."""
    ctx = page_context()
    if ctx.caller.actor.role is not Role.READER:
        st.title("Read", anchor=False)
        st.info("Only readers read, so that whoever knows the answers does not. Sign in as a reader to see this page.")
        link("studies", "Reading studies", icon=":material/science:")
        return
    with showing_errors():
        study_id = row_or_none("study", digits=9)
        if study_id is None:
            _waiting_studies(ctx)
        else:
            _read(study_id)


def _waiting_studies(ctx: PageContext) -> None:
    st.title("Read", anchor=False)
    studies = presenting.assigned_studies(ctx.caller)
    if not studies:
        st.info("Nothing waits to be read. You will find a study here when an administrator opens one for you.")
        return
    st.caption("You see one image after the other, in an order of your own. An answer is final.")
    for study in studies:
        _study_card(study)


def _study_card(study: AssignedStudy) -> None:
    with st.container(border=True):
        name, progress, action = st.columns([4, 3, 2], vertical_alignment="center")
        name.markdown(f"**{plain(study.name)}**")
        session = f"Session {study.session} of {study.n_sessions}: " if study.n_sessions > 1 else ""
        # Where the reader has seen every case of a study elsewhere, nothing is left to read.
        share = study.answered / study.total if study.total else 1.0
        progress.progress(share, text=f"{session}{study.answered} of {study.total} read")
        if study.opens_at is not None:
            action.badge(f"Opens {as_when(study.opens_at)} UTC", icon=":material/schedule:", color="gray")
        elif study.is_finished:
            word = "All read" if study.total else "Nothing to read: you have seen these cases elsewhere"
            action.badge(word, icon=":material/check:", color="green")
        else:
            word = "Go on" if study.answered else "Start"
            # A study's number is in the reader's address anyway; it reveals nothing about a case.
            if action.button(word, key=f"read_{study.study_id}", type="primary", width="stretch"):
                go("read", study=study.study_id)


@st.fragment
@showing_errors()
def _read(study_id: int) -> None:
    """Draw one case; an answer reruns this part and not the frame around it, so that nobody waits for the menu."""
    _case(page_context(), study_id)


def _case(ctx: PageContext, study_id: int) -> None:
    refusal = st.session_state.pop(_REFUSAL, None)
    if refusal:
        st.error(refusal, icon=":material/error:")
    feedback = st.session_state.pop(_FEEDBACK, None)
    if feedback:
        st.info(feedback, icon=":material/school:")
    try:
        shown = presenting.next_case(ctx.caller, study_id=study_id)
    except SessionWaits as error:
        _session_waits(str(error))
        return
    if shown is None:
        _all_read()
        return
    image, panel = st.columns([4, 1.25], gap="medium")
    with image:
        _image(study_id, shown)
        _asked(study_id, shown)
    with panel:
        _panel(study_id, shown)


def _image(study_id: int, shown: Presented) -> None:
    token = quote(shown.token, safe="")
    url = f"/colpo/readings/{study_id}/image/{token}"
    other = _other(shown)
    if other is not None:
        image_viewer("reading_other", f"{url}/{other}", height_px=_HEIGHT_PX, alt="Another image of the case")
        return
    points = _points(shown)
    may_set = shown.asks_points and len(points) < MOST_POINTS
    image_viewer(
        "reading_image",
        url,
        _layers(study_id, token) if shown.aid else [],
        height_px=_HEIGHT_PX,
        alt="The image to read",
        marks=[Mark(str(n), f"Site {n}", x, y, _POINT_COLOUR) for n, (x, y) in enumerate(points, start=1)],
        asks_for=f"site {len(points) + 1}" if may_set and st.session_state.get(_SETTING) else "",
        on_place=lambda x, y: _set_point(study_id, shown, x, y),
        on_leave=lambda: st.session_state.update({_SETTING: False}),
    )


def _other(shown: Presented) -> int | None:
    """Which of the case's other images is looked at; None for the one that is read."""
    if not shown.stages:
        return None
    titles = ["To read", *(STAGES[stage] for stage in shown.stages)]
    key = f"stage_{shown.token}"
    with st.container(horizontal=True):
        chosen = st.segmented_control(
            "Image", range(len(titles)), format_func=titles.__getitem__, default=0, required=True, key=key,
            label_visibility="collapsed", width="content",
        )  # fmt: skip
        st.button(
            "Next image", icon=":material/photo_library:", shortcut="S", key="reading_stage", on_click=_turn_stage,
            args=(key, len(titles)), help="S goes through the case's images and back to the one to read.",
        )  # fmt: skip
    return chosen - 1 if chosen else None


def _turn_stage(key: str, n_images: int) -> None:
    st.session_state[key] = ((st.session_state.get(key) or 0) + 1) % n_images


def _points(shown: Presented) -> list[tuple[float, float]]:
    """The sites that are set; at first those in the store, such as from before a reload."""
    points: list[tuple[float, float]] = st.session_state.setdefault(_POINTS, {}).setdefault(
        shown.token, list(shown.points)
    )
    return points


def _set_point(study_id: int, shown: Presented, x_px: float, y_px: float) -> None:
    if len(_points(shown)) < MOST_POINTS:
        _points(shown).append((x_px, y_px))
        _keep_set(study_id, shown)


def _keep_set(study_id: int, shown: Presented) -> None:
    """Keep sites and findings in the store as they are set: they lock with the answer, and a reload must lose none."""
    try:
        readings.save_reading_draft(
            page_context().caller,
            study_id=study_id,
            token=shown.token,
            points=_points(shown),
            findings=st.session_state.get(_findings_key(shown)) or (),
        )
    except ColpoError as error:
        st.session_state[_REFUSAL] = str(error)


def _findings_key(shown: Presented) -> str:
    return f"findings_{shown.token}"


def _asked(study_id: int, shown: Presented) -> None:
    """Draw what the study asks besides call and confidence; it is stored with the answer."""
    if not (shown.asks_findings or shown.asks_points):
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if shown.asks_findings:
            st.session_state.setdefault(_findings_key(shown), list(shown.findings))
            st.pills(
                "Findings", ASKED_FINDINGS, format_func=FINDINGS.__getitem__, selection_mode="multi",
                key=_findings_key(shown), width="content", on_change=_keep_set,
                args=(study_id, shown),
            )  # fmt: skip
        if shown.asks_points:
            _site_buttons(study_id, shown)


def _site_buttons(study_id: int, shown: Presented) -> None:
    points = _points(shown)
    is_setting = bool(st.session_state.get(_SETTING))
    st.button(
        f"{'Done' if is_setting else 'Set biopsy sites'} ({len(points)} of {MOST_POINTS})",
        icon=":material/add_location:", shortcut="B", key="reading_set",
        on_click=st.session_state.update, args=({_SETTING: not is_setting},),
        help="Then click on the image, once a site; B or Esc ends it.",
    )  # fmt: skip
    st.button(
        "Remove the last", icon=":material/undo:", key="reading_undo", disabled=not points, on_click=_remove_point,
        args=(study_id, shown),
    )  # fmt: skip


def _remove_point(study_id: int, shown: Presented) -> None:
    if _points(shown):
        _points(shown).pop()
        _keep_set(study_id, shown)


def _layers(study_id: int, token: str) -> list[Layer]:
    aid = f"/colpo/readings/{study_id}/aid/{token}"
    return [
        Layer("Acetowhite epithelium", f"{aid}/mask.png", opacity=0.45),
        Layer("What spoke for HSIL (Grad-CAM)", f"{aid}/map.png", visible=False, opacity=0.6, kind="map"),
    ]


def _panel(study_id: int, shown: Presented) -> None:
    if shown.simulated:
        simulated_badge()
    if shown.aid is not None:
        _aid(shown.aid, shown.phase)
    session = f"Session {shown.session} of {shown.n_sessions}" if shown.n_sessions > 1 else ""
    answer_panel(
        _ANSWER,
        token=shown.token,
        number=shown.number,
        total=shown.total,
        part="Practice" if shown.practice else session,
        five_steps=shown.five_steps,
        attempt=st.session_state.get(_ATTEMPT, 0),
        on_answer=lambda: _keep(study_id),
    )


def _aid(aid: AidShown, phase: int) -> None:
    with st.container(border=True):
        if phase > 1:
            st.markdown("**Second call, with the model's output.** Your first is locked.")
        prob, threshold = percent_texts(aid.prob_hsil, aid.threshold)
        st.metric("Model: probability of HSIL", prob, help="Of the 4-channel network.")
        st.caption(f"It calls {_WORDS[aid.call]}: HSIL from {threshold} on.")
        model_badges(aid.marks)


def _keep(study_id: int) -> None:
    """Store the answer before the page is redrawn, so that an interrupted rerun loses nothing."""
    try:
        answer = given_answer(_ANSWER)
        progress = readings.record_reading(
            page_context().caller,
            study_id=study_id,
            token=answer.token,
            call=answer.call,
            confidence=answer.confidence,
            active_ms=answer.active_ms,
            # A restarted browser session does not know them: then what the store holds counts.
            points=st.session_state.get(_POINTS, {}).get(answer.token),
            findings=st.session_state.get(f"findings_{answer.token}"),
        )
        if progress.truth is not None:
            agreed = "Right" if progress.truth is answer.call else "Not so"
            st.session_state[_FEEDBACK] = (
                f"{agreed}: you called {_WORDS[answer.call]}, and histology says {_WORDS[progress.truth]}."
            )
    except ColpoError as error:
        st.session_state[_REFUSAL] = str(error)
        st.session_state[_ATTEMPT] = st.session_state.get(_ATTEMPT, 0) + 1


def _session_waits(sentence: str) -> None:
    st.title("Until the next session", anchor=False)
    st.info(sentence, icon=":material/schedule:")
    if st.button("My studies", icon=":material/arrow_back:"):
        go("read")


def _all_read() -> None:
    st.title("All read", anchor=False)
    st.success(
        "Thank you. You have read every image of this study, and your answers are kept.", icon=":material/check:"
    )
    st.caption("Results are shown to the administrator when the study is closed.")
    if st.button("My studies", icon=":material/arrow_back:"):
        go("read")
