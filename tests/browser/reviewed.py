"""A case under review in a real store: three images of one size, a prediction with all its layers, and masks of two."""

import cv2
import numpy as np

from colpo_core.datasets.manifest import Manifest
from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.images.maps import MAP_NAMES, pack_maps
from colpo_core.images.probabilities import pack_probabilities
from colpo_core.labels import RULES_VERSION
from colpo_core.records.people import Actor
from colpo_core.services.common.mask_rows import store_pixels
from colpo_core.services.snapshots.learned import fill_learned
from colpo_core.simulation.cases import simulate_case
from colpo_core.store import Store
from colpo_core.store.tables import (
    Annotation,
    AnnotationVersion,
    Case,
    Checkpoint,
    Image,
    Patient,
    Person,
    Prediction,
    Promotion,
    Review,
    Snapshot,
)
from colpo_core.terms import AnnotationState, Finding, LabelSource, MaskOrigin, Role, Stage, Verdict
from tests.browser.sign_in import add_sign_in
from tests.support.clinic import make_card

TOKEN = "token-of-ada"
SERIES = ((Stage.NATIVE, None), (Stage.ACETIC_ACID, 60), (Stage.LUGOL, None))


class ReviewedCase:
    """Ada has agreed with the prediction of the acetic-acid image, so that everything may be laid over it."""

    def __init__(self, store: Store, *, width_px: int, height_px: int) -> None:
        self.width_px, self.height_px = width_px, height_px
        # A large image is drawn small and enlarged: what it shows does not matter, its size does.
        small = simulate_case(11, height_px=240, width_px=360)
        rows = np.arange(height_px) * 240 // height_px
        columns = np.arange(width_px) * 360 // width_px
        self.lesion = small.mask[rows][:, columns]
        rgb = small.rgb[rows][:, columns]
        with store.writing() as session:
            ada, ben = (
                Person(username=name, display_name=name.title(), role=role, active=True)
                for name, role in (("ada", Role.ADMINISTRATOR), ("ben", Role.ANNOTATOR))
            )
            session.add_all([ada, ben])
            session.flush()
            add_sign_in(session, ada.id, TOKEN)
            self.ada = Actor(ada.id, ada.username, ada.display_name, ada.role)
            case = Case(patient=Patient(code="p-1"))
            file = encode_clean(CleanImage(rgb, width_px=width_px, height_px=height_px))
            for stage, seconds in SERIES:
                image = Image(case=case, sha256=store.blobs.put(file.content), media_type=file.media_type)
                image.width_px, image.height_px = width_px, height_px
                image.stage, image.seconds_after_acid = stage, seconds
                session.add(image)
            session.flush()
            image = next(one for one in case.images if one.stage is Stage.ACETIC_ACID)
            self.case_id, self.image_id = case.id, image.id
            for person, shift in ((ada, 0), (ben, width_px // 40)):
                note = Annotation(
                    image_id=image.id, annotator_id=person.id, finding=Finding.ACETOWHITE,
                    state=AnnotationState.SUBMITTED, document_id=f"document-{person.id}",
                )  # fmt: skip
                session.add(note)
                session.flush()
                mask = store_pixels(session, np.roll(self.lesion, shift, axis=1))
                session.add(
                    AnnotationVersion(
                        annotation_id=note.id, number=1, author_id=person.id, mask_id=mask.id,
                        origin=MaskOrigin.PAINTED,
                    )
                )  # fmt: skip
            content = Manifest((), (), LabelSource.HISTOLOGY, RULES_VERSION, 0, (0.7, 0.15, 0.15)).to_json()
            snapshot = Snapshot(
                name="spring", sha256=store.blobs.put(content), label_source=LabelSource.HISTOLOGY,
                rules_version=RULES_VERSION, seed=0, counts={}, created_by=ada.id,
            )  # fmt: skip
            session.add(snapshot)
            session.flush()
            checkpoint = Checkpoint(
                name="model-1", sha256="c" * 64, snapshot_id=snapshot.id, label_source=LabelSource.HISTOLOGY,
                card=make_card(),
            )  # fmt: skip
            session.add(checkpoint)
            session.flush()
            session.add(Promotion(checkpoint_id=checkpoint.id, promoted_by=ada.id, reason="first"))
            probs = _smooth(small.mask)
            maps = {name: probs[::16, ::16] * (1 + place) for place, name in enumerate(MAP_NAMES)}
            prediction = Prediction(
                image_id=image.id, checkpoint_id=checkpoint.id, prob_hsil_3ch=0.4, prob_hsil_4ch=0.7, threshold_3ch=0.5,
                threshold_4ch=0.5, acetowhite_fraction=float(self.lesion.mean()),
                mask_id=store_pixels(session, self.lesion).id, maps_sha256=store.blobs.put(pack_maps(maps)),
                acetowhite_sha256=store.blobs.put(pack_probabilities(probs)),
            )  # fmt: skip
            session.add(prediction)
            session.flush()
            self.prediction_id = prediction.id
            session.add(Review(prediction_id=prediction.id, reviewer_id=ada.id, verdict=Verdict.AGREE, reason=""))
        fill_learned(store)


def _smooth(mask: np.ndarray) -> np.ndarray:
    """Probabilities up to 0.9 that rise over some pixels around a mask's outline."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 6), dtype=np.float32).clip(0, 1) * 0.9
