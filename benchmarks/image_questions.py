"""What is asked about photographs of cervices that are filed rightly, and about those that are not.

    python -m benchmarks.image_questions                          # 120 simulated cases
    python -m benchmarks.image_questions path/to/annocerv/dataset # the AnnoCerv photographs

Two Markdown tables are printed: how often each question is asked about photographs after acetic acid as they are, which
is a false question, and how often about the same photographs filed, stained, tinted or spoilt otherwise. Stains and
filters are drawn here, each with some of the photograph's own colours left.
"""

import sys
from collections import Counter
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.near_copies import photographs
from benchmarks.shared import print_heading, print_row
from colpo_core.images.looks import image_looks, image_questions
from colpo_core.terms import ImageQuestion, Stage

Rgb = NDArray[np.uint8]
MAHOGANY, MUSTARD = (1.0, 0.6, 0.3), (1.1, 0.85, 0.4)
OWN_COLOUR = 0.3


def tinted(rgb: Rgb, colour: tuple[float, float, float]) -> Rgb:
    light = rgb @ np.array([0.299, 0.587, 0.114])
    return np.clip((1 - OWN_COLOUR) * light[:, :, None] * np.array(colour) + OWN_COLOUR * rgb, 0, 255).astype(np.uint8)


def blurred(rgb: Rgb, share: float) -> Rgb:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), share * max(rgb.shape)), np.uint8)


def grey(rgb: Rgb) -> Rgb:
    return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)


# What it is, what is done to the photograph, under which stage it is filed, and what must be asked; None for anything.
SPOILT: tuple[tuple[str, Callable[[Rgb], Rgb], Stage, ImageQuestion | None], ...] = (
    ("iodine, mahogany", lambda rgb: tinted(rgb, MAHOGANY), Stage.ACETIC_ACID, ImageQuestion.IODINE),
    ("iodine, mustard", lambda rgb: tinted(rgb, MUSTARD), Stage.ACETIC_ACID, ImageQuestion.IODINE),
    ("green filter", lambda rgb: tinted(rgb, (0.3, 1.0, 0.6)), Stage.ACETIC_ACID, ImageQuestion.GREEN_FILTER),
    ("filed as iodine", lambda rgb: rgb, Stage.LUGOL, ImageQuestion.NO_IODINE),
    ("filed as green filter", lambda rgb: rgb, Stage.GREEN_FILTER, ImageQuestion.NO_GREEN),
    ("grey", grey, Stage.ACETIC_ACID, ImageQuestion.GREY),
    ("a quarter of the light", lambda rgb: (rgb * 0.25).astype(np.uint8), Stage.ACETIC_ACID, ImageQuestion.DARK),
    ("blurred by 0.4% of the side", lambda rgb: blurred(rgb, 0.004), Stage.ACETIC_ACID, ImageQuestion.BLURRED),
    ("blurred by 1% of the side", lambda rgb: blurred(rgb, 0.01), Stage.ACETIC_ACID, ImageQuestion.BLURRED),
    ("red and blue exchanged", lambda rgb: rgb[:, :, ::-1], Stage.ACETIC_ACID, None),
)


def ask(rgb: Rgb, stage: Stage) -> tuple[ImageQuestion, ...]:
    looks = image_looks(np.ascontiguousarray(rgb))
    return image_questions(looks, stage=stage, height_px=rgb.shape[0], width_px=rgb.shape[1])


def main() -> None:
    collection = sys.argv[1] if len(sys.argv) > 1 else None
    false: Counter[str] = Counter()
    right: Counter[str] = Counter()
    blue, red, count = [], [], 0
    for _, _, rgb in photographs(collection):
        count += 1
        questions = ask(rgb, Stage.ACETIC_ACID)
        false.update(question.value for question in questions)
        false["any"] += bool(questions)
        looks = image_looks(rgb)
        blue.append(looks.green_minus_blue)
        red.append(looks.green_minus_red)
        for name, spoil, stage, question in SPOILT:
            questions = ask(spoil(rgb), stage)
            right[name] += question in questions if question else bool(questions)
    print(f"{count} photographs after acetic acid; green minus blue {min(blue):.2f} to {max(blue):.2f}, ", end="")
    print(f"green minus red {min(red):.2f} to {max(red):.2f}\n")
    print_heading("asked falsely", "images")
    for name, number in sorted(false.items()):
        print_row(name, f"{number} ({number / count:.1%})")
    print()
    print_heading("filed or spoilt", "asked about")
    for name, *_ in SPOILT:
        print_row(name, f"{right[name] / count:.1%}")


if __name__ == "__main__":
    main()
