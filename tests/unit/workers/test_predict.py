"""What a prediction job writes of an image, with a pipeline that is told what to say."""

import numpy as np
import pytest

from colpo_core.evaluation.likeness import unpack_features
from colpo_core.images.decoding import read_rgb
from colpo_core.images.maps import MAP_NAMES
from colpo_core.images.probabilities import unpack_probabilities
from colpo_core.images.quality_figures import image_statistics
from colpo_core.inference.predict import ImagePrediction
from colpo_core.services.common.callers import Caller
from colpo_core.services.jobs.leases import claim_job
from colpo_core.store import Store
from colpo_core.store.tables import Image, ImageFigures, Job, Prediction, PredictionFeatures
from colpo_core.terms import JobKind
from colpo_core.workers.predict import Pace, run_prediction
from tests.support.clinic import SIDE_PX, PredictedClinic


def test_everything_that_is_predicted_is_kept(
    store: Store, administrator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted = PredictedClinic(administrator)
    image_id = predicted.clinic.add_case().image_id
    mask = np.zeros((SIDE_PX, SIDE_PX), np.bool_)
    mask[:8] = True
    maps = {name: np.ones((2, 2), np.float32) for name in MAP_NAMES}
    probs, features = np.full((3, 3), 0.2, np.float32), np.array([0.6, 0.8], np.float32)
    said = ImagePrediction(mask, 0.3, 0.7, float(mask.mean()), 0.42, 0.5, 0.6, maps, probs, features)
    monkeypatch.setattr("colpo_core.nets.checkpoint.load_checkpoint", lambda *_, **__: (None, {}))
    monkeypatch.setattr("colpo_core.workers.predict._predict", lambda *_: said)
    with store.writing() as session:
        settings = {"checkpoint_id": predicted.checkpoint_id, "image_ids": [image_id]}
        job = Job(kind=JobKind.PREDICT, settings=settings, created_by=administrator.person_id)
        session.add(job)
        session.flush()
        job_id = job.id
    lease = claim_job(store, job_id, host="here", pid=1)
    run_prediction(lease, lambda: False)
    with store.reading() as session:
        row = session.query(Prediction).filter_by(image_id=image_id).one()
        kept = session.get_one(PredictionFeatures, row.id).features
        figures = session.get_one(ImageFigures, image_id)
        rgb = read_rgb(store.blobs.get(session.get_one(Image, image_id).sha256))
    assert (row.prob_hsil_3ch, row.prob_hsil_4ch, row.threshold_3ch, row.threshold_4ch) == (0.3, 0.7, 0.5, 0.6)
    assert (row.acetowhite_fraction, row.mask_entropy) == (0.125, 0.42)
    assert figures.brightness == pytest.approx(image_statistics(rgb).brightness)
    assert unpack_features([kept])[0] == pytest.approx(features, abs=1e-3)
    assert unpack_probabilities(store.blobs.get(row.acetowhite_sha256)) == pytest.approx(probs)


def test_how_quick_it_goes_is_told_now_and_then() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    told = []
    for _ in range(12):
        now[0] += 3.0
        told.append(pace.after_one())
    assert [speed for speed in told if speed is not None] == pytest.approx([4 / 12] * 3)
    assert [place for place, speed in enumerate(told) if speed is not None] == [3, 7, 11]
