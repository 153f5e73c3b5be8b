"""One image in, one prediction out."""

import math
from copy import deepcopy
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from colpo_core.images.maps import MAP_NAMES, pack_maps
from colpo_core.inference.predict import direction, mean_entropy, predict_image
from colpo_core.nets.frames import to_batch
from colpo_core.nets.gradcam import class_maps
from colpo_core.nets.pipeline import Pipeline
from colpo_core.terms import Label


def draw(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(96, 128), (480, 640), (61, 203), (203, 61), (9, 7)])
def test_everything_is_in_the_images_own_frame(pipeline: Pipeline, size: tuple[int, int]) -> None:
    prediction = predict_image(pipeline, draw(*size))
    assert prediction.mask.shape == size
    assert prediction.mask.dtype == np.bool_
    assert prediction.acetowhite_fraction == prediction.mask.mean()
    assert 0 <= prediction.prob_hsil_3ch <= 1
    assert 0 <= prediction.prob_hsil_4ch <= 1
    assert tuple(prediction.maps) == MAP_NAMES
    for values in prediction.maps.values():
        assert values.dtype == np.float32
        assert values.min() >= 0
        # Same proportions as the image, to a cell's quarter.
        scale = min(96 / size[0], 128 / size[1]) / 8
        if values.shape != (3, 4):
            assert abs(values.shape[0] - size[0] * scale) <= 1
            assert abs(values.shape[1] - size[1] * scale) <= 1
    pack_maps(prediction.maps)


def test_it_is_what_the_networks_say(pipeline: Pipeline) -> None:
    rgb = draw(96, 128)
    images = torch.from_numpy(rgb.astype(np.float32) / 255).permute(2, 0, 1)[None]
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        output = pipeline(images)
        hsil = class_maps(output.features_4ch, pipeline.classifier_4ch.class_weights)[0, 1].numpy()
    prediction = predict_image(pipeline, rgb)
    assert prediction.prob_hsil_3ch == pytest.approx(float(output.logits_3ch.softmax(1)[0, 1]), abs=1e-6)
    assert prediction.prob_hsil_4ch == pytest.approx(float(output.logits_4ch.softmax(1)[0, 1]), abs=1e-6)
    assert np.array_equal(prediction.mask, output.acetowhite[0, 0].numpy() >= 0.5)
    assert 0 < prediction.acetowhite_fraction < 1
    assert np.allclose(prediction.maps["4ch-hsil"], hsil, atol=1e-6)


