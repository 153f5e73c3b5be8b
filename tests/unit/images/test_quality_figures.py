import cv2
import numpy as np
import pytest

from colpo_core.images.quality_figures import image_statistics
from colpo_core.simulation.cases import simulate_case


@pytest.fixture(scope="module")
def rgb() -> np.ndarray:
    return simulate_case(11, height_px=240, width_px=320).rgb


def test_each_figure_follows_what_it_is_named_for(rgb: np.ndarray) -> None:
    plain = image_statistics(rgb)
    assert image_statistics((rgb * 0.6).astype(np.uint8)).brightness == pytest.approx(0.6 * plain.brightness, rel=0.03)
    assert image_statistics(cv2.GaussianBlur(rgb, (0, 0), 3)).sharpness < plain.sharpness - 0.5
    grey = np.repeat(rgb.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert image_statistics(grey).saturation == 0
    assert image_statistics(np.full((30, 40, 3), 120, np.uint8)).contrast == pytest.approx(0, abs=1e-9)
    assert image_statistics(np.full((30, 40, 3), 120, np.uint8)).sharpness == -6


def test_resolution_alone_moves_nothing(rgb: np.ndarray) -> None:
    plain, large = image_statistics(rgb), image_statistics(cv2.resize(rgb, (1600, 1200), interpolation=cv2.INTER_CUBIC))
    assert large.brightness == pytest.approx(plain.brightness, abs=0.01)
    assert large.saturation == pytest.approx(plain.saturation, abs=0.02)
    assert large.sharpness == pytest.approx(plain.sharpness, abs=0.15)


@pytest.mark.parametrize("bad", [np.zeros((3, 3), np.uint8), np.zeros((3, 3, 3)), np.zeros((0, 3, 3), np.uint8)])
def test_only_colour_images_are_measured(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="H x W x 3"):
        image_statistics(bad)
