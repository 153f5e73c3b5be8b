"""All tables of the store, by subject."""

from colpo_core.store.tables.base import Base, utc_now
from colpo_core.store.tables.cases import (
    Annotation,
    AnnotationVersion,
    BiopsyPoint,
    Case,
    CaseLabel,
    Histology,
    Image,
    Mask,
    Patient,
)
from colpo_core.store.tables.learning import Checkpoint, Job, JobEvent, Prediction, Promotion, Review, Snapshot
from colpo_core.store.tables.people import AuditEntry, Person, SignInSession
from colpo_core.store.tables.studies import Presentation, Reading, Study, StudyCase, StudyCheckpoint, StudyReader

__all__ = [
    "Annotation",
    "AnnotationVersion",
    "AuditEntry",
    "Base",
    "BiopsyPoint",
    "Case",
    "CaseLabel",
    "Checkpoint",
    "Histology",
    "Image",
    "Job",
    "JobEvent",
    "Mask",
    "Patient",
    "Person",
    "Prediction",
    "Presentation",
    "Promotion",
    "Reading",
    "Review",
    "SignInSession",
    "Snapshot",
    "Study",
    "StudyCase",
    "StudyCheckpoint",
    "StudyReader",
    "utc_now",
]