def test_calibration_and_highlights_are_those_of_the_spec(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colpo_core.images.highlights.fill_highlights", lambda rgb: rgb // 3)
    rgb = draw(50, 70)
    plain = predict_image(pipeline, rgb // 3)
    changed = replace(pipeline.spec, mask_highlights=True, temperature_3ch=4.0, intercept_3ch=-1.0)
    monkeypatch.setattr(pipeline, "spec", changed)
    prediction = predict_image(pipeline, rgb)
    assert np.array_equal(prediction.mask, plain.mask)
    assert prediction.prob_hsil_4ch == plain.prob_hsil_4ch

    def odds(prob: float) -> float:
        return math.log(prob / (1 - prob))

    assert odds(prediction.prob_hsil_3ch) == pytest.approx(odds(plain.prob_hsil_3ch) / 4 - 1, rel=1e-3)
    assert pack_maps(prediction.maps) == pack_maps(plain.maps)


def test_twice_is_the_same(pipeline: Pipeline) -> None:
    first, second = predict_image(pipeline, draw(50, 70)), predict_image(pipeline, draw(50, 70))
    assert first.prob_hsil_4ch == second.prob_hsil_4ch
    assert np.array_equal(first.mask, second.mask)
    assert pack_maps(first.maps) == pack_maps(second.maps)


def test_calls_follow_the_frozen_thresholds_and_the_threshold_itself_is_hsil(pipeline: Pipeline) -> None:
    prediction = predict_image(pipeline, draw(96, 128), with_maps=False)
    assert (prediction.threshold_3ch, prediction.threshold_4ch) == (0.4, 0.6)
    assert prediction.maps == {}
    at_threshold = replace(prediction, prob_hsil_3ch=0.4, prob_hsil_4ch=0.6)
    assert at_threshold.call_3ch is at_threshold.call_4ch is Label.HSIL
    assert replace(prediction, prob_hsil_3ch=0.39).call_3ch is Label.NORMAL
    assert replace(prediction, prob_hsil_4ch=0.59).call_4ch is Label.NORMAL


def test_padding_is_no_part_of_the_mask_or_its_share(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "spec", replace(pipeline.spec, mask_threshold=0.0))
    assert predict_image(pipeline, draw(20, 200), with_maps=False).acetowhite_fraction == 1.0


def test_a_class_without_positive_evidence_has_an_empty_map(pipeline: Pipeline) -> None:
    changed = deepcopy(pipeline)
    weights = changed.classifier_3ch.class_weights
    with torch.no_grad():
        weights[0] = -weights[0].abs()
    maps = predict_image(changed, draw(61, 203)).maps
    assert not maps["3ch-normal"].any()
    assert maps["3ch-normal"].size > 0
    assert maps["4ch-hsil"].any()


def test_what_is_no_image_is_a_programmers_mistake(pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match="H x W x 3 uint8"):
        predict_image(pipeline, np.zeros((4, 4), np.uint8))


def test_a_pipeline_in_training_is_a_programmers_mistake(learning: Pipeline) -> None:
    with pytest.raises(ValueError, match="training mode"):
        predict_image(learning, draw(32, 32))


def test_the_entropy_is_that_of_the_segmentation_over_the_image_alone(pipeline: Pipeline) -> None:
    rgb = draw(96, 128)
    with torch.inference_mode():
        probs = pipeline(to_batch(rgb, pipeline.device)).acetowhite[0, 0].double().numpy()
    expected = -(probs * np.log2(probs) + (1 - probs) * np.log2(1 - probs))
    assert predict_image(pipeline, rgb, with_maps=False).mask_entropy == pytest.approx(expected.mean(), abs=1e-6)


def test_padding_is_no_part_of_the_entropy(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    monkeypatch.setattr("colpo_core.inference.predict.mean_entropy", lambda probs: seen.append(probs.shape) or 0.0)
    predict_image(pipeline, draw(20, 200), with_maps=False)
    assert seen == [(13, 128)]


@pytest.mark.parametrize(("prob", "bits"), [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0), (0.25, 0.8112781), (0.75, 0.8112781)])
def test_the_entropy_runs_from_sure_to_one_bit(prob: float, bits: float) -> None:
    assert mean_entropy(np.full((4, 5), prob, np.float32)) == pytest.approx(bits, abs=1e-7)


def test_the_entropy_is_the_mean_over_the_pixels() -> None:
    half = np.zeros((2, 4), np.float32)
    half[0] = 0.5
    assert mean_entropy(half) == pytest.approx(0.5)


@pytest.mark.parametrize("size", [(96, 128), (61, 203), (300, 90)])
def test_the_probabilities_are_those_that_the_mask_is_made_of(pipeline: Pipeline, size: tuple[int, int]) -> None:
    prediction = predict_image(pipeline, draw(*size))
    probs = prediction.acetowhite
    assert (probs.min() >= 0, probs.max() <= 1) == (True, True)
    assert probs.shape[1] / probs.shape[0] == pytest.approx(size[1] / size[0], rel=0.05), "over exactly the image"
    enlarged = cv2.resize(probs, size[::-1], interpolation=cv2.INTER_LINEAR) >= pipeline.spec.mask_threshold
    assert (enlarged == prediction.mask).mean() > 0.999
    assert predict_image(pipeline, draw(*size), with_maps=False).acetowhite is None


def test_features_point_where_the_four_channel_network_looks(pipeline: Pipeline) -> None:
    rgb = draw(96, 128)
    found = predict_image(pipeline, rgb).features
    with torch.inference_mode():
        pooled = pipeline(to_batch(rgb, pipeline.device)).features_4ch.mean(dim=(2, 3))[0].numpy()
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert found == pytest.approx(pooled / np.linalg.norm(pooled), abs=1e-5)
    assert np.array_equal(direction(np.zeros(3, np.float32)), np.zeros(3, np.float32))
