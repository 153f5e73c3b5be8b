"""What waits for a person, how far the clinic is, and how much the store holds. Counts are the database's own."""

from functools import partial

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, aliased

from colpo_core.records.overview.worklist import Progress, WorkItem, WorkKind, Worklist
from colpo_core.records.people import Actor
from colpo_core.services.annotations.confirmation import waits_for
from colpo_core.services.common.blinding import images_without_model
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.counting import count_rows, count_up_to
from colpo_core.services.common.permissions import EVERYBODY, allowed
from colpo_core.services.overview.figures_cache import cached_figures
from colpo_core.services.review.rows import unreviewed
from colpo_core.services.studies.presenting import assigned_studies
from colpo_core.store import Store
from colpo_core.store.facts import current_checkpoint_id, needs_annotation
from colpo_core.store.tables import (
    Adjudication,
    Annotation,
    AnnotationTask,
    AnnotationVersion,
    Case,
    CaseLabel,
    Checkpoint,
    Image,
    Job,
    Patient,
    Person,
    Prediction,
    Reading,
    Review,
    Snapshot,
    Study,
    TaskItem,
)
from colpo_core.terms import AnnotationState, Finding, JobState, LabelSource, Role, TaskItemState


@allowed(EVERYBODY)
def worklist(caller: Caller) -> Worklist:
    """What waits for a person, by role: a reader is told of studies to read and of nothing else."""
    if caller.actor.role is Role.READER:
        return Worklist(_studies_to_read(caller), None)
    with caller.store.reading() as session:
        items = _clinical_work(session, caller.actor)
        progress = cached_figures(caller.store, session, "progress", (), lambda: _progress(session))
        return Worklist(tuple(item for item in items if item.number), progress)


def status(store: Store) -> dict[str, int]:
    """How much the store holds, as numbers by name.

    `labels` are cases with a label from histology; `labels_by_impression` stand beside them and are no histology.
    """
    with store.reading() as session:
        return {
            "patients": count_rows(session, Patient),
            "cases": count_rows(session, Case),
            "cases_simulated": count_rows(session, Case, Case.simulated.is_(True)),
            "images": count_rows(session, Image),
            "annotations": count_rows(session, Annotation),
            "annotations_to_confirm": count_rows(session, Annotation, Annotation.state == AnnotationState.TO_CONFIRM),
            "labels": count_rows(session, CaseLabel, *_labelled_by(LabelSource.HISTOLOGY)),
            "labels_by_impression": count_rows(session, CaseLabel, *_labelled_by(LabelSource.IMPRESSION)),
            "cases_flagged": count_rows(session, CaseLabel, CaseLabel.flagged.is_(True)),
            "snapshots": count_rows(session, Snapshot),
            "jobs_running": count_rows(session, Job, _is_running()),
            "checkpoints": count_rows(session, Checkpoint),
            "predictions": count_rows(session, Prediction),
            "reviews": count_rows(session, Review),
            "studies": count_rows(session, Study),
            "readings": count_rows(session, Reading),
            "people": count_rows(session, Person, Person.password_hash.is_not(None)),
        }


def _studies_to_read(caller: Caller) -> tuple[WorkItem, ...]:
    return tuple(
        WorkItem(
            WorkKind.STUDY,
            study.name,
            study.total - study.answered,
            "read",
            (("study", str(study.study_id)),),
            total=study.total,
        )
        for study in assigned_studies(caller)
        if not study.is_finished
    )


