"""The part of the page Train that freezes snapshots: what to take, what that would hold, and what is left out."""

import re
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from colpo_core.errors import InputRejected
from colpo_core.records.models.cards import counted
from colpo_core.records.snapshots.shortcuts import ShortcutReport
from colpo_core.records.snapshots.snapshots import SnapshotPreview, SnapshotQuery, SnapshotRecord
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots import shortcuts as snapshots_shortcuts
from colpo_core.terms import Label, LabelSource, MaskPolicy, Split
from pages._ui.cases.image_questions import contradiction_text, show_questions
from pages._ui.shared.badges import simulated_badge
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.markdown import plain
from pages._ui.shared.messages import keep_message, show_message

_POLICY_NAMES = {
    MaskPolicy.NEWEST: "The newest, whoever made it",
    MaskPolicy.ANNOTATOR: "One annotator's",
    MaskPolicy.MAJORITY: "Consensus by majority",
    MaskPolicy.STAPLE: "Consensus by STAPLE",
    MaskPolicy.ADJUDICATED: "Adjudicated",
}
_POLICY_HELP = {
    MaskPolicy.NEWEST: "Of each image the mask that was submitted last.",
    MaskPolicy.ANNOTATOR: "Images that this person has not annotated have no mask.",
    MaskPolicy.MAJORITY: "What more than half of the annotators marked; an even split is background. "
    "A single annotator's mask stays as it is.",
    MaskPolicy.STAPLE: "An estimate that weighs each annotator by how well she agrees with the others. "
    "A single annotator's mask stays as it is.",
    MaskPolicy.ADJUDICATED: "What a senior has decided on, and a single annotator's mask. "
    "Of several masks without a decision none is taken.",
}


def freeze_column(ctx: PageContext, snapshots: tuple[SnapshotRecord, ...]) -> None:
    """Draw the form with its preview and its button.

    Args:
        ctx: The page's context.
        snapshots: All that are frozen, newest first.
    """
    st.subheader("1 · Freeze a snapshot")
    with showing_errors():
        query = _query(ctx, f"snapshot {len(snapshots) + 1}")
        with st.spinner("Counting …", show_time=False):
            preview = freezing.preview_snapshot(
                ctx.caller, query=query, measure_at_most=snapshots_shortcuts.PREVIEW_IMAGES
            )
        _preview(preview)
        st.button(
            "Freeze external test set" if query.external else "Freeze snapshot",
            icon=":material/ac_unit:",
            type="secondary" if snapshots else "primary",
            disabled=preview.equals is not None,
            help=f"“{preview.equals}” holds exactly this." if preview.equals else None,
            on_click=_freeze_now,
            args=(query,),
            width="stretch",
        )
        if preview.equals:
            st.caption(f"“{preview.equals}” already holds exactly this.")
    show_message("train_frozen")


def _query(ctx: PageContext, suggested: str) -> SnapshotQuery:
    name = st.text_input("Name", value=suggested, max_chars=80, key=f"name_{suggested}")
    source = st.segmented_control(
        "Labels from",
        list(LabelSource),
        default=LabelSource.HISTOLOGY,
        format_func=lambda kind: "Histology" if kind is LabelSource.HISTOLOGY else "Impression (Swede score ≥ 5)",
        required=True,
        key="label_source",
    )
    if source is LabelSource.IMPRESSION:
        st.warning("An impression is not histology. Every figure from this snapshot will say so.", icon="⚠️")
    policy, annotator_id = _masks(ctx)
    patient_codes, date_from, date_to = _some_cases()
    external = st.checkbox(
        "Keep as external test set",
        key="keep_external",
        help="To judge every later model on patients that none of them has met.",
    )
    if external:
        st.caption("All of it stands in test. No training may touch these patients from then on; it cannot be undone.")
        fractions, seed = (0.0, 0.0, 1.0), 0
    else:
        fractions, seed = _split()
    include_simulated = st.checkbox("Include simulated cases", value=True)
    return SnapshotQuery(
        name,
        source or LabelSource.HISTOLOGY,
        fractions,
        seed,
        include_simulated,
        policy,
        annotator_id,
        external=external,
        patient_codes=patient_codes,
        date_from=date_from,
        date_to=date_to,
    )


def _split() -> tuple[tuple[float, float, float], int]:
    """Shares of the three sides, and the seed of the draw."""
    first, second = st.slider("Train | validation | test: share of patients", 0, 100, (70, 85), 5, format="%d%%")
    st.caption(f"{first}% train · {second - first}% validation · {100 - second}% test; a patient stands on one side")
    seed = st.number_input("Seed of the split", 0, 10_000, 0, width=140)
    return (first / 100, (second - first) / 100, (100 - second) / 100), int(seed)


