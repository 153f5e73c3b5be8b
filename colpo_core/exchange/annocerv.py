"""Read the AnnoCerv data set in the layout of its download.

    <folder>/swede_scores.csv            one Swede score a line, line N for case N; begins with a byte-order mark
    <folder>/Case N/CNAceto (k).jpg      a photograph after acetic acid
    <folder>/Case N/CNAceto (k).png      transparent but for what the expert drew on it

Of the drawing, the outline of acetowhite areas is read: magenta. The full download holds iodine and green-filter
photographs and other colours too; they are left aside. A Swede score is an impression, never histology.

Source: Minciună et al., "AnnoCerv: A new dataset for feature-driven and image-based automated colposcopy analysis",
Acta Universitatis Sapientiae, Informatica, 2023.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colpo_core.errors import InputRejected
from colpo_core.images.decoding import DECODER_ERRORS

SCORES_NAME = "swede_scores.csv"
HIGHEST_SWEDE_SCORE = 10
_CASE_NAME = re.compile(r"Case (\d+)")
_IMAGE_NAME = re.compile(r"C(\d+)Aceto \((\d+)\)\.jpe?g", re.IGNORECASE)
_ORIENTATION = 0x0112
_LYING = {5, 6, 7, 8}
_LEAST_ALPHA = 128
_COLOUR_TOLERANCE = 60
_MAGENTA = np.array([255, 0, 255], np.int16)


@dataclass(frozen=True)
class AnnoCervImage:
    """One photograph after acetic acid.

    Attributes:
        path: The photograph.
        name: Its file name.
    """

    path: Path
    name: str

    def load(self) -> bytes:
        """Read the photograph's bytes.

        Raises:
            InputRejected: It cannot be read.
        """
        return _read(self.path)

    @cached_property
    def outline(self) -> NDArray[np.bool_] | None:
        """The outline that an expert drew, read when first asked for.

        H x W bool, True on the curve; None where the expert marked no acetowhite area or drew nothing.

        Raises:
            InputRejected: The drawing is not an image, or not of the photograph's size.
        """
        drawing = self.path.with_suffix(".png")
        if not drawing.is_file():
            return None
        try:
            height_px, width_px = _upright_size(self.path)
            with Image.open(io.BytesIO(_read(drawing)), formats=("PNG",)) as image:
                if image.size != (width_px, height_px):  # told by the header, before anything is decoded
                    raise InputRejected(
                        f"The drawing {drawing.name} and its photograph differ in size. Fetch both again."
                    )
                rgba = np.asarray(image.convert("RGBA"))
        except (*DECODER_ERRORS, Image.DecompressionBombError) as error:
            raise InputRejected(f"The drawing {drawing.name} is damaged. Fetch it again from the data set.") from error
        away = np.abs(rgba[:, :, :3].astype(np.int16) - _MAGENTA).max(axis=2)
        curve = (rgba[:, :, 3] >= _LEAST_ALPHA) & (away <= _COLOUR_TOLERANCE)
        return np.asarray(curve, np.bool_) if curve.any() else None


@dataclass(frozen=True)
class AnnoCervCase:
    """One examination of one patient.

    Attributes:
        number: The data set's number of the case.
        patient_code: A code for its patient, such as `annocerv-7`.
        swede_score: 0 to 10, or None where none is recorded.
        images: Its photographs after acetic acid, in the data set's order.
    """

    number: int
    patient_code: str
    swede_score: int | None
    images: tuple[AnnoCervImage, ...]


def read_annocerv(folder: Path) -> Iterator[AnnoCervCase]:
    """Read the cases of a folder one after the other, by number; photographs are read when asked for.

    The layout is checked at once, before the first case is asked for.

    Args:
        folder: The folder that holds `swede_scores.csv` and the folders `Case N`.

    Raises:
        InputRejected: The folder does not have the layout, or a score cannot be read.
    """
    if not folder.is_dir():
        raise InputRejected(
            f"There is no folder {folder}. Give the folder that holds {SCORES_NAME} and Case 1, Case 2 …"
        )
    numbers = _case_numbers(folder)
    if not numbers:
        raise InputRejected(
            f"The folder {folder} holds no folder named like 'Case 1'. Give the data set's own folder, "
            f"the one that holds {SCORES_NAME}."
        )
    scores = _read_scores(folder / SCORES_NAME)
    return _read_cases(folder, numbers, scores)


def _case_numbers(folder: Path) -> dict[int, Path]:
    numbers = {}
    for path in folder.iterdir():
        match = _CASE_NAME.fullmatch(path.name)
        if match and path.is_dir():
            numbers[int(match[1])] = path
    return dict(sorted(numbers.items()))


def _read_cases(folder: Path, numbers: dict[int, Path], scores: list[int | None]) -> Iterator[AnnoCervCase]:
    for number, path in numbers.items():
        images = _list_images(path, number)
        if images:
            score = scores[number - 1] if 1 <= number <= len(scores) else None
            yield AnnoCervCase(number, f"annocerv-{number}", score, images)


def _list_images(case_folder: Path, number: int) -> tuple[AnnoCervImage, ...]:
    images = {}
    for path in case_folder.iterdir():
        match = _IMAGE_NAME.fullmatch(path.name)
        if match and int(match[1]) == number:
            images[int(match[2])] = AnnoCervImage(path, path.name)
    return tuple(images[order] for order in sorted(images))


def _read_scores(path: Path) -> list[int | None]:
    if not path.is_file():
        raise InputRejected(
            f"The file {path.name} is missing beside the folders of the cases. Fetch it from the data set."
        )
    try:
        # Only line feeds and carriage returns end a line: no other character may give a case its neighbour's score.
        lines = list(io.StringIO(_read(path).decode("utf-8-sig"), newline=None))
    except UnicodeDecodeError as error:
        raise InputRejected(f"The file {path.name} is not text. Fetch it again from the data set.") from error
    return [_read_score(line, number, path.name) for number, line in enumerate(lines, start=1)]


def _read_score(line: str, number: int, name: str) -> int | None:
    text = line.strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) > HIGHEST_SWEDE_SCORE:
        raise InputRejected(f"Line {number} of {name} is not a Swede score from 0 to 10. Correct it and import again.")
    return int(text)


def _upright_size(photograph: Path) -> tuple[int, int]:
    """Height and width once the camera's orientation is applied."""
    with Image.open(photograph) as image:
        lies = image.getexif().get(_ORIENTATION, 1) in _LYING
        return (image.width, image.height) if lies else (image.height, image.width)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputRejected(f"The file {path.name} cannot be read. Check its permissions and the disk.") from error
