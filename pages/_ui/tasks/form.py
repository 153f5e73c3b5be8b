"""The form for a new task, with a preview of who would get what."""

from collections.abc import Mapping
from enum import StrEnum
from operator import attrgetter
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from colpo_core.records.cases.lists import CaseFilter
from colpo_core.records.tasks import MAX_NOTE, MAX_SEED, MAX_TITLE, AnnotatorChoice, TaskDraft, TaskPreview
from colpo_core.services.tasks import tasks
from colpo_core.terms import Finding, TaskOrder
from pages._ui.cases.selection import HANDED_OVER
from pages._ui.cases.words import ANNOTATION_NEEDS, LABEL_CHOICES
from pages._ui.shared.context import PageContext
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import count_text
from pages._ui.shared.links import go, link
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import keep_message
from pages._ui.shared.theme import STAYS
from pages._ui.shared.words import FINDINGS, GRADES
from pages._ui.tasks.progress import TOLD
from pages._ui.tasks.words import ORDERS

_NAME = attrgetter("name")
_UNNAMED = "New task"
_SIMULATED = {"All": None, "Patients": False, "Simulated": True}
Word = TypeVar("Word", bound=StrEnum)


def task_form(ctx: PageContext) -> None:
    """Draw the form."""
    choices = tasks.annotator_choices(ctx.caller)
    if not choices:
        st.info("A task needs annotators. Make an account whose role is annotator, then come back.")
        link("admin", "People", icon=":material/group:")
        return
    form, preview = st.columns([2.4, 1], gap="large")
    with form:
        title_place, finding_place = st.columns(2)
        title = title_place.text_input("Title", key="task_title", max_chars=MAX_TITLE, placeholder="Spring cases")
        finding = finding_place.selectbox(
            "Finding", list(Finding), key="task_finding", format_func=FINDINGS.__getitem__
        )
        note = st.text_area(
            "What the annotators are to know", key="task_note", max_chars=MAX_NOTE, height=68,
            placeholder="Such as: mark every acetowhite lesion, also a faint one",
        )  # fmt: skip
        st.markdown("**Which images**")
        where = _where()
        st.markdown("**Who, and how**")
        people, n_annotators = _people(choices)
        adjudicator = _adjudicator(choices, people)
        order, max_images, seed = _order()
        blind = st.toggle(
            "Blind: nobody sees the others' masks of an image until all are done with it",
            value=True,
            key="task_blind",
        )
        proposals = st.toggle(
            "They may start from the model's proposal",
            value=False,
            key="task_proposals",
            help="A proposal makes painting faster and draws the eye to itself. What was kept of it is recorded.",
        )
    with preview, st.container(key=STAYS), showing_errors():
        if not people:
            st.info("Choose the annotators, and what each of them would get is counted here.", icon=":material/group:")
            return
        draft = TaskDraft(
            title=title if title.strip() else _UNNAMED,
            finding=finding,
            where=where,
            annotator_ids=tuple(person.id for person in people),
            n_annotators=n_annotators,
            blind=blind,
            proposals=proposals,
            order=order,
            seed=seed,
            adjudicator_id=adjudicator.id if adjudicator else None,
            note=note,
            max_images=max_images,
        )
        counted = tasks.preview_task(ctx.caller, draft=draft)
        _show_preview(counted, order)
        _offer_to_make(ctx, draft, counted, is_named=bool(title.strip()))


def _where() -> CaseFilter:
    handed_over: tuple[int, ...] | None = st.session_state.get(HANDED_OVER)
    if handed_over is not None:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(
                f"The **{count_text(len(handed_over), 'case')}** selected in the list of cases", width="content"
            )
            st.button("Choose by filters instead", icon=":material/filter_list:", type="tertiary",
                      on_click=lambda: st.session_state.pop(HANDED_OVER, None))  # fmt: skip
        return CaseFilter(case_ids=handed_over)
    code, annotation, label, grade = st.columns(4)
    simulated = st.segmented_control("Cases of", list(_SIMULATED), default="All", key="task_simulated", required=True)
    return CaseFilter(
        patient_code=code.text_input("Patient code", placeholder="begins with …", key="task_code"),
        annotation=_choice(annotation, "Annotations", ANNOTATION_NEEDS, "annotation"),
        label=_choice(label, "Label", LABEL_CHOICES, "label"),
        grade=_choice(grade, "Grade", GRADES, "grade"),
        simulated=_SIMULATED[simulated or "All"],
    )


