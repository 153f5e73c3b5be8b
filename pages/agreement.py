"""Agreement: how far annotators agree on the same images, and the decision which mask counts."""

import streamlit as st

from colpo_core.services.agreement.overview import agreement_overview, image_agreement
from colpo_core.services.tasks.tasks import list_tasks
from colpo_core.terms import Finding
from pages._ui.agreement import actions
from pages._ui.agreement.decision import show_image
from pages._ui.agreement.overview import show_overview, to_decide
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.links import asked_row, row_or_none
from pages._ui.shared.messages import show_message
from pages._ui.shared.words import FINDINGS

_FINDING, _TASK = "agreement_finding", "agreement_task"
_LINKED = "agreement_linked_task"
_ANY_TASK = 0


def render() -> None:
    """Draw the overview, or one image."""
    ctx = page_context()
    is_drawn = False
    with showing_errors():
        image_id = asked_row("image", choose_from="overview")
        if image_id is None:
            _show_all(ctx)
        else:
            _show_one(ctx, image_id)
        is_drawn = True
    if not is_drawn:
        st.button("Back to the overview", icon=":material/arrow_back:", on_click=actions.back)


def _finding() -> Finding:
    asked = st.query_params.get("finding")
    if asked in set(Finding):
        st.session_state.setdefault(_FINDING, Finding(asked))
    return Finding(st.session_state.get(_FINDING, Finding.ACETOWHITE))


def _show_all(ctx: PageContext) -> None:
    title, which, task = st.columns([2, 1, 1.4], vertical_alignment="bottom")
    title.title("Agreement", anchor=False)
    findings = list(Finding)
    finding = which.selectbox(
        "Finding",
        findings,
        index=findings.index(_finding()),
        format_func=FINDINGS.__getitem__,
    )
    st.session_state[_FINDING] = finding
    tasks = {listed_task.id: listed_task.title for listed_task in list_tasks(ctx.caller, with_closed=True)}
    choices = [_ANY_TASK, *tasks]
    # Not kept by the box itself: Streamlit forgets what a box holds while one image is shown instead.
    task_id = _task()
    chosen = task.selectbox(
        "Images",
        choices,
        index=choices.index(task_id) if task_id in tasks else 0,
        format_func=lambda number: "All with two masks or more" if number == _ANY_TASK else f"Task “{tasks[number]}”",
    )
    st.session_state[_TASK] = chosen
    show_message(actions.SAID)
    with st.spinner("Comparing masks…"):
        overview = agreement_overview(ctx.caller, finding=finding, task_id=None if chosen == _ANY_TASK else chosen)
    show_overview(overview)


def _task() -> int:
    """The task whose images are listed: the one that a link asked for, or the one the person then chose."""
    asked = row_or_none("task")
    if asked != st.session_state.get(_LINKED):
        st.session_state[_LINKED] = asked
        if asked is not None:
            st.session_state[_TASK] = asked
    task_id: int = st.session_state.get(_TASK, _ANY_TASK)
    return task_id


def _show_one(ctx: PageContext, image_id: int) -> None:
    finding = _finding()
    agreement = image_agreement(ctx.caller, image_id=image_id, finding=finding)
    task_id = _task()
    overview = agreement_overview(ctx.caller, finding=finding, task_id=None if task_id == _ANY_TASK else task_id)
    waiting = [other_id for other_id in to_decide(overview) if other_id != image_id]
    show_image(ctx, agreement, waiting[0] if waiting else None)
