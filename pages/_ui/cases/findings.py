"""The findings form of a case (IFCPC 2011), with size and place proposed from the mask for the clinician to confirm."""

from collections.abc import Mapping
from typing import Literal, TypeVar

import streamlit as st

from colpo_core.ifcpc import SIGNS, Sign, SignGroup
from colpo_core.records.cases.findings import FindingsEntry, FindingsProposal, FindingsRecord
from colpo_core.services.cases.case import get_case
from colpo_core.services.cases.findings import get_findings, save_findings
from colpo_core.services.cases.findings_proposal import lesion_images, propose_findings
from pages._ui.cases.chart import propose_lesion_size
from pages._ui.cases.words import ADEQUACY, IODINE, JUNCTIONS, LOCATIONS, SIGN_GROUPS, SIGN_WORDS, proposal_text
from pages._ui.shared.context import PageContext
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import button_action, show_message
from pages._ui.shared.words import stage_text

_SAID = "findings_said"
_ALL_OF_IT = "findings_all_of_it"
_CHOICES = ("adequate", "junction", "transformation_zone", "location", "quadrants", "iodine")
Word = TypeVar("Word")


@st.fragment
def show_findings(ctx: PageContext, case_id: int) -> None:
    """Draw the findings form of a case; only this part reruns while somebody fills it in.

    What was filled in stays on the screen until it is saved, also where somebody else saves the same form meanwhile.
    """
    if st.session_state.pop(_ALL_OF_IT, False):
        st.rerun()  # what was proposed belongs on the record beside this form
    record = get_findings(ctx.caller, case_id=case_id)
    key, is_overtaken = _key(record)
    with st.container(key=f"findings_form_{case_id}", gap="small"):
        _general(key)
        _lesion(ctx, case_id, key)
        _signs(key)
        st.text_input("Remark", key=f"{key}_note", max_chars=1000, placeholder="nothing that names the patient")
        if is_overtaken:
            _offer_newer(record, key)
        # Streamlit forgets the widgets of a tab or page that was left; what they held is put back from here.
        st.session_state[f"{key}_kept"] = _entry(key)
        show_message(_SAID, as_toast=True)
        st.button(
            "Save findings", type="primary", icon=":material/save:", width="stretch", key=f"{key}_save",
            on_click=_save, args=(ctx, case_id, key),
        )  # fmt: skip
        _say_who_saved(record, key)


def _key(record: FindingsRecord) -> tuple[str, bool]:
    """The prefix of the widgets' keys, and whether somebody has saved a newer form than the one being filled in.

    The version that the person started from is part of the keys, so a newer form never overwrites what was entered.
    """
    state = st.session_state
    key = f"findings_{record.case_id}_{state.get(_base_name(record.case_id))}"
    seen = _entry(key) if _is_drawn(key) else state.get(f"{key}_kept")
    is_untouched = seen == state.get(f"{key}_was")
    if state.get(_base_name(record.case_id)) != record.version and is_untouched:
        _forget(record.case_id)
        state[_base_name(record.case_id)] = record.version
        key = f"findings_{record.case_id}_{record.version}"
    if f"{key}_was" not in state:
        state[f"{key}_was"] = state[f"{key}_kept"] = record.entry
    if not _is_drawn(key):
        _fill(key, state[f"{key}_kept"])
    return key, state[_base_name(record.case_id)] != record.version


def _is_drawn(key: str) -> bool:
    """Whether the widgets of this form hold what the person sees; Streamlit drops those of a page that was left."""
    return f"{key}_signs_{SignGroup.NORMAL}" in st.session_state


def _base_name(case_id: int) -> str:
    return f"findings_base_{case_id}"


def _fill(key: str, entry: FindingsEntry) -> None:
    state = st.session_state
    for name in (*_CHOICES, "cervix_percent", "note"):
        state[f"{key}_{name}"] = getattr(entry, name)
    state[f"{key}_clock_hours"] = list(entry.clock_hours)
    for group in SignGroup:
        state[f"{key}_signs_{group}"] = [sign for sign in entry.signs if sign.group is group]


