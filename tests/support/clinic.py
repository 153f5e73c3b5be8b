"""A small clinic for tests: cases with real image files, masks and labels, written straight into the store."""

from dataclasses import asdict, dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.datasets.manifest import Manifest, ManifestItem
from colpo_core.evaluation.masks import mask_figures, segmentation_figures
from colpo_core.evaluation.probabilities import Judged, probability_figures
from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.images.maps import pack_maps
from colpo_core.images.probabilities import pack_probabilities
from colpo_core.labels import RULES_VERSION, label_from_histology, label_from_impression
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.mask_rows import store_pixels
from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.store import Store
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    Case,
    CaseLabel,
    Checkpoint,
    Image,
    Patient,
    Person,
    Prediction,
    Promotion,
    Snapshot,
)
from colpo_core.terms import (
    AnnotationState,
    Colposcopy,
    Finding,
    Grade,
    Label,
    LabelSource,
    MaskOrigin,
    Role,
    Split,
    Stage,
)
from tests.support.store_rows import add

SIDE_PX = 64


@dataclass(frozen=True)
class ClinicCase:
    patient_id: int
    case_id: int
    image_id: int
    annotation_id: int | None


class Clinic:
    """Adds cases one by one; each has a patient of her own unless one is named."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._number = 0
        with store.writing() as session:
            self.painter = session.scalar(select(Person).where(Person.username == "painter")) or Person(
                username="painter", display_name="Painter", role=Role.ANNOTATOR, active=True
            )
            session.add(self.painter)
            session.flush()
            self.painter_id = self.painter.id

    def add_case(
        self,
        *,
        grades: tuple[Grade, ...] = (Grade.NORMAL,),
        swede_score: int | None = None,
        masked: bool = True,
        state: AnnotationState = AnnotationState.SUBMITTED,
        origin: MaskOrigin = MaskOrigin.PAINTED,
        stage: Stage = Stage.ACETIC_ACID,
        shows_cervix: bool = True,
        simulated: bool = False,
        patient_id: int | None = None,
        case_date: date | None = None,
        photograph: NDArray[np.uint8] | None = None,
    ) -> ClinicCase:
        self._number += 1
        rgb, mask = draw(self._number, lesion=any(grade in (Grade.CIN2, Grade.CIN3) for grade in grades))
        rgb = rgb if photograph is None else photograph
        clean = encode_clean(CleanImage(rgb, SIDE_PX, SIDE_PX))
        sha256 = self.store.blobs.put(clean.content)
        with self.store.writing() as session:
            patient = session.get(Patient, patient_id) if patient_id else Patient(code=f"p{self._number}")
            case = Case(patient=patient, case_date=case_date, swede_total=swede_score, simulated=simulated)
            image = Image(
                case=case,
                sha256=sha256,
                media_type="image/png",
                width_px=SIDE_PX,
                height_px=SIDE_PX,
                stage=stage,
                shows_cervix=shows_cervix,
                simulated=simulated,
            )
            session.add(image)
            session.flush()
            decisions = [label_from_histology(grades, Colposcopy.NOT_RECORDED)]
            if swede_score is not None:
                decisions.append(label_from_impression(swede_score))
            session.add_all(CaseLabel(case_id=case.id, **asdict(decision)) for decision in decisions)
            annotation = Annotation(
                image_id=image.id,
                annotator_id=self.painter_id,
                finding=Finding.ACETOWHITE,
                state=state,
                document_id=f"document-{self._number}",
            )
            if masked:
                session.add(annotation)
                session.flush()
                if state is not AnnotationState.DRAFT:
                    self._add_version(session, annotation.id, 1, mask, origin)
            return ClinicCase(case.patient_id, case.id, image.id, annotation.id)

    def add_version(self, annotation_id: int, mask: NDArray[np.bool_]) -> int:
        with self.store.writing() as session:
            found = select(AnnotationVersion).where(AnnotationVersion.annotation_id == annotation_id)
            number = len(list(session.scalars(found))) + 1
            return self._add_version(session, annotation_id, number, mask, MaskOrigin.PAINTED)

    def add_cohort(self, n_cases: int, **changes: object) -> list[ClinicCase]:
        """Half of them normal, half HSIL, all with a mask."""
        return [
            self.add_case(grades=(Grade.CIN3 if number % 2 else Grade.NORMAL,), **changes) for number in range(n_cases)
        ]

    def _add_version(
        self, session: Session, annotation_id: int, number: int, mask: NDArray[np.bool_], origin: MaskOrigin
    ) -> int:
        version = AnnotationVersion(
            annotation_id=annotation_id,
            number=number,
            author_id=self.painter_id,
            mask_id=store_pixels(session, mask).id,
            origin=origin,
        )
        session.add(version)
        session.flush()
        return version.id


class PredictedClinic:
    """Three cases that a promoted checkpoint has predicted."""

    def __init__(self, administrator: Caller) -> None:
        self.clinic = clinic = Clinic(administrator.store)
        self.store = administrator.store
        self.cases: list[ClinicCase] = [
            clinic.add_case(grades=(grade,)) for grade in (Grade.NORMAL, Grade.CIN3, Grade.INVASIVE_CARCINOMA)
        ]
        sha256 = administrator.store.blobs.put(self._manifest().to_json())
        with administrator.store.writing() as session:
            snapshot = Snapshot(
                name="s",
                sha256=sha256,
                label_source=LabelSource.IMPRESSION,
                rules_version="r",
                seed=0,
                counts={},
                created_by=administrator.person_id,
            )
            session.add(snapshot)
            session.flush()
            self.snapshot_id = snapshot.id
        self.checkpoint_id = self.add_checkpoint("model-1", administrator)
        self.predictions = [self.predict(case.image_id, self.checkpoint_id) for case in self.cases]

    def _manifest(self) -> Manifest:
        """What the checkpoints have learned from: none of the cases but the last."""
        case = self.cases[-1]
        with self.store.reading() as session:
            image_sha256 = session.get_one(Image, case.image_id).sha256
        item = ManifestItem(
            image_sha256, case.image_id, case.case_id, case.patient_id, Split.TRAIN, SIDE_PX, SIDE_PX,
            Label.HSIL, Grade.CIN3, None, None, simulated=False,
        )  # fmt: skip
        return Manifest((item,), (), LabelSource.IMPRESSION, RULES_VERSION, 0, (1.0, 0.0, 0.0))

    def add_checkpoint(self, name: str, administrator: Caller | None) -> int:
        with self.store.writing() as session:
            checkpoint = Checkpoint(
                name=name,
                sha256="c" * 64,
                snapshot_id=self.snapshot_id,
                label_source=LabelSource.IMPRESSION,
                card=make_card(),
            )
            session.add(checkpoint)
            session.flush()
            if administrator:
                session.add(
                    Promotion(checkpoint_id=checkpoint.id, promoted_by=administrator.person_id, reason="better")
                )
        fill_learned(self.store)
        return checkpoint.id

    def predict(self, image_id: int, checkpoint_id: int) -> int:
        _, mask = draw(image_id, lesion=True)
        maps = {name: np.zeros((2, 2), np.float32) for name in ("3ch-normal", "3ch-hsil", "4ch-normal", "4ch-hsil")}
        maps["3ch-hsil"][0, 0] = 4.0
        maps["3ch-normal"][1, 1] = 1.0
        sha256 = self.store.blobs.put(pack_maps(maps))
        acetowhite_sha256 = self.store.blobs.put(pack_probabilities(mask[::4, ::4].astype(np.float32)))
        with self.store.writing() as session:
            prediction = Prediction(
                image_id=image_id,
                checkpoint_id=checkpoint_id,
                prob_hsil_3ch=0.4,
                prob_hsil_4ch=0.6,
                threshold_3ch=0.5,
                threshold_4ch=0.6,
                acetowhite_fraction=float(mask.mean()),
                mask_id=store_pixels(session, mask).id,
                maps_sha256=sha256,
                acetowhite_sha256=acetowhite_sha256,
            )
            session.add(prediction)
            session.flush()
            return prediction.id


def make_card() -> dict[str, object]:
    """A card as a training writes it, with figures of a few made-up calls."""
    judged = [Judged(case, case, Label.HSIL if case % 2 else Label.NORMAL, 0.1 + case / 10) for case in range(8)]
    block = asdict(probability_figures(judged, threshold=0.5, resamples=50))
    chance = np.random.default_rng(0)
    pairs = [mask_figures(chance.random((9, 9)) < 0.5, chance.random((9, 9)) < 0.5) for _ in range(4)]
    metrics = {
        "segmentation": asdict(segmentation_figures(pairs, [1, 2, 3, 4])),
        "classification_3ch": {"image": block, "case": block | {"all_called": None}},
        "classification_4ch": {"image": block, "case": block | {"all_called": None}},
    }
    sides = {"train": 4, "validation": 2, "test": 2}
    return {
        "rules_version": "kim-2022.1",
        "snapshot_sha256": "5" * 64,
        "settings": {"preset": "quick", "seed": 0},
        "architecture": {"classifier": "resnet18"},
        "metrics": metrics | {"validation": metrics},
        "trained_on": {
            "patients": sides,
            "masks": sides,
            "case_labels": {side: {"normal": 1, "hsil": 1} for side in sides},
        },
        "limits": ["For research. It is not a medical device."],
    }


def draw(seed: int, *, lesion: bool) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A reddish, blotchy image of 64 pixels a side; with a lesion, a pale disc in it, which is the mask."""
    chance = np.random.default_rng(seed)
    rgb = np.clip(chance.normal((170, 80, 80), 12, (SIDE_PX, SIDE_PX, 3)), 0, 255)
    rows, columns = np.mgrid[:SIDE_PX, :SIDE_PX]
    centre, radius = chance.integers(20, 44, 2), chance.integers(8, 16)
    mask = ((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2) & lesion
    rgb[mask] += (40, 110, 110)
    # Without blotches of their own two images with a disc would be near copies of each other.
    rgb += np.kron(chance.normal(0, 26, (8, 8)), np.ones((8, 8)))[:, :, None]
    return np.clip(rgb, 0, 255).astype(np.uint8), mask


def add_view(owner: Store | Caller, case_id: int, stage: Stage, *, mark: str = "e", **changes: object) -> int:
    """Add another image to a case; it has no file unless its SHA-256 is that of one."""
    values = {"sha256": mark * 64, "media_type": "image/png", "width_px": 32, "height_px": 24} | changes
    return add(owner, Image(case_id=case_id, stage=stage, **values))


def do_something(caller: Caller) -> None:
    """A deed of no kind: the store's log grows by a line, and what was counted before is counted anew."""
    with caller.store.writing() as session:
        audit.record(session, caller.actor, "do", "something")
