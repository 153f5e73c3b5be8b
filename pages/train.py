"""Freeze what is to be learned, start the training, watch it."""

from dataclasses import fields, replace
from typing import Any

import pandas as pd
import streamlit as st

from colpo_core.errors import InputRejected
from colpo_core.records.checkpoints import (
    SnapshotPreview,
    SnapshotQuery,
    SnapshotRecord,
    label_source_text,
    mask_policy_text,
)
from colpo_core.records.jobs import JobRecord
from colpo_core.records.learning import PRESETS, TrainingSettings
from colpo_core.records.networks import CLASSIFIERS
from colpo_core.services import jobs, learning
from colpo_core.terms import JobKind, Label, LabelSource, MaskPolicy, Split
from pages._ui.badges import impression_badge, simulated_badge
from pages._ui.errors import showing_errors
from pages._ui.here import Here, here
from pages._ui.jobs import duration, live_job
from pages._ui.links import link
from pages._ui.plain import plain
from pages._ui.tables import as_when
from pages._ui.told import tell

_CLASSIFIER_NAMES = {name: entry.title for name, entry in CLASSIFIERS.items()}
_PRESET_HELP = {
    "quick": "Small images and a narrow segmenter: minutes on two processors. To try things out.",
    "standard": "The segmenter at full width: hours on processors.",
    "paper": "The sizes of Kim et al. 2022 with pretrained weights: for a machine with a GPU.",
}
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
_FIELD_NAMES = {
    "height_px": "Height (px)",
    "width_px": "Width (px)",
    "segnet_width": "Segmenter's width",
    "segmentation_epochs": "Epochs of the segmenter",
    "classification_epochs": "Epochs of each classifier",
    "batch_size": "Batch",
    "learning_rate_segmentation": "Learning rate, segmenter",
    "learning_rate_classification": "Learning rate, classifiers",
    "weight_decay": "Weight decay",
    "seed": "Seed",
    "threads": "Processor threads (0: all)",
}


def render() -> None:
    """Draw the page."""
    person = here()
    st.title("Train")
    with showing_errors():
        trainings = jobs.list_jobs(person.store, actor=person.actor, kind=JobKind.TRAIN)
        shown = _shown_job(trainings)
        if shown is not None:
            live_job(shown)
        snapshots = learning.list_snapshots(person.store, actor=person.actor)
        freeze, train = st.columns(2, gap="large")
        with freeze:
            _freeze(person, snapshots)
        with train:
            _start(person, snapshots)
        if snapshots:
            _list_snapshots(snapshots)
        if trainings:
            _list_trainings(trainings, snapshots)


def _shown_job(trainings: tuple[JobRecord, ...]) -> int | None:
    """The job of the address, else the one that is under way."""
    wanted = st.query_params.get("job", "")
    if wanted.isdigit() and any(job.id == int(wanted) for job in trainings):
        return int(wanted)
    return next((job.id for job in reversed(trainings) if not job.state.is_over), None)