def _some_cases() -> tuple[tuple[str, ...], date | None, date | None]:
    """Patient codes, first and last day of the cases that take part; all where nothing is given."""
    with st.expander("Only some patients or days", icon=":material/filter_list:"):
        first, last = st.columns(2)
        date_from = first.date_input("Examined from", value=None, format="YYYY-MM-DD", key="snapshot_from")
        date_to = last.date_input("to", value=None, format="YYYY-MM-DD", key="snapshot_to")
        codes = st.text_input("Patient codes", key="snapshot_patients", placeholder="P-0042, P-0043; all when empty")
    return tuple(re.split(r"[\s,;]+", codes.strip())) if codes.strip() else (), date_from, date_to


def _masks(ctx: PageContext) -> tuple[MaskPolicy, int | None]:
    """Which mask of an image counts, and whose."""
    policy = st.selectbox("Masks", list(MaskPolicy), format_func=_POLICY_NAMES.__getitem__, key="mask_policy")
    annotator_id = None
    if policy is MaskPolicy.ANNOTATOR:
        authors = {mask_author.person_id: mask_author for mask_author in freezing.mask_authors(ctx.caller)}
        if not authors:
            raise InputRejected("Nobody has submitted a mask yet. Choose other masks, or annotate first.")
        annotator_id = st.selectbox(
            "Whose",
            list(authors),
            format_func=lambda key: f"{authors[key].name} ({authors[key].n_images} images)",
            key="mask_annotator",
        )
    st.caption(_POLICY_HELP[policy])
    return policy, annotator_id


def _preview(preview: SnapshotPreview) -> None:
    if preview.simulated:
        simulated_badge()
    st.dataframe(counts_table(preview.counts), width="stretch", hide_index=True)
    st.caption(f"Masks: {plain(preview.masks_text)}")
    left_out = preview.counts["left_out"]
    if left_out:
        total = sum(left_out.values())
        with st.expander(f"Left out, and why ({total})", icon=":material/filter_alt:"):
            left_out_table(left_out)
    if preview.contradictions:
        st.warning(contradiction_text(preview.contradictions), icon=":material/content_copy:")
    if preview.asked:
        st.markdown(f"**Questions about {counted(len(preview.asked), 'image')}**")
        st.caption(
            f"Open questions about images of this snapshot: {preview.counts['asked_about']}. You can freeze "
            "it without answering them; the number is kept with it."
        )
        show_questions(preview.asked, key="freeze_asked")
    for problem in preview.problems:
        st.warning(problem, icon=":material/warning:")
    if preview.warnings:
        st.caption("  \n".join(f":material/info: {warning}" for warning in preview.warnings))
    shortcuts(preview.shortcuts)


def shortcuts(report: ShortcutReport) -> None:
    """Draw the shortcuts from which the label can be told, and what could not be checked.

    Args:
        report: The result of the search.
    """
    for sentence in report.doubts:
        st.warning(plain(sentence), icon=":material/report:")
    if report.nothing_found:
        st.caption(f":material/check: {plain(report.nothing_found)}")
    if report.unchecked:
        with st.expander(f"Could not be checked ({len(report.unchecked)})", icon=":material/help:"):
            st.markdown("\n".join(f"- {plain(sentence)}" for sentence in report.unchecked))


def counts_table(counts: dict[str, Any]) -> pd.DataFrame:
    """A snapshot's counts, one row a side.

    Args:
        counts: As `Manifest.counts` gives them.
    """
    return pd.DataFrame(
        {
            "Side": [split.value for split in Split],
            "Patients": [counts["patients"][split] for split in Split],
            "Cases": [counts["cases"][split] for split in Split],
            "normal": [counts["case_labels"][split][Label.NORMAL] for split in Split],
            "hsil": [counts["case_labels"][split][Label.HSIL] for split in Split],
            "Images": [counts["images"][split] for split in Split],
            "Masks": [counts["masks"][split] for split in Split],
        }
    )


def left_out_table(left_out: dict[str, int]) -> None:
    """Draw how much is left out for which reason, the commonest first.

    Args:
        left_out: Number by reason.
    """
    ordered = sorted(left_out.items(), key=lambda pair: -pair[1])
    rows = pd.DataFrame({"Reason": [reason for reason, _ in ordered], "Number": [number for _, number in ordered]})
    st.dataframe(rows, hide_index=True, width="stretch", column_config={"Number": st.column_config.Column(width=70)})


@showing_errors()
def _freeze_now(query: SnapshotQuery) -> None:
    frozen = freezing.freeze_snapshot(page_context().caller, query=query)
    sentence = f"“{frozen.name}” is frozen: {frozen.count('images')} images."
    if frozen.external:
        # The next snapshot is another one: with this one's choices it would find no patients.
        st.session_state.update(keep_external=False, snapshot_from=None, snapshot_to=None, snapshot_patients="")
        sentence = f"{sentence[:-1]}, kept from every training."
    else:
        st.session_state["train_snapshot"] = frozen.id
    keep_message("train_frozen", sentence)
