"""Cases that are selected, over all pages of the list, and what can be done with them at once."""

from collections.abc import Iterable

import streamlit as st

from colpo_core.records.cases.lists import MOST_SELECTED, CaseFilter
from colpo_core.services.cases.lists import find_case_ids
from colpo_core.services.exports import case_files
from colpo_core.services.models import predicting
from colpo_core.terms import Role
from pages._ui.cases.messages import button_action
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.formats import count_text
from pages._ui.shared.links import go

HANDED_OVER = "cases_to_hand_out"
"""Where the form of a new task finds the selected cases."""
_SELECTED, _GENERATION = "cases_selected", "cases_selection_generation"


def selected() -> frozenset[int]:
    """Rows of the selected cases."""
    return frozenset(st.session_state.get(_SELECTED, ()))


def select(on_page: Iterable[int], chosen: Iterable[int]) -> None:
    """Adopt the selection of one page; cases of other pages stay selected.

    Args:
        on_page: Rows of the page's cases.
        chosen: Those of them that are selected.
    """
    st.session_state[_SELECTED] = (selected() - frozenset(on_page)) | frozenset(chosen)


def generation() -> int:
    """How often the selection was changed from outside the list; part of the list's widget key."""
    return int(st.session_state.get(_GENERATION, 0))


def show_actions(ctx: PageContext, where: CaseFilter) -> None:
    """Draw what can be done with the selected cases."""
    chosen = selected()
    if not chosen:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{count_text(len(chosen), 'case')} selected**", width="content")
        st.button("All that fit", icon=":material/select_all:", on_click=_select_all, args=(where,), type="tertiary",
                  help=f"Every case that fits the filters, the newest {MOST_SELECTED:,} at most.")  # fmt: skip
        st.button("None", icon=":material/deselect:", on_click=_put, args=((),), type="tertiary")
        st.space("stretch")
        if ctx.caller.actor.role is Role.ADMINISTRATOR and st.button(
            "Hand out", icon=":material/assignment_ind:", help="Make a task of them for annotators."
        ):
            st.session_state[HANDED_OVER] = tuple(sorted(chosen))
            go("tasks", new=1)
        st.button("Predict", icon=":material/play_arrow:", on_click=_predict, args=(chosen,),
                  help="By the current model, in the background; what it has predicted is kept.")  # fmt: skip
        _export(ctx, chosen)


def _export(ctx: PageContext, chosen: frozenset[int]) -> None:
    with st.popover("Export", icon=":material/download:"):
        st.caption("Tables of what is recorded, labelled, predicted and annotated. Patients are named by their codes.")
        st.download_button(
            "Tables (ZIP)", lambda: case_files.export_cases(ctx.caller, case_ids=chosen),
            file_name="cases.zip", mime="application/zip", icon=":material/table:", on_click="ignore", width="stretch",
        )  # fmt: skip
        st.download_button(
            "With images and masks (ZIP)",
            lambda: case_files.export_cases(ctx.caller, case_ids=chosen, with_files=True),
            file_name="cases-with-files.zip", mime="application/zip", icon=":material/folder_zip:", on_click="ignore",
            disabled=len(chosen) > case_files.MOST_WITH_FILES, width="stretch",
            help=f"For {case_files.MOST_WITH_FILES} cases at most.",
        )  # fmt: skip


def _put(case_ids: Iterable[int]) -> None:
    st.session_state[_SELECTED] = frozenset(case_ids)
    st.session_state[_GENERATION] = generation() + 1


@button_action
def _select_all(where: CaseFilter) -> str:
    case_ids = find_case_ids(page_context().caller, where=where)
    _put(case_ids)
    return f"{count_text(len(case_ids), 'case')} selected."


@button_action
def _predict(chosen: frozenset[int]) -> str:
    job = predicting.start_prediction_of_cases(page_context().caller, case_ids=chosen)
    if job is None:
        return "The current model has predicted all of them, or is doing so."
    return f"The prediction is on its way, as job {job.id}."