def _choice(column: DeltaGenerator, title: str, words: Mapping[Word, str], name: str) -> Word | None:
    chosen: Word | None = column.selectbox(
        title, list(words), index=None, format_func=words.__getitem__, key=f"task_{name}", placeholder="All"
    )
    return chosen


def _people(choices: tuple[AnnotatorChoice, ...]) -> tuple[list[AnnotatorChoice], int]:
    who, how_many = st.columns([3, 1])
    people = who.multiselect("Annotators", choices, format_func=_NAME, key="task_people", placeholder="Choose people")
    most = max(1, len(people))
    # The number stays within what the people allow, also when one of them is taken away again.
    if st.session_state.get("task_n_annotators", 1) > most:
        st.session_state["task_n_annotators"] = most
    number = how_many.number_input(
        "People for each image", 1, most, key="task_n_annotators",
        help="How many of them annotate each image. All images of a patient go to the same people.",
    )  # fmt: skip
    return people, int(number)


def _adjudicator(choices: tuple[AnnotatorChoice, ...], people: list[AnnotatorChoice]) -> AnnotatorChoice | None:
    others = [choice for choice in choices if choice not in people]
    chosen: AnnotatorChoice | None = st.selectbox(
        "Adjudicator", others, index=None, format_func=_NAME, key="task_adjudicator", placeholder="Nobody",
        help="A senior who decides between the masks afterwards; none of the annotators.",
    )  # fmt: skip
    return chosen


def _order() -> tuple[TaskOrder, int | None, int]:
    order_place, most_place, seed_place = st.columns([2.4, 1, 1])
    order = order_place.selectbox("Order", list(ORDERS), format_func=ORDERS.__getitem__, key="task_order")
    most = most_place.number_input("Images at most", 1, None, None, key="task_most", placeholder="all")
    seed = seed_place.number_input(
        "Seed", 0, MAX_SEED, 0, key="task_seed", help="What chance shares out and orders is drawn from this number."
    )
    return order, None if most is None else int(most), int(seed)


def _show_preview(counted: TaskPreview, order: TaskOrder) -> None:
    with st.container(border=True):
        st.markdown("**What would be handed out**")
        cases, images = st.columns(2)
        cases.metric("Cases", counted.n_cases)
        images.metric("Images", counted.n_images, help="After acetic acid, showing the cervix")
        most = max(counted.per_person.values(), default=0)
        for name, number in counted.per_person.items():
            st.progress(number / most if most else 0.0, text=f"{plain(name)} &nbsp; **{count_text(number, 'image')}**")
        for reason, number in counted.n_left_out.items():
            st.caption(f"Left out: {count_text(number, 'image')} ({reason})")
        if counted.n_done_already:
            st.caption(f"Submitted before, and counted as done: {count_text(counted.n_done_already, 'mask')}")
        if order is TaskOrder.UNCERTAINTY and counted.n_without_prediction:
            st.caption(
                f":material/warning: {count_text(counted.n_without_prediction, 'image')} without a prediction of the "
                "current model come last."
            )


def _offer_to_make(ctx: PageContext, draft: TaskDraft, counted: TaskPreview, *, is_named: bool) -> None:
    problem = "" if is_named else "Give the task a title first."
    if not counted.n_images:
        problem = "No image fits. Widen the choice of images."
    if problem:
        st.info(problem, icon=":material/info:")
    if st.button("Create task", type="primary", icon=":material/add:", width="stretch", disabled=bool(problem)):
        made = tasks.create_task(ctx.caller, draft=draft)
        st.session_state.pop(HANDED_OVER, None)
        keep_message(TOLD, "The task is made. Its annotators find it on their home page.")
        go("tasks", task=made.id)