def _entry(key: str) -> FindingsEntry:
    """What the widgets hold."""
    state = st.session_state
    signs: list[Sign] = []
    for group in SignGroup:
        if group is not SignGroup.INADEQUATE or state[f"{key}_adequate"] is False:
            signs.extend(state.get(f"{key}_signs_{group}") or ())
    return FindingsEntry(
        **{name: state[f"{key}_{name}"] for name in (*_CHOICES, "cervix_percent")},
        clock_hours=tuple(sorted(state[f"{key}_clock_hours"] or ())),
        signs=tuple(sorted(signs, key=list(Sign).index)),
        note=(state[f"{key}_note"] or "").strip(),
    )


def _general(key: str) -> None:
    with st.container(horizontal=True, gap="medium"):
        _choice("Examination", ADEQUACY, f"{key}_adequate", width="content")
        types = {1: "1", 2: "2", 3: "3"}
        _choice("Transformation zone type", types, f"{key}_transformation_zone", width="content")
    if st.session_state[f"{key}_adequate"] is False:
        _group(key, SignGroup.INADEQUATE)
    _choice("Squamocolumnar junction visible", JUNCTIONS, f"{key}_junction")
    _group(key, SignGroup.NORMAL)


def _lesion(ctx: PageContext, case_id: int, key: str) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**Lesion**", width="content")
            st.space("stretch")
            _propose(ctx, case_id, key)
        _proposed(ctx, case_id, key)
        _choice("Lies in the transformation zone", LOCATIONS, f"{key}_location")
        st.pills("Clock positions", list(range(1, 13)), selection_mode="multi", key=f"{key}_clock_hours")
        with st.container(horizontal=True, gap="medium"):
            _choice("Quadrants", {number: str(number) for number in range(5)}, f"{key}_quadrants", width="content")
            st.number_input(
                "% of cervix", 0.0, 100.0, step=1.0, format="%.1f", key=f"{key}_cervix_percent", placeholder="–",
                width=130,
            )  # fmt: skip


def _signs(key: str) -> None:
    for group in (SignGroup.GRADE_1, SignGroup.GRADE_2, SignGroup.NON_SPECIFIC):
        _group(key, group)
    _choice("Lugol's iodine", IODINE, f"{key}_iodine")
    for group in (SignGroup.INVASION, SignGroup.MISCELLANEOUS):
        _group(key, group)


def _choice(
    title: str, words: Mapping[Word, str], key: str, *, width: Literal["stretch", "content"] = "stretch"
) -> None:
    """A choice of one among a few words; a second click clears it."""
    st.segmented_control(title, list(words), format_func=words.__getitem__, key=key, width=width)


def _group(key: str, group: SignGroup) -> None:
    st.pills(
        SIGN_GROUPS[group],
        list(SIGNS[group]),
        selection_mode="multi",
        format_func=SIGN_WORDS.__getitem__,
        key=f"{key}_signs_{group}",
    )


def _propose(ctx: PageContext, case_id: int, key: str) -> None:
    images = lesion_images(ctx.caller, case_id=case_id)
    if len(images) > 1:
        titles = {image.id: f"{stage_text(image)} (image {image.id})" for image in images}
        st.selectbox(
            "Image", list(titles), format_func=titles.__getitem__, key=f"{key}_image", label_visibility="collapsed",
            width=190,
        )  # fmt: skip
    first = images[0].id if images else None
    st.button(
        "Propose from the mask",
        icon=":material/auto_fix_high:",
        key=f"{key}_propose",
        disabled=first is None,
        help="Fills in size and clock positions for you to confirm"
        if images
        else "Paint the lesion on an image of this case first",
        on_click=_take_proposal,
        args=(ctx, key, first),
    )


