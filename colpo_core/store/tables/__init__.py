"""All tables of the store, by subject."""

from colpo_core.store.tables.agreement import Adjudication, ConsensusMask
from colpo_core.store.tables.annotations import Annotation, AnnotationVersion, BiopsyPoint, Mask
from colpo_core.store.tables.base import Base, utc_now
from colpo_core.store.tables.cases import Case, CaseLabel, Histology, Image, ImageAnswer, ImageLook, Patient
from colpo_core.store.tables.findings import FindingsForm, FindingsSign
from colpo_core.store.tables.jobs import HeldGpu, Job, JobEvent
from colpo_core.store.tables.ledger import Exposure, StudyAmendment, StudyClosing
from colpo_core.store.tables.models import (
    Checkpoint,
    CheckpointImage,
    CheckpointPatient,
    Evaluation,
    ImageFigures,
    ImageSurroundings,
    Prediction,
    PredictionFeatures,
    Promotion,
)
from colpo_core.store.tables.people import AuditEntry, Person, SignInSession
from colpo_core.store.tables.preferences import Preference
from colpo_core.store.tables.review import Review, WhatIf
from colpo_core.store.tables.snapshots import Snapshot
from colpo_core.store.tables.studies import (
    PracticeReading,
    Presentation,
    Reading,
    ReadingDraft,
    Study,
    StudyCase,
    StudyCheckpoint,
    StudyPracticeCase,
    StudyReader,
)
from colpo_core.store.tables.summaries import CaseAgreement, CaseReviewer, CaseSummary, SavedView
from colpo_core.store.tables.tasks import AnnotationTask, TaskItem
from colpo_core.store.tables.training import RetrainingRule
from colpo_core.store.tables.upkeep import BackUpPlan, StoreCheck, StoreIdentity

__all__ = [
    "Adjudication",
    "Annotation",
    "AnnotationTask",
    "AnnotationVersion",
    "AuditEntry",
    "BackUpPlan",
    "Base",
    "BiopsyPoint",
    "Case",
    "CaseAgreement",
    "CaseLabel",
    "CaseReviewer",
    "CaseSummary",
    "Checkpoint",
    "CheckpointImage",
    "CheckpointPatient",
    "ConsensusMask",
    "Evaluation",
    "Exposure",
    "FindingsForm",
    "FindingsSign",
    "HeldGpu",
    "Histology",
    "Image",
    "ImageAnswer",
    "ImageFigures",
    "ImageLook",
    "ImageSurroundings",
    "Job",
    "JobEvent",
    "Mask",
    "Patient",
    "Person",
    "PracticeReading",
    "Prediction",
    "PredictionFeatures",
    "Preference",
    "Presentation",
    "Promotion",
    "Reading",
    "ReadingDraft",
    "RetrainingRule",
    "Review",
    "SavedView",
    "SignInSession",
    "Snapshot",
    "StoreCheck",
    "StoreIdentity",
    "Study",
    "StudyAmendment",
    "StudyCase",
    "StudyCheckpoint",
    "StudyClosing",
    "StudyPracticeCase",
    "StudyReader",
    "TaskItem",
    "WhatIf",
    "utc_now",
]
