"""The part of the page Train about automatic retraining, which an administrator can change."""

import streamlit as st

from colpo_core.records.training.retraining import MOST_DAYS, RetrainingRule, RetrainingState
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.training.retraining import retraining, rule_like, set_retraining
from colpo_core.terms import Role
from pages._ui.shared.context import page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_when, count_text
from pages._ui.shared.links import link
from pages._ui.shared.markdown import plain

_DAYS, _LABELS = "retrain_days", "retrain_labels"


def train_by_itself(snapshot_id: int, settings: TrainingSettings) -> None:
    """Draw the current rule, and for an administrator the form that changes it.

    Args:
        snapshot_id: The snapshot that is chosen; a new rule freezes its own alike.
        settings: What a new rule trains with.
    """
    ctx = page_context()
    state = retraining(ctx.caller)
    title = _moments(state.rule) if state.rule else "off"
    with st.expander(f"Train by itself: {title}", icon=":material/event_repeat:"):
        _tell(state)
        if ctx.caller.actor.role is not Role.ADMINISTRATOR:
            st.caption("An administrator can change this.")
            return
        st.caption(
            "Freezes labels, masks and split like the snapshot above, with whoever came since, and trains with the "
            "settings above. The model is judged and waits in the registry: nothing is promoted by itself."
        )
        days, labels = st.columns(2)
        days.number_input("After days", 1, MOST_DAYS, None, placeholder="never", key=_DAYS)
        labels.number_input(
            "At new labels", 1, None, None, placeholder="never", key=_LABELS,
            help="Cases that have a label now and were not in the snapshot of the newest training.",
        )  # fmt: skip
        with st.container(horizontal=True):
            st.button("Set", icon=":material/event_available:", on_click=_set, args=(snapshot_id, settings))
            st.button("Off", icon=":material/event_busy:", on_click=_stop, disabled=state.rule is None)


def _tell(state: RetrainingState) -> None:
    if state.rule is not None and state.set_at is not None:
        looked = f" Looked at last {as_when(state.looked_at)} UTC." if state.looked_at else ""
        st.markdown(f"{_moments(state.rule).capitalize()}, set by {plain(state.set_by)}.{looked}")
    if state.note:
        st.caption(plain(state.note))
    if state.job_id is not None:
        link("train", f"Show training {state.job_id}", icon=":material/show_chart:", job=state.job_id)


def _moments(rule: RetrainingRule) -> str:
    moments = []
    if rule.every_days is not None:
        moments.append("every day" if rule.every_days == 1 else f"every {rule.every_days} days")
    if rule.at_new_labels is not None:
        moments.append(f"at {count_text(rule.at_new_labels, 'new label')}")
    return " or ".join(moments)


@showing_errors()
def _set(snapshot_id: int, settings: TrainingSettings) -> None:
    caller = page_context().caller
    days, labels = st.session_state[_DAYS], st.session_state[_LABELS]
    rule = rule_like(caller, snapshot_id=snapshot_id, settings=settings, every_days=days, at_new_labels=labels)
    set_retraining(caller, rule=rule)


@showing_errors()
def _stop() -> None:
    set_retraining(page_context().caller, rule=None)
