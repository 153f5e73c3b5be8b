"""All tables of the store, by subject."""

from colpo_core.store.tables.annotations import (
    Adjudication,
    Annotation,
    AnnotationTask,
    AnnotationVersion,
    BiopsyPoint,
    ConsensusMask,
    Mask,
    TaskItem,
)
from colpo_core.store.tables.base import Base, utc_now
from colpo_core.store.tables.cases import Case, CaseLabel, Histology, Image, Patient
from colpo_core.store.tables.findings import FindingsForm, FindingsSign
from colpo_core.store.tables.learning import (
    Checkpoint,
    Evaluation,
    ImageFigures,
    Job,
    JobEvent,
    Prediction,
    PredictionFeatures,
    Promotion,
    Review,
    Snapshot,
    WhatIf,
)
from colpo_core.store.tables.ledger import Exposure, StudyAmendment
from colpo_core.store.tables.people import AuditEntry, Person, SignInSession
from colpo_core.store.tables.preferences import Preference
from colpo_core.store.tables.studies import (
    PracticeReading,
    Presentation,
    Reading,
    Study,
    StudyCase,
    StudyCheckpoint,
    StudyPracticeCase,
    StudyReader,
)
from colpo_core.store.tables.summaries import CaseAgreement, CaseReviewer, CaseSummary, SavedView

__all__ = [
    "Adjudication",
    "Annotation",
    "AnnotationTask",
    "AnnotationVersion",
    "AuditEntry",
    "Base",
    "BiopsyPoint",
    "Case",
    "CaseAgreement",
    "CaseLabel",
    "CaseReviewer",
    "CaseSummary",
    "Checkpoint",
    "ConsensusMask",
    "Evaluation",
    "Exposure",
    "FindingsForm",
    "FindingsSign",
    "Histology",
    "Image",
    "ImageFigures",
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
    "Review",
    "SavedView",
    "SignInSession",
    "Snapshot",
    "Study",
    "StudyAmendment",
    "StudyCase",
    "StudyCheckpoint",
    "StudyPracticeCase",
    "StudyReader",
    "TaskItem",
    "WhatIf",
    "utc_now",
]
