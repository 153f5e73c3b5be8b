"""Trainings that cannot succeed end as failed, with a sentence that says what to do, and leave the store as it was."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import store_pixels
from colpo_core.services.jobs import control as jobs
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint, Prediction, Promotion, Snapshot
from colpo_core.terms import Grade, JobState, Label, Split
from tests.support.clinic import SIDE_PX
from tests.support.processes import run_python
from tests.support.snapshots import freeze_cohort, manifest_of

TINY = TrainingSettings(
    height_px=64,
    width_px=64,
    segnet_width=0.05,
    segmentation_epochs=1,
    classification_epochs=1,
    batch_size=4,
    comparison_seeds=1,
    precision="fp32",
    threads=1,
)
# Other frames than those that an earlier training has left decoded.
LARGER = replace(TINY, height_px=96)


def write_snapshot(store: Store, frozen_id: int, change: Callable[[ManifestItem], ManifestItem | None]) -> int:
    """Another snapshot whose items are those of a frozen one, changed or left out; returns its row."""
    with store.writing() as session:
        frozen = session.get_one(Snapshot, frozen_id)
        manifest = Manifest.from_json(store.blobs.get(frozen.sha256))
        items = tuple(item for item in map(change, manifest.items) if item is not None)
        made = replace(manifest, items=items)
        values = {
            column.key: getattr(frozen, column.key)
            for column in Snapshot.__table__.columns
            if column.key not in ("id", "name", "sha256", "created_at")
        }
        snapshot = Snapshot(name=made.sha256[:8], sha256=store.blobs.put(made.to_json()), **values)
        session.add(snapshot)
        session.flush()
        return snapshot.id


def rows(store: Store) -> dict[str, int]:
    with store.reading() as session:
        return {
            table.__tablename__: session.query(table).count() for table in (Snapshot, Checkpoint, Prediction, Promotion)
        }


def run_all(store: Store, trainings: list[tuple[int, TrainingSettings, str]]) -> list[int]:
    """Run them in one worker process; returns the jobs."""
    asked = json.dumps([(snapshot, settings.to_dict(), fault) for snapshot, settings, fault in trainings])
    done = run_python(store.settings.data_dir, "-m", "tests.support.failing_trainings", asked)
    assert done.returncode == 0, done.stderr
    made: list[int] = json.loads(done.stdout)
    return made


def test_what_cannot_be_trained_ends_with_a_sentence_and_changes_nothing(store: Store, annotator: Caller) -> None:
    frozen = freeze_cohort(annotator)
    with store.writing() as session:
        empty = store_pixels(session, np.zeros((SIDE_PX, SIDE_PX), np.bool_)).sha256
    manifest = manifest_of(store, frozen)
    first, *_ = manifest.of(Split.TRAIN)

    def only(item: ManifestItem) -> ManifestItem | None:
        return item if item.split is not Split.TRAIN or item.patient_id == first.patient_id else None

    def unless_first(**changes: object) -> Callable[[ManifestItem], ManifestItem]:
        return lambda item: replace(item, **changes) if item.image_id == first.image_id else item  # type: ignore[arg-type]

    changes: list[tuple[Callable[[ManifestItem], ManifestItem | None], str]] = [
        (lambda item: replace(item, label=None, grade=None), "Enter the histology of the cases"),
        (
            lambda item: replace(item, label=Label.HSIL, grade=Grade.CIN3),
            "Add cases that are normal, then freeze a new snapshot",
        ),
        (only, "Import and label more cases"),
        (lambda item: replace(item, mask_sha256=None, mask_origin=None), "Annotate images or confirm imported masks"),
        (lambda item: replace(item, mask_sha256=empty), "Annotate images that show some"),
        (unless_first(mask_sha256="0" * 64), "from a back-up"),
        (unless_first(width_px=32), "Freeze a new snapshot"),
    ]
    cases = [(write_snapshot(store, frozen, change), TINY, "", sentence) for change, sentence in changes] + [
        (frozen, replace(TINY, learning_rate_segmentation=1e30, segmentation_epochs=5), "", "lower learning rate"),
        (frozen, TINY, "memory", "smaller batch"),
        (frozen, LARGER, "disk", "Make room on it"),
        (frozen, replace(TINY, folds=10), "", "train with fewer folds"),
    ]
    before = rows(store)
    made = run_all(store, [(snapshot, settings, fault) for snapshot, settings, fault, _ in cases])
    # The photograph itself, last of all: no training can do without it.
    store.blobs.path(first.image_sha256).write_bytes(b"damaged")
    made += run_all(store, [(frozen, replace(TINY, width_px=96), "")])
    told = {}
    for job_id, sentence in zip(made, [*(case[3] for case in cases), "back-up"], strict=True):
        job = jobs.get_job(annotator, job_id=job_id)
        told[sentence] = (job.state, job.error)
        assert job.state is JobState.FAILED, (sentence, job.error)
        assert sentence in (job.error or ""), job.error
        assert "incident" not in (job.error or "")
    assert rows(store) == before, told
    assert not list(store.settings.checkpoints_dir.glob("*"))
