from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from colpo_core.images.looks import ImageLooks, image_looks, image_questions
from colpo_core.simulation.cases import simulate_case
from colpo_core.terms import ImageQuestion, Stage

Rgb = NDArray[np.uint8]


def asked(rgb: Rgb, stage: Stage = Stage.ACETIC_ACID) -> tuple[ImageQuestion, ...]:
    return image_questions(image_looks(rgb), stage=stage, height_px=480, width_px=640)


def tinted(rgb: Rgb, *colour: float) -> Rgb:
    """As if it were stained: each pixel's brightness in one colour."""
    light = rgb @ np.array([0.3, 0.59, 0.11])
    return np.clip(light[:, :, None] * np.array(colour), 0, 255).astype(np.uint8)


def iodine(rgb: Rgb) -> Rgb:
    """Mahogany, with some of the image's own colours left."""
    stained = 0.75 * tinted(rgb, 1.0, 0.62, 0.25) + 0.25 * rgb
    return stained.astype(np.uint8)


def behind_green(rgb: Rgb) -> Rgb:
    return (rgb[:, :, 1:2] * np.array([0.35, 1.0, 0.55])).astype(np.uint8)


@pytest.fixture(scope="module")
def photographs() -> list[Rgb]:
    return [simulate_case(300 + number, height_px=240, width_px=320).rgb for number in range(12)]


def test_nothing_is_asked_about_what_looks_as_it_is_filed(photographs: list[Rgb]) -> None:
    for rgb in photographs:
        assert asked(rgb) == ()
        assert asked(rgb, Stage.NATIVE) == ()
        assert asked(iodine(rgb), Stage.LUGOL) == ()
        assert asked(behind_green(rgb), Stage.GREEN_FILTER) == ()


def test_a_wrong_stage_is_asked_about_both_ways(photographs: list[Rgb]) -> None:
    for rgb in photographs:
        assert asked(iodine(rgb)) == (ImageQuestion.IODINE,)
        assert asked(iodine(rgb), Stage.NATIVE) == (ImageQuestion.IODINE,)
        assert asked(iodine(rgb), Stage.GREEN_FILTER) == (ImageQuestion.IODINE,)
        assert asked(behind_green(rgb)) == (ImageQuestion.GREEN_FILTER,)
        assert asked(behind_green(rgb), Stage.LUGOL) == (ImageQuestion.GREEN_FILTER,)
        assert asked(rgb, Stage.LUGOL) in ((ImageQuestion.NO_IODINE,), ())
        assert asked(rgb, Stage.GREEN_FILTER) == (ImageQuestion.NO_GREEN,)
    assert sum(asked(rgb, Stage.LUGOL) == (ImageQuestion.NO_IODINE,) for rgb in photographs) >= 9


def test_exposure_and_size_do_not_move_the_answers(photographs: list[Rgb]) -> None:
    for rgb in photographs[:4]:
        for copy in ((rgb * 0.7).astype(np.uint8), cv2.resize(rgb, (640, 480)), np.ascontiguousarray(rgb[:, ::-1])):
            assert asked(np.asarray(copy, np.uint8)) == ()
            assert asked(iodine(np.asarray(copy, np.uint8))) == (ImageQuestion.IODINE,)


def test_pictures_that_are_no_photographs_of_a_cervix_are_asked_about(photographs: list[Rgb]) -> None:
    rgb = photographs[0]
    grey = np.repeat(rgb.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    assert asked(grey) == (ImageQuestion.GREY,)
    assert asked(grey, Stage.GREEN_FILTER) == (), "some devices keep it grey"
    assert asked((rgb * 0.2).astype(np.uint8)) == (ImageQuestion.DARK,)
    assert asked((255 - rgb * 0.1).astype(np.uint8)) == (ImageQuestion.BRIGHT,)
    assert asked(np.asarray(cv2.GaussianBlur(rgb, (0, 0), 6), np.uint8)) == (ImageQuestion.BLURRED,)
    page = np.full((240, 320, 3), 190, np.uint8)
    page[60:64, 20:300] = (60, 20, 20)
    assert asked(page) == (ImageQuestion.DRAWN,)
    sky = np.ascontiguousarray(rgb[:, :, ::-1])
    assert asked(sky) in ((ImageQuestion.NO_TISSUE,), (ImageQuestion.GREEN_FILTER,))
    assert image_questions(image_looks(rgb), stage=Stage.ACETIC_ACID, height_px=120, width_px=400) == (
        ImageQuestion.SMALL,
    )


def test_figures_are_what_they_say() -> None:
    rgb = np.zeros((64, 64, 3), np.uint8)
    rgb[:, :32], rgb[:, 32:] = (200, 120, 60), (200, 120, 60)
    looks = image_looks(rgb)
    assert looks.green_minus_blue == pytest.approx(60 / 200)
    assert looks.green_minus_red == pytest.approx(-80 / 200)
    assert looks.colourfulness == pytest.approx(140 / 200)
    assert (looks.redness, looks.flatness) == (1.0, 1.0)
    assert (looks.brightest, looks.palest, looks.sharpness) == (200.0, 60.0, -6.0)


def test_the_black_surround_and_glare_do_not_count(photographs: list[Rgb]) -> None:
    rgb = iodine(photographs[0]).copy()
    rgb[:, :100] = 0
    rgb[:30] = 255
    assert image_looks(rgb).green_minus_blue == pytest.approx(
        image_looks(iodine(photographs[0])).green_minus_blue, abs=0.05
    )


def test_thresholds_are_crossed_not_touched(photographs: list[Rgb]) -> None:
    looks: ImageLooks = image_looks(photographs[0])
    at = {"stage": Stage.ACETIC_ACID, "height_px": 480, "width_px": 640}
    assert image_questions(replace(looks, green_minus_blue=0.12), **at) == ()  # type: ignore[arg-type]
    assert image_questions(replace(looks, green_minus_blue=0.121), **at) == (ImageQuestion.IODINE,)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_image_is_refused(wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="H x W x 3"):
        image_looks(wrong)
