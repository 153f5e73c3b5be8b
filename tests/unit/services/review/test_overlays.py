"""What a checkpoint says of an image is drawn at the image's size, or as small as is asked."""

import io

import numpy as np
import pytest
from PIL import Image as Picture

from colpo_core.errors import ColpoError, NotFound
from colpo_core.images.probabilities import pack_probabilities
from colpo_core.services.common.callers import Caller
from colpo_core.services.review import desk as review
from colpo_core.services.review import overlays
from colpo_core.store import Store
from colpo_core.store.tables import Prediction
from tests.support.clinic import SIDE_PX, PredictedClinic, draw
from tests.support.refusals import refused
from tests.support.store_rows import change


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Picture.open(io.BytesIO(png)))


def test_overlays_have_the_size_of_the_image(annotator: Caller, desk: PredictedClinic) -> None:
    prediction_id = desk.predictions[0]
    _, mask = draw(desk.cases[0].image_id, lesion=True)
    overlay = pixels(overlays.prediction_mask_png(annotator, prediction_id=prediction_id))
    assert overlay.shape == (SIDE_PX, SIDE_PX, 4)
    assert np.array_equal(overlay[..., 3] > 0, mask)
    brightest = {}
    for name in ("3ch-normal", "3ch-hsil", "4ch-hsil"):
        drawn = pixels(overlays.prediction_map_png(annotator, prediction_id=prediction_id, name=name))
        assert drawn.shape == (SIDE_PX, SIDE_PX, 4)
        brightest[name] = int(drawn[..., 3].max())
    assert brightest["3ch-hsil"] > brightest["3ch-normal"] > brightest["4ch-hsil"] == 0
    with pytest.raises(NotFound, match="no map"):
        overlays.prediction_map_png(annotator, prediction_id=prediction_id, name="5ch")


def test_the_probabilities_are_given_as_they_were_kept(store: Store, annotator: Caller, desk: PredictedClinic) -> None:
    prediction_id = desk.predictions[0]
    change(store, Prediction, prediction_id, acetowhite_sha256=None)
    with pytest.raises(NotFound, match="older"):
        overlays.prediction_probability_png(annotator, prediction_id=prediction_id)
    kept = pack_probabilities(np.full((4, 4), 0.25, np.float32))
    sha256 = store.blobs.put(kept)
    change(store, Prediction, prediction_id, acetowhite_sha256=sha256)
    assert overlays.prediction_probability_png(annotator, prediction_id=prediction_id) == kept
    series = review.open_review(annotator, prediction_id=prediction_id).series
    assert [one.has_probabilities for one in series] == [True]
    store.blobs.path(sha256).write_bytes(b"not a picture")
    refused(ColpoError, lambda: overlays.prediction_probability_png(annotator, prediction_id=prediction_id))


def test_a_map_is_drawn_no_larger_than_asked(annotator: Caller, desk: PredictedClinic) -> None:
    caller, ask = annotator, {"prediction_id": desk.predictions[0], "name": "3ch-hsil"}
    assert pixels(overlays.prediction_map_png(caller, **ask)).shape[:2] == (SIDE_PX, SIDE_PX)
    assert pixels(overlays.prediction_map_png(caller, **ask, most_px=16)).shape[:2] == (16, 16)
    assert pixels(overlays.prediction_map_png(caller, **ask, most_px=4000)).shape[:2] == (SIDE_PX, SIDE_PX)
