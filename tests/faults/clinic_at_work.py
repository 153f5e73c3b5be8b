"""A clinic that works on a store until it is stopped, and says of each write what it was told is kept.

Run as `python -m tests.faults.clinic_at_work SEED [STEPS]`; COLPO_DATA names the store that `open_clinic` has made.
Each confirmed write is a line of JSON on standard output; so is what was refused, by the kind of its error.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, select

from colpo_core.images.masks import encode_rle
from colpo_core.nets.card import FORMAT_VERSION, seal_card
from colpo_core.records.cases.cases import ImportStatus, IncomingFile
from colpo_core.records.models.card_seal import CARD_FILE, WEIGHTS_FILE
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.annotations import own_masks
from colpo_core.services.cases.histology import add_specimen
from colpo_core.services.common.actors import as_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports.files import import_images
from colpo_core.services.maintenance import back_ups
from colpo_core.services.models.promotions import promote_checkpoint
from colpo_core.services.snapshots.freezing import freeze_snapshot
from colpo_core.services.studies import presenting, readings
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.backup_folder import FACTS_FILE
from colpo_core.store.blobs import content_sha256, write_file
from colpo_core.store.tables import Case, Checkpoint, Image, Person, Promotion, Study
from colpo_core.terms import Grade, Label, MaskDoubt, Role, SpecimenKind, Stage
from tests.conftest import add_person
from tests.support.clinic import PredictedClinic
from tests.support.conducted import make_study
from tests.support.image_files import photograph

N_STUDIES, N_CASES = 12, 16
Confirmed = dict[str, Any]


def open_clinic(data_dir: Path) -> None:
    """Make the store that the clinic works on: people, labelled cases, two models, studies that can be read."""
    with closing(Store.open(Settings(data_dir=data_dir))) as store:
        administrator = add_person(store, "ada", Role.ADMINISTRATOR)
        add_person(store, "anna", Role.ANNOTATOR)
        reader = add_person(store, "rita", Role.READER)
        predicted = PredictedClinic(administrator)
        predicted.add_checkpoint("model-2", None)
        write_checkpoints(store)
        predicted.clinic.add_cohort(N_CASES)
        for number in range(N_STUDIES):
            make_study(administrator, [reader], name=f"study {number}", seed=number)


def write_checkpoints(store: Store) -> None:
    """Give the checkpoints' rows files that are what their seals say; nobody loads these weights."""
    with store.writing() as session:
        for checkpoint in session.scalars(select(Checkpoint)):
            folder = store.settings.checkpoints_dir / checkpoint.name
            weights = checkpoint.name.encode() * 10_000
            write_file(folder / WEIGHTS_FILE, weights)
            sealing = {"format_version": FORMAT_VERSION, "weights_sha256": content_sha256(weights)}
            card = seal_card(checkpoint.card | sealing)
            write_file(folder / CARD_FILE, json.dumps(card).encode())
            checkpoint.card, checkpoint.sha256 = card, card["sha256"]