def _freeze(person: Here, snapshots: tuple[SnapshotRecord, ...]) -> None:
    st.subheader("1 · Freeze a snapshot")
    with showing_errors():
        query = _query(person, f"snapshot {len(snapshots) + 1}")
        with st.spinner("Counting …", show_time=False):
            preview = learning.preview_snapshot(person.store, actor=person.actor, query=query)
        _preview(preview)
        st.button(
            "Freeze snapshot",
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
    tell("train_frozen")


def _query(person: Here, suggested: str) -> SnapshotQuery:
    name = st.text_input("Name", value=suggested, max_chars=80, key=f"name_{suggested}")
    source = st.segmented_control(
        "Labels from",
        list(LabelSource),
        default=LabelSource.HISTOLOGY,
        format_func=lambda one: "Histology" if one is LabelSource.HISTOLOGY else "Impression (Swede score ≥ 5)",
        required=True,
        key="label_source",
    )
    if source is LabelSource.IMPRESSION:
        st.warning("An impression is not histology. Every figure from this snapshot will say so.", icon="⚠️")
    policy, annotator_id = _masks(person)
    first, second = st.slider("Train | validation | test: share of patients", 0, 100, (70, 85), 5, format="%d%%")
    st.caption(f"{first}% train · {second - first}% validation · {100 - second}% test; a patient stands on one side")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input("Seed of the split", 0, 10_000, 0, width=140)
        include_simulated = st.checkbox("Include simulated cases", value=True)
    fractions = (first / 100, (second - first) / 100, (100 - second) / 100)
    return SnapshotQuery(
        name, source or LabelSource.HISTOLOGY, fractions, int(seed), include_simulated, policy, annotator_id
    )


def _masks(person: Here) -> tuple[MaskPolicy, int | None]:
    """Which mask of an image counts, and whose."""
    policy = st.selectbox("Masks", list(MaskPolicy), format_func=_POLICY_NAMES.__getitem__, key="mask_policy")
    annotator_id = None
    if policy is MaskPolicy.ANNOTATOR:
        authors = {one.person_id: one for one in learning.mask_authors(person.store, actor=person.actor)}
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
            _left_out(left_out)
    for problem in preview.problems:
        st.warning(problem, icon=":material/warning:")
    if preview.warnings:
        st.caption("  \n".join(f":material/info: {warning}" for warning in preview.warnings))


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


def _left_out(left_out: dict[str, int]) -> None:
    ordered = sorted(left_out.items(), key=lambda pair: -pair[1])
    rows = pd.DataFrame({"Reason": [reason for reason, _ in ordered], "Number": [number for _, number in ordered]})
    st.dataframe(rows, hide_index=True, width="stretch", column_config={"Number": st.column_config.Column(width=70)})


def _freeze_now(query: SnapshotQuery) -> None:
    person = here()
    with showing_errors():
        frozen = learning.freeze_snapshot(person.store, actor=person.actor, query=query)
        st.session_state["train_snapshot"] = frozen.id
        st.session_state["train_frozen"] = f"“{frozen.name}” is frozen: {frozen.count('images')} images."


def _start(person: Here, snapshots: tuple[SnapshotRecord, ...]) -> None:
    st.subheader("2 · Train")
    if not snapshots:
        st.info("Freeze a snapshot first: it is what a model learns from.", icon=":material/ac_unit:")
        return
    by_id = {one.id: one for one in snapshots}
    snapshot = by_id[
        st.selectbox("Snapshot", list(by_id), format_func=lambda key: _snapshot_line(by_id[key]), key="train_snapshot")
    ]
    with st.container(horizontal=True):
        if snapshot.simulated:
            simulated_badge()
        if snapshot.label_source is LabelSource.IMPRESSION:
            impression_badge()
    preset = st.segmented_control(
        "Preset", list(PRESETS), default="quick", format_func=str.capitalize, required=True, key="preset"
    )
    chosen = PRESETS[preset or "quick"]
    st.caption(_PRESET_HELP[chosen.preset])
    classifier = st.segmented_control(
        "Classifier",
        list(CLASSIFIERS),
        default=chosen.classifier,
        format_func=_CLASSIFIER_NAMES.__getitem__,
        required=True,
        key=f"classifier_{chosen.preset}",
    )
    with showing_errors():
        settings = _settings(replace(chosen, classifier=classifier or chosen.classifier))
        st.button(
            "Start training",
            icon=":material/play_arrow:",
            type="primary",
            on_click=_start_now,
            args=(snapshot.id, settings),
            width="stretch",
        )
    st.caption("It runs in the background: you may close this page or the browser.")


def _snapshot_line(snapshot: SnapshotRecord) -> str:
    masks = mask_policy_text(snapshot.mask_policy, snapshot.mask_annotator)
    return f"{snapshot.name} · {snapshot.count('images')} images · {label_source_text(snapshot.label_source)} · {masks}"


def _settings(start: TrainingSettings) -> TrainingSettings:
    """All settings, each changeable, from those of the preset."""
    changes: dict[str, Any] = {}
    with st.expander("All settings", icon=":material/tune:"):
        columns = st.columns(2)
        for place, field in enumerate(one for one in fields(start) if one.name in _FIELD_NAMES):
            value = getattr(start, field.name)
            is_share = isinstance(value, float)
            changes[field.name] = columns[place % 2].number_input(
                _FIELD_NAMES[field.name],
                value=value,
                format="%.5g" if is_share else "%d",
                step=None if is_share else 1,
                key=f"{start.preset}_{field.name}",
            )
        options = ["none", "imagenet"]
        changes["pretrained"] = columns[1].selectbox(
            "Pretrained weights", options, index=options.index(start.pretrained), key=f"{start.preset}_pretrained"
        )
    if any(value is None for value in changes.values()):
        raise InputRejected("A setting is empty. Enter a number, or choose the preset again.")
    return replace(start, **changes)


def _start_now(snapshot_id: int, settings: TrainingSettings) -> None:
    person = here()
    with showing_errors():
        job = jobs.start_training(person.store, actor=person.actor, snapshot_id=snapshot_id, settings=settings)
        st.query_params["job"] = str(job.id)


def _list_snapshots(snapshots: tuple[SnapshotRecord, ...]) -> None:
    with st.expander(f"Snapshots ({len(snapshots)})", icon=":material/ac_unit:"):
        rows = pd.DataFrame(
            {
                "Name": [one.name for one in snapshots],
                "Frozen (UTC)": [as_when(one.created_at) for one in snapshots],
                "By": [one.created_by for one in snapshots],
                "Labels": [label_source_text(one.label_source) for one in snapshots],
                "Patients": [one.count("patients") for one in snapshots],
                "Images": [one.count("images") for one in snapshots],
                "Masks": [one.count("masks") for one in snapshots],
                "Which masks": [mask_policy_text(one.mask_policy, one.mask_annotator) for one in snapshots],
                "Simulated": [one.simulated for one in snapshots],
                "Left out": [sum(one.counts["left_out"].values()) for one in snapshots],
                "Hash": [one.sha256[:12] for one in snapshots],
            }
        )
        picked = st.dataframe(
            rows, hide_index=True, width="stretch", on_select="rerun", selection_mode="single-row", key="snapshot_rows"
        )["selection"]["rows"]
        if picked and picked[0] < len(snapshots):
            one = snapshots[picked[0]]
            st.markdown(f"**{one.name}** · labelled by rules {one.rules_version} · seed {one.seed}")
            st.caption(f"Masks: {plain(one.masks_text)}")
            st.dataframe(counts_table(one.counts), hide_index=True, width="stretch")
            if one.counts["left_out"]:
                _left_out(one.counts["left_out"])


def _list_trainings(trainings: tuple[JobRecord, ...], snapshots: tuple[SnapshotRecord, ...]) -> None:
    names = {one.id: one.name for one in snapshots}
    with st.expander(f"Trainings ({len(trainings)})", icon=":material/history:"):
        rows = pd.DataFrame(
            {
                "No.": [job.id for job in trainings],
                "State": [job.state.value for job in trainings],
                "Snapshot": [names.get(job.snapshot_id or 0, "") for job in trainings],
                "Preset": [job.settings.get("preset", "") for job in trainings],
                "Classifier": [job.settings.get("classifier", "") for job in trainings],
                "Duration": [duration(job) for job in trainings],
                "By": [job.created_by for job in trainings],
                "Why it failed": [job.error or "" for job in trainings],
            }
        )
        st.caption("Choose a training to see its curves.")
        picked = st.dataframe(
            rows, hide_index=True, width="stretch", on_select="rerun", selection_mode="single-row", key="training_rows"
        )["selection"]["rows"]
        if picked and picked[0] < len(trainings):
            link("train", f"Show training {trainings[picked[0]].id}", icon=":material/show_chart:",
                 job=trainings[picked[0]].id)  # fmt: skip