@button_action(_SAID)
def _take_proposal(ctx: PageContext, key: str, first: int) -> str:
    image_id = st.session_state.get(f"{key}_image") or first
    proposal = propose_findings(ctx.caller, image_id=image_id)
    st.session_state[f"{key}_proposal"] = proposal
    if proposal.has_mask:
        st.session_state[f"{key}_clock_hours"] = list(proposal.clock_hours)
        st.session_state[f"{key}_quadrants"] = proposal.quadrants
        if proposal.cervix_percent is not None:
            st.session_state[f"{key}_cervix_percent"] = proposal.cervix_percent
    return ""


def _proposed(ctx: PageContext, case_id: int, key: str) -> None:
    proposal: FindingsProposal | None = st.session_state.get(f"{key}_proposal")
    if proposal is None:
        return
    with st.container(key=f"{key}_proposed", gap="xsmall"):
        if proposal.has_mask:
            st.info(f"{proposal_text(proposal)} **Check it, then save.**", icon=":material/auto_fix_high:")
        for sentence in proposal.missing:
            st.caption(plain(sentence))
        if proposal.swede_lesion_size is not None:
            points = proposal.swede_lesion_size
            st.button(
                f"Swede score: enter {points} for lesion size ({proposal.quadrants} quadrants)",
                icon=":material/arrow_forward:",
                key=f"{key}_swede",
                on_click=_take_size,
                args=(ctx, case_id, points),
            )


@button_action(_SAID)
def _take_size(ctx: PageContext, case_id: int, points: int) -> str:
    propose_lesion_size(get_case(ctx.caller, case_id=case_id), points)
    st.session_state[_ALL_OF_IT] = True
    return "Filled in on the record. Look at it there and save the record."


@button_action(_SAID)
def _save(ctx: PageContext, case_id: int, key: str) -> str:
    proposal: FindingsProposal | None = st.session_state.get(f"{key}_proposal")
    entry = _entry(key)
    base: int = st.session_state[_base_name(case_id)]
    saved = save_findings(
        ctx.caller,
        case_id=case_id,
        base_version=base,
        entry=entry,
        proposed_from=proposal.version_id if proposal and _is_confirmed(proposal, entry) else None,
    )
    _forget(case_id)
    st.session_state[_base_name(case_id)] = saved.version
    return "Findings saved"


def _is_confirmed(proposal: FindingsProposal, entry: FindingsEntry) -> bool:
    """Whether what is saved is what was proposed."""
    is_size_kept = proposal.cervix_percent is None or entry.cervix_percent == proposal.cervix_percent
    return (entry.clock_hours, entry.quadrants) == (proposal.clock_hours, proposal.quadrants) and is_size_kept


def _offer_newer(record: FindingsRecord, key: str) -> None:
    st.warning(
        f"{plain(record.entered_by or 'Somebody')} saved these findings while you were filling in the form. "
        "Yours are not saved, and saving them is refused.",
        icon=":material/sync_problem:",
    )
    st.button(
        "Load the newer form", icon=":material/refresh:", key=f"{key}_newer", width="stretch",
        on_click=_forget, args=(record.case_id,),
    )  # fmt: skip


def _forget(case_id: int) -> None:
    """Discard what was filled in; the form then starts from what is stored."""
    base = st.session_state.pop(_base_name(case_id), None)
    for name in ("was", "kept", "proposal"):
        st.session_state.pop(f"findings_{case_id}_{base}_{name}", None)


def _say_who_saved(record: FindingsRecord, key: str) -> None:
    parts = []
    if st.session_state[f"{key}_kept"] != st.session_state[f"{key}_was"]:
        parts.append("**Not saved yet.**")
    if record.updated_at is not None:
        parts.append(f"Saved by {plain(record.entered_by or '')}, {record.updated_at:%Y-%m-%d %H:%M}.")
    if record.proposed_from is not None:
        parts.append("Size and place as proposed from a mask and confirmed.")
    st.caption(" ".join(parts))
