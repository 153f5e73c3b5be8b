"""The filters and the order of the list of cases: widgets that are kept in step with the page's address."""

from collections.abc import Mapping
from datetime import date
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from colpo_core.errors import InputRejected
from colpo_core.records.cases.lists import FILTER_WORDS, CaseFilter, CaseSort, ListChoices, from_words, to_words
from pages._ui.cases.words import ANNOTATION_NEEDS, LABEL_CHOICES, OUTCOMES, REVIEW_STATES, SORTS
from pages._ui.shared.words import GRADES

Word = TypeVar("Word")
_SHOWN, _LAST = "cases_words", "cases_words_last"
_MORE = (
    "simulated", "outcome", "networks_differ", "uncertain_within", "dice_below", "review", "reviewer_id",
    "examined_from", "examined_to", "device",
)  # fmt: skip
_FIRST_DAY = date(1990, 1, 1)
_NETWORKS = {True: "Call it differently", False: "Call it alike"}
_SIMULATED = {False: "Patients", True: "Simulated"}
_UNCERTAIN = (0.01, 0.02, 0.05, 0.1, 0.2)
_DICE = (0.5, 0.7, 0.8, 0.9)


def case_filters(choices: ListChoices) -> tuple[CaseFilter, CaseSort]:
    """Draw the filters and the order, in step with the address.

    Args:
        choices: What some of them offer.
    """
    _take_address()
    code, grade, label, annotation, more = st.columns([1.2, 1, 1, 1, 0.75], vertical_alignment="bottom")
    code.text_input("Patient code", placeholder="begins with …", key="cases_patient_code", icon=":material/search:")
    _choice(grade, "Grade", GRADES, "grade")
    _choice(label, "Label", LABEL_CHOICES, "label")
    _choice(annotation, "Annotations", ANNOTATION_NEEDS, "annotation")
    n_set = sum(st.session_state.get(f"cases_{name}") is not None for name in _MORE)
    title = f"More ({n_set})" if n_set else "More"
    with more.popover(title, icon=":material/filter_list:", width="stretch"):
        _more(choices)
    where = CaseFilter(
        patient_code=st.session_state["cases_patient_code"].strip(),
        **{name: st.session_state[f"cases_{name}"] for name in ("grade", "label", "annotation", *_MORE)},
    )
    sort = st.session_state["cases_sort"]
    _put_into_address(to_words(where, sort))
    return where, sort


def sort_choice() -> None:
    """Draw the order; `case_filters` reads it, also where this is drawn later."""
    st.selectbox(
        "Order", list(CaseSort), format_func=SORTS.__getitem__, key="cases_sort", label_visibility="collapsed",
        width=270,
    )  # fmt: skip


def show_words(words: Mapping[str, str]) -> None:
    """Let the list show another filter and order, from the next run on."""
    others = {name: word for name, word in st.query_params.items() if name not in FILTER_WORDS}
    st.query_params.from_dict({**others, **words})
    st.session_state.pop(_SHOWN, None)


def leave_list() -> None:
    """Note that the list is not drawn now, so that its filters are restored from `last_words`."""
    st.session_state.pop(_SHOWN, None)


def last_words() -> dict[str, str]:
    """The filter and the order that the list showed last, for the way back to it."""
    return dict(st.session_state.get(_LAST, {}))


def _take_address() -> None:
    """Set the widgets to what the address asks for, where it differs from what they showed."""
    words = {name: word for name, word in st.query_params.items() if name in FILTER_WORDS}
    if words == st.session_state.get(_SHOWN):
        return
    try:
        where, sort = from_words(words)
    except InputRejected as error:
        st.warning(f"{error} All cases are shown.", icon=":material/filter_alt_off:")
        where, sort = CaseFilter(), CaseSort.NEWEST
    for name in ("patient_code", "grade", "label", "annotation", *_MORE):
        st.session_state[f"cases_{name}"] = getattr(where, name)
    st.session_state["cases_sort"] = sort


def _put_into_address(words: dict[str, str]) -> None:
    st.session_state[_SHOWN] = st.session_state[_LAST] = words
    for name in FILTER_WORDS:
        if name in words:
            st.query_params[name] = words[name]
        elif name in st.query_params:
            del st.query_params[name]


def _more(choices: ListChoices) -> None:
    here = st.container()
    left, right = here.columns(2)
    _choice(left, "Current model against histology", OUTCOMES, "outcome")
    _choice(right, "Networks of 3 and 4 channels", _NETWORKS, "networks_differ")
    _choice(
        left, "Model is unsure", _with(_UNCERTAIN, "uncertain_within", "within {:.0%} of the threshold"),
        "uncertain_within",
    )  # fmt: skip
    _choice(right, "Annotators disagree", _with(_DICE, "dice_below", "lowest Dice below {:.2f}"), "dice_below")
    _choice(left, "Review of the current model", REVIEW_STATES, "review")
    reviewers = dict(choices.reviewers)
    chosen = st.session_state.get("cases_reviewer_id")
    if chosen is not None:
        reviewers.setdefault(chosen, f"person {chosen}")
    _choice(right, "Reviewer", reviewers, "reviewer_id")
    devices = {device: device for device in choices.devices}
    asked = st.session_state.get("cases_device")
    if asked is not None:
        devices.setdefault(asked, asked)
    _choice(left, "Device", devices, "device")
    _choice(right, "Cases of", _SIMULATED, "simulated")
    left.date_input(
        "Examined from", value=None, min_value=_FIRST_DAY, key="cases_examined_from", help="Or came in, if no date."
    )
    right.date_input("Examined until", value=None, min_value=_FIRST_DAY, key="cases_examined_to")
    here.button("Clear all filters", icon=":material/filter_alt_off:", on_click=show_words, args=({},), width="stretch")


def _with(values: tuple[float, ...], name: str, words: str) -> dict[float, str]:
    """The values to choose from; what an address asks for is one of them."""
    asked = st.session_state.get(f"cases_{name}")
    return {value: words.format(value) for value in sorted({*values, *([asked] if asked is not None else [])})}


def _choice(column: DeltaGenerator, title: str, words: Mapping[Word, str], name: str) -> None:
    column.selectbox(
        title, list(words), index=None, format_func=words.__getitem__, key=f"cases_{name}", placeholder="All"
    )
