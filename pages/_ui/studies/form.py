"""The form for a new study, with counts of what it would read."""

from operator import attrgetter

import streamlit as st

from colpo_core.records.studies.designs import CaseChoice, CaseSource, ChoicePreview, StudyOptions
from colpo_core.services.studies import designing
from colpo_core.studies.case_numbers import parse_case_numbers
from colpo_core.terms import Grade
from pages._ui.shared.badges import simulated_badge
from pages._ui.shared.context import PageContext
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.links import go, link
from pages._ui.shared.markdown import plain
from pages._ui.shared.words import grade_text
from pages._ui.studies.plan_form import plan_form
from pages._ui.studies.power_help import power_help

_NAME = attrgetter("name")
_SOURCES = {
    CaseSource.ALL: "All labelled cases",
    CaseSource.TEST_SPLIT: "Test split of a snapshot",
    CaseSource.PICKED: "By case number",
}


def study_form(ctx: PageContext) -> None:
    """Draw the form."""
    options = designing.study_options(ctx.caller)
    if not options.readers:
        st.info("A study needs readers. Make an account whose role is reader, then come back.")
        link("admin", "People", icon=":material/group:")
    form, preview = st.columns([3, 2], gap="large")
    with form:
        name = st.text_input(
            "Name", key="study_name", max_chars=80, placeholder="Spring reading", help="Readers see it."
        )
        question = st.text_input(
            "Question", key="study_question", help="What the study is to answer. Readers do not see it."
        )
        choice = _cases(options)
        readers = st.multiselect("Readers", options.readers, format_func=_NAME, key="study_readers")
        checkpoints = st.multiselect(
            "Compare with checkpoints", options.checkpoints, format_func=_NAME, key="study_checkpoints",
            placeholder="None",
        )  # fmt: skip
        plan, practice = plan_form(checkpoints)
    reader_ids, checkpoint_ids = [reader.id for reader in readers], [checkpoint.id for checkpoint in checkpoints]
    with preview, showing_errors():
        counted = designing.preview_choice(
            ctx.caller, choice=choice, reader_ids=reader_ids, checkpoint_ids=checkpoint_ids,
            practice_case_ids=practice,
        )  # fmt: skip
        _counts(counted)
        for sentence in plan.cautions:
            st.warning(sentence, icon=":material/warning:")
        pressed = st.button(
            "Create study", type="primary", icon=":material/add:", width="stretch",
            disabled=bool(counted.problems) or not name.strip(),
            help=None if name.strip() else "Give the study a name first.",
        )  # fmt: skip
        if pressed:
            made = designing.create_study(
                ctx.caller, name=name, question=question, choice=choice, reader_ids=reader_ids,
                checkpoint_ids=checkpoint_ids, plan=plan, practice_case_ids=practice,
            )  # fmt: skip
            go("studies", study=made.id)
        power_help(plan, n_readers=len(reader_ids), n_positive=counted.n_hsil, n_negative=counted.n_normal)


def _cases(options: StudyOptions) -> CaseChoice:
    source = st.segmented_control(
        "Cases",
        list(_SOURCES),
        format_func=_SOURCES.__getitem__,
        default=CaseSource.ALL,
        required=True,
        key="study_source",
    )
    snapshot_id = None
    case_ids: tuple[int, ...] = ()
    grades: list[Grade] = []
    since = until = None
    if source is CaseSource.ALL:
        with st.expander("Filter", icon=":material/filter_alt:"):
            grades = st.multiselect(
                "Grades", list(Grade), format_func=grade_text, key="study_grades", placeholder="Any grade"
            )  # fmt: skip
            left, right = st.columns(2)
            since = left.date_input("Examined from", None, key="study_since", format="YYYY-MM-DD")
            until = right.date_input("Examined until", None, key="study_until", format="YYYY-MM-DD")
    if source is CaseSource.TEST_SPLIT:
        snapshot = st.selectbox(
            "Snapshot", options.snapshots, format_func=_NAME, key="study_snapshot", placeholder="No snapshot yet"
        )
        snapshot_id = snapshot.id if snapshot else None
    elif source is CaseSource.PICKED:
        text = st.text_input("Case numbers", key="study_cases", placeholder="3, 5, 8-12")
        with showing_errors():
            case_ids = parse_case_numbers(text)
    simulated = st.toggle("Simulated cases may be among them", value=True, key="study_simulated")
    return CaseChoice(source, snapshot_id, case_ids, simulated, tuple(grades), since, until)


def _counts(counted: ChoicePreview) -> None:
    with st.container(border=True):
        st.markdown("**What would be read**")
        cases, normal, hsil = st.columns(3)
        cases.metric("Cases", counted.n_cases, help=f"of {counted.n_patients} patients")
        normal.metric("Normal", counted.n_normal)
        hsil.metric("HSIL", counted.n_hsil)
        st.caption("Reference standard: histology. Each reader sees the first acetic-acid image of each case.")
        if counted.n_simulated:
            simulated_badge()
            st.caption(f"{counted.n_simulated} of {counted.n_cases} cases are drawn by the program.")
        for reason, count in counted.left_out:
            st.caption(f"Left out: {count} ({reason})")
    for checkpoint in counted.seen:
        if checkpoint.n_seen:
            st.warning(
                f"{plain(checkpoint.name)} has learned from {checkpoint.n_seen} of these {checkpoint.n_cases} cases "
                "or their patients. Its figures will also be given on the others alone.",
                icon=":material/warning:",
            )
    for problem in counted.problems:
        st.info(problem, icon=":material/info:")
