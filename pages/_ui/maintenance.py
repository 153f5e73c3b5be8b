"""Back-ups and checks of the store: when the last ones were made, what was wrong, and when the next ones are."""

import streamlit as st

from colpo_core.records.maintenance import KEPT_GENERATIONS, CheckReport
from colpo_core.services.maintenance import nightly
from colpo_core.services.maintenance.back_ups import OLD_AFTER, last_back_up
from colpo_core.services.maintenance.checking import check_store, last_check
from pages._ui.shared.context import PageContext
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_size, as_when, count_text
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import button_action, show_message

_SAID = "store_said"
_MOST_SHOWN = 100


def show_back_up(ctx: PageContext) -> None:
    """Draw when and by whom the last back-up was made, when the store was checked, and what was wrong then."""
    state = last_back_up(ctx.caller)
    if state.failed_at is not None:
        st.error(f"The back-up of {as_when(state.failed_at)} failed. {plain(state.failure)}", icon=":material/backup:")
    if state.at is None:
        st.warning(
            "The store was never backed up with this program. A failing disk would take all of it.",
            icon=":material/backup:",
        )
    else:
        sentence = f"Last back-up: {as_when(state.at)}, by {plain(state.by)}."
        if state.n_faults:
            st.error(
                f"{sentence} Missing or damaged then: {count_text(state.n_faults, 'file')}. "
                "Check the store in the administration.",
                icon=":material/broken_image:",
            )
        elif state.is_old:
            st.warning(f"{sentence} That is more than {OLD_AFTER.days} days ago.", icon=":material/backup:")
        else:
            st.success(sentence, icon=":material/backup:")
    if state.checked_at is None:
        st.caption("The store was never checked as a whole.")
    elif state.n_check_faults:
        st.error(
            f"Last check of the store: {as_when(state.checked_at)}. "
            f"{count_text(state.n_check_faults, 'fault')} found; see the administration.",
            icon=":material/error:",
        )
    else:
        st.caption(f"Last check of the store: {as_when(state.checked_at)}. Nothing was wrong.")


def show_check(ctx: PageContext) -> None:
    """Draw what the last check found, and the button that checks now."""
    st.subheader("Check")
    st.caption(
        "Every photograph, map and checkpoint is read to see whether it is as it was stored, every seal is verified, "
        "and what lists show is counted anew. A large store takes minutes; everybody may go on meanwhile."
    )
    if st.button("Check the store now", icon=":material/troubleshoot:"):
        with showing_errors(), st.spinner("Reading every file of the store …", show_time=True):
            check_store(ctx.caller)
            st.rerun()
    report = last_check(ctx.caller)
    if report is not None:
        _show_report(report)


def _show_report(report: CheckReport) -> None:
    read = f"{count_text(report.n_files, 'file')} ({as_size(report.size_bytes)}) read on {as_when(report.finished_at)}"
    if not report.faults:
        st.success(f"{read}. Nothing was wrong.", icon=":material/check_circle:")
    else:
        st.error(f"{read}. {count_text(len(report.faults), 'fault')} found.", icon=":material/error:")
        for fault in report.faults[:_MOST_SHOWN]:
            st.text(fault.sentence)
        if len(report.faults) > _MOST_SHOWN:
            st.caption(f"And {len(report.faults) - _MOST_SHOWN} more: python -m colpo_core store check names all.")
    if report.unnamed:
        with st.expander(f"{count_text(len(report.unnamed), 'file')} that belong to nothing"):
            st.caption("Something was broken off while it was written. They do no harm and are not backed up.")
            for place in report.unnamed[:_MOST_SHOWN]:
                st.text(place)


def show_plan(ctx: PageContext) -> None:
    """Draw the form by which the program backs up by itself."""
    st.subheader("Every night")
    plan = nightly.get_plan(ctx.caller)
    if plan is None:
        st.caption("The program does not back up by itself yet. Choose a folder on another disk.")
    else:
        st.caption(f"Set by {plain(plan.set_by)} on {as_when(plan.set_at)}. An empty folder switches it off.")
    with st.form("back_up_plan", border=True):
        st.text_input(
            "Folder on the machine that serves", value=plan.folder if plan else "", key="plan_folder",
            placeholder="/mnt/back-up/colpodesk",
        )  # fmt: skip
        hour, kept = st.columns(2)
        hour.number_input("Hour, by that machine's clock", 0, 23, plan.hour if plan else 2, key="plan_hour")
        kept.number_input(
            "Earlier databases to keep", 1, nightly.MOST_KEPT, plan.kept if plan else KEPT_GENERATIONS,
            key="plan_kept",
        )  # fmt: skip
        st.form_submit_button("Save", icon=":material/schedule:", on_click=_set_plan, args=(ctx,))
    show_message(_SAID)


@button_action(_SAID)
def _set_plan(ctx: PageContext) -> str:
    values = st.session_state
    plan = nightly.set_plan(
        ctx.caller, folder=values["plan_folder"], hour=int(values["plan_hour"]), kept=int(values["plan_kept"])
    )
    if plan is None:
        return "The program no longer backs up by itself."
    return f"The store is backed up every night at {plan.hour}:00 into {plain(plan.folder)}."