def _clinical_work(session: Session, actor: Actor) -> tuple[WorkItem, ...]:
    flagged = (CaseLabel.source == LabelSource.HISTOLOGY) & CaseLabel.flagged.is_(True)
    unlabelled = (CaseLabel.source == LabelSource.HISTOLOGY) & CaseLabel.label.is_(None) & CaseLabel.flagged.is_(False)
    kept_back = images_without_model(actor)
    to_review = (*unreviewed(actor, current_checkpoint_id()), Prediction.image_id.not_in(kept_back))
    waits = waits_for(session, actor)
    first_waiting = select(Annotation.image_id).where(waits).order_by(Annotation.id).limit(1)
    unpainted, is_draft = needs_annotation(), _is_my_draft(actor)
    first_image = select(Image.id).where(unpainted).order_by(Image.id).limit(1)
    first_draft = select(func.min(Annotation.image_id)).where(is_draft)
    to_paint = _with(image=session.scalar(first_image))
    drafts, imports = _with(image=session.scalar(first_draft)), _with(image=session.scalar(first_waiting))
    count = partial(count_up_to, session)
    return (
        WorkItem(WorkKind.FLAGGED, "flagged cases", count(CaseLabel, flagged), "cases", _with(label="flagged")),
        WorkItem(WorkKind.DRAFTS, "drafts not submitted", count(Annotation, is_draft), "annotate", drafts),
        WorkItem(WorkKind.TO_CONFIRM, "masks to confirm", count(Annotation, waits), "annotate", imports),
        WorkItem(WorkKind.UNANNOTATED, "images without annotation", count(Image, unpainted), "annotate", to_paint),
        _to_adjudicate(session, actor),
        WorkItem(WorkKind.TO_REVIEW, "predictions to review", count(Prediction, *to_review), "review"),
        WorkItem(
            WorkKind.UNLABELLED,
            "cases without a label",
            count(CaseLabel, unlabelled),
            "cases",
            _with(label="unlabelled"),
        ),
        WorkItem(WorkKind.JOBS, "running jobs", count(Job, _is_running()), "train"),
    )


def _to_adjudicate(session: Session, actor: Actor) -> WorkItem:
    """Images that wait for the actor's decision; the link leads to the first task that has some.

    They are of a task that the actor adjudicates, two people or more have annotated them, nobody has them before him
    any more, and nobody has decided yet.
    """
    waiting = aliased(TaskItem)
    somebody_waits = exists().where(
        waiting.task_id == TaskItem.task_id,
        waiting.image_id == TaskItem.image_id,
        waiting.state == TaskItemState.WAITING,
    )
    is_decided = exists().where(
        Adjudication.image_id == TaskItem.image_id, Adjudication.finding == AnnotationTask.finding
    )
    query = (
        select(TaskItem.task_id, TaskItem.image_id)
        .join(AnnotationTask, AnnotationTask.id == TaskItem.task_id)
        .where(
            AnnotationTask.adjudicator_id == actor.person_id,
            TaskItem.state == TaskItemState.SUBMITTED,
            ~is_decided,
            AnnotationTask.closed_at.is_not(None) | ~somebody_waits,
        )
        .group_by(TaskItem.task_id, TaskItem.image_id)
        .having(func.count() > 1)
        .order_by(TaskItem.task_id)
    )
    rows = session.execute(query).all()
    first_task = rows[0].task_id if rows else None
    n_images = len({row.image_id for row in rows})
    return WorkItem(WorkKind.TO_ADJUDICATE, "masks to decide between", n_images, "agreement", _with(task=first_task))


def _progress(session: Session) -> Progress:
    # From the annotations to their images: asked the other way round, SQLite looks every image up among all that are
    # submitted, which takes minutes in a large store.
    annotated = (
        select(func.count(Annotation.image_id.distinct()))
        .join(Image, Image.id == Annotation.image_id)
        .where(
            Annotation.finding == Finding.ACETOWHITE, Annotation.state == AnnotationState.SUBMITTED, Image.is_readable
        )
    )
    current = select(Checkpoint.name).where(Checkpoint.id == current_checkpoint_id())
    return Progress(
        cases=count_rows(session, Case),
        cases_labelled=count_rows(session, CaseLabel, *_labelled_by(LabelSource.HISTOLOGY)),
        images=count_rows(session, Image),
        images_to_annotate=count_rows(session, Image, Image.is_readable),
        images_annotated=session.scalar(annotated) or 0,
        snapshots=count_rows(session, Snapshot),
        checkpoints=count_rows(session, Checkpoint),
        current_checkpoint=session.scalar(current),
        simulated_cases=count_rows(session, Case, Case.simulated.is_(True)),
    )


def _is_my_draft(actor: Actor) -> ColumnElement[bool]:
    """An annotation of the actor with strokes that no version holds yet."""
    newest = (
        select(AnnotationVersion.mask_id)
        .where(AnnotationVersion.annotation_id == Annotation.id)
        .order_by(AnnotationVersion.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        (Annotation.annotator_id == actor.person_id)
        & Annotation.draft_mask_id.is_not(None)
        & Annotation.draft_mask_id.is_distinct_from(newest)
    )


def _is_running() -> ColumnElement[bool]:
    return Job.state.in_((JobState.QUEUED, JobState.RUNNING))


def _labelled_by(source: LabelSource) -> tuple[ColumnElement[bool], ...]:
    return (CaseLabel.source == source, CaseLabel.label.is_not(None))


def _with(**params: object) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in params.items() if value is not None)