@dataclass
class Worker:
    """Does one thing after another, chosen by chance."""

    store: Store
    chance: np.random.Generator
    back_up_dir: Path
    confirm: Callable[[Confirmed], None]

    def caller(self, username: str) -> Caller:
        with self.store.reading() as session:
            return Caller(self.store, as_actor(session.scalars(select(Person).filter_by(username=username)).one()))

    def number(self) -> int:
        return int(self.chance.integers(2**40))

    def random_row(self, column: Any) -> int:
        with self.store.reading() as session:
            return int(self.chance.choice(session.scalars(select(column)).all()))

    def import_photographs(self) -> None:
        files = [IncomingFile(f"{place}.png", photograph(self.number()), stage=Stage.ACETIC_ACID) for place in range(2)]
        day = date(2020, 1, 1) + timedelta(days=int(self.chance.integers(900)))
        report = import_images(
            self.caller("anna"), patient_code=f"W-{self.number() % 10**6:06d}", case_date=day, files=files
        )
        for outcome in report.outcomes:
            if outcome.status is ImportStatus.IMPORTED:
                self.confirm({"image": outcome.image_id})

    def paint(self) -> None:
        anna = self.caller("anna")
        opened = own_masks.open_annotation(anna, image_id=self.random_row(Image.id))
        mask = np.zeros((opened.image.height_px, opened.image.width_px), np.bool_)
        top, left = self.chance.integers(0, 12, 2)
        mask[top : top + 8, left : left + 9] = True
        code = encode_rle(mask)
        saved = own_masks.save_draft(
            anna, document_id=opened.document_id, base_seq=opened.seq, rle=code, strokes=1, active_ms=900
        )
        self.confirm({"draft": opened.document_id, "seq": saved.seq, "code": hashlib.sha256(code).hexdigest()})
        if self.chance.random() < 0.5:
            version = own_masks.submit_annotation(
                anna, document_id=opened.document_id, seq=saved.seq, sure=tuple(MaskDoubt)
            )
            self.confirm({"version": version.version_id})

    def enter_histology(self) -> None:
        grade = Grade.CIN3 if self.chance.random() < 0.5 else Grade.NORMAL
        specimen_id = add_specimen(
            self.caller("anna"), case_id=self.random_row(Case.id), kind=SpecimenKind.PUNCH_BIOPSY, grade=grade
        )
        self.confirm({"specimen": specimen_id})

    def freeze(self) -> None:
        snapshot = freeze_snapshot(self.caller("anna"), query=SnapshotQuery(f"snapshot {self.number()}"))
        self.confirm({"snapshot": snapshot.id})

    def promote(self) -> None:
        with self.store.reading() as session:
            newest = session.scalar(select(Promotion.checkpoint_id).order_by(Promotion.id.desc()).limit(1))
            other = session.scalars(select(Checkpoint.id).where(Checkpoint.id != newest)).first()
        reason = f"reason {self.number()}"
        promote_checkpoint(self.caller("ada"), checkpoint_id=other or 1, reason=reason, overrule="to prove it")
        self.confirm({"promotion": reason})

    def read(self) -> None:
        rita = self.caller("rita")
        study_id = self.random_row(Study.id)
        shown = presenting.next_case(rita, study_id=study_id)
        if shown is not None:
            readings.record_reading(rita, study_id=study_id, token=shown.token, call=Label.HSIL, confidence=50)
            self.confirm({"reading": shown.token})

    def back_up(self) -> None:
        with self.store.reading() as session:
            n_images = session.scalar(select(func.count()).select_from(Image))
        facts = back_ups.back_up(self.caller("ada"), folder=self.back_up_dir)
        assert facts.faults == ()
        self.confirm({"back_up": n_images})

    def restore(self) -> None:
        target = self.back_up_dir.with_name("restored")
        shutil.rmtree(target, ignore_errors=True)
        if (self.back_up_dir / FACTS_FILE).exists():
            facts = back_ups.restore(Settings(data_dir=target), folder=self.back_up_dir)
            assert facts.faults == ()
            self.confirm({"restored": facts.files})

    def go_on(self, stop_after: int | None = None) -> None:
        """Work until killed, or for so many steps."""
        steps: list[tuple[Callable[[], None], float]] = [
            (self.import_photographs, 4), (self.paint, 6), (self.enter_histology, 3), (self.freeze, 1),
            (self.promote, 2), (self.read, 5), (self.back_up, 1), (self.restore, 1),
        ]  # fmt: skip
        weights = np.array([weight for _, weight in steps])
        done = 0
        while stop_after is None or done < stop_after:
            step = steps[int(self.chance.choice(len(steps), p=weights / weights.sum()))][0]
            try:
                step()
            except Exception as error:
                self.confirm({"refused": f"{step.__name__}: {type(error).__name__}"})
            done += 1


def work(data_dir: Path, seed: int, *, stop_after: int | None = None) -> None:
    """Open the store and work on it; every confirmed write is a line on standard output before the next begins."""

    def confirm(line: Confirmed) -> None:
        os.write(1, (json.dumps(line) + "\n").encode())

    with closing(Store.open(Settings(data_dir=data_dir))) as store:
        chance = np.random.default_rng(seed)
        Worker(store, chance, data_dir.with_name("back-up"), confirm).go_on(stop_after)


if __name__ == "__main__":
    work(Path(os.environ["COLPO_DATA"]), int(sys.argv[1]), stop_after=int(sys.argv[2]) if len(sys.argv) > 2 else None)
