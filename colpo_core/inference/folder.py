"""Predict a folder of image files that need not be in the store."""

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from colpo_core.errors import ImageRejected, InputRejected
from colpo_core.images.decoding import CleanImage
from colpo_core.images.looks import image_looks, image_questions
from colpo_core.images.masks import mask_png
from colpo_core.images.photographs import decode_photograph
from colpo_core.inference.predict import ImagePrediction, predict_image
from colpo_core.nets.pipeline import Pipeline
from colpo_core.records.models.marks import Mark, marks_of_card, marks_text
from colpo_core.studies.export import csv_cell
from colpo_core.terms import ImageQuestion, Label, Stage

CSV_FILE = "predictions.csv"
CSV_COLUMNS = (
    "file", "prob_hsil_3ch", "prob_hsil_4ch", "acetowhite_fraction", "checkpoint", "call_3ch", "threshold_3ch",
    "call_4ch", "threshold_4ch", "learned_from", "asked_about", "model_marks",
)  # fmt: skip
IMAGE_SUFFIXES = (".bmp", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff")
MAX_FILE_BYTES = 512 * 1024 * 1024
_SHORT_HASH = 12


class LearnedFrom(StrEnum):
    """Whether the model has learned from an image, or by it chose its epoch or thresholds."""

    YES = "yes"
    NEAR_COPY = "near copy"
    NO = "no"
    NOT_KNOWN = "not known"


@dataclass(frozen=True)
class PredictedFile:
    """One file that was predicted.

    Attributes:
        file: Path below the images' folder, with `/`.
        mask_file: Path of its mask below the output folder, with `/`.
        prob_hsil_3ch: Probability of HSIL from the colours alone.
        prob_hsil_4ch: Probability of HSIL from the colours and the segmentation.
        acetowhite_fraction: Share of the image that the mask covers.
        call_3ch: What the first network calls at its threshold.
        threshold_3ch: From this probability on it calls `hsil`.
        call_4ch: Likewise of the second.
        threshold_4ch: Likewise.
        learned_from: Whether the model has learned from this image: a figure from such images flatters it.
        asked_about: What would be asked about the image if it were filed as taken after acetic acid, which is all that
            the model has learned: empty where it looks so.
    """

    file: str
    mask_file: str
    prob_hsil_3ch: float
    prob_hsil_4ch: float
    acetowhite_fraction: float
    call_3ch: Label
    threshold_3ch: float
    call_4ch: Label
    threshold_4ch: float
    learned_from: LearnedFrom
    asked_about: tuple[ImageQuestion, ...]


@dataclass(frozen=True)
class RefusedFile:
    """One file that was left out, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class FolderReport:
    """What became of a folder.

    Attributes:
        predicted: Files with a mask and a line in the table, in the table's order.
        refused: Files that are no sound image, each with its reason.
        csv_path: The table.
        checkpoint: Name and hash of the checkpoint, as in the table.
        marks: What to mind of the checkpoint; each line of the table says so too.
    """

    predicted: tuple[PredictedFile, ...]
    refused: tuple[RefusedFile, ...]
    csv_path: Path
    checkpoint: str
    marks: tuple[Mark, ...] = ()


def predict_folder(
    pipeline: Pipeline,
    card: dict[str, Any],
    images_dir: Path,
    out_dir: Path,
    *,
    learned_from: Callable[[CleanImage], LearnedFrom] = lambda _image: LearnedFrom.NOT_KNOWN,
    on_file: Callable[[PredictedFile | RefusedFile, int, int], None] | None = None,
) -> FolderReport:
    """Write a mask for every image of a folder, and a table of what the networks say.

    Subfolders are read too, and their masks lie in subfolders of the same name. Hidden files, linked folders and the
    output folder itself, where it lies inside, are passed over. A mask is a grey PNG of 0 and 255 at the image's own
    size (upright, where the file says how it was held), named after the image: `a.jpg` gives `a.png`. Where two files
    of one folder differ in their suffix alone, both keep it: `a.jpg.png` and `a.tif.png`. What an earlier run wrote
    under the same names is replaced. The table is written last, so it never names a mask that is not there.

    Args:
        pipeline: In eval mode.
        card: The checkpoint's card, whose name and hash the table tells.
        images_dir: Folder of image files.
        out_dir: Folder for masks and table; made where missing.
        learned_from: Tells of an image whether the model has learned from it.
        on_file: Called after each file with what became of it, how many files are done, and how many there are.

    Raises:
        InputRejected: The folder is not there or holds no file, or the output would lie among the images.
    """
    source, target = _checked_folders(images_dir, out_dir)
    files = _files_below(source, without=target)
    if not files:
        raise InputRejected(f"There is no file in {images_dir}. Name a folder that holds image files.")
    names = name_masks([file for file in files if file.suffix.lower() in IMAGE_SUFFIXES])
    _make_folder(target)
    predicted: list[PredictedFile] = []
    refused: list[RefusedFile] = []
    for done, file in enumerate(files, start=1):
        outcome = _predict_file(pipeline, source, target, file, names.get(file), learned_from)
        if isinstance(outcome, PredictedFile):
            predicted.append(outcome)
        else:
            refused.append(outcome)
        if on_file is not None:
            on_file(outcome, done, len(files))
    checkpoint = checkpoint_text(card)
    marks = marks_of_card(card)
    _write(target / CSV_FILE, _table(predicted, checkpoint, marks_text(marks)))
    return FolderReport(tuple(predicted), tuple(refused), target / CSV_FILE, checkpoint, marks)


def checkpoint_text(card: dict[str, Any]) -> str:
    """A checkpoint's name with the start of its hash: which weights spoke, beyond doubt."""
    return f"{card.get('name') or 'checkpoint'}@{str(card['sha256'])[:_SHORT_HASH]}"


def name_masks(files: Sequence[PurePosixPath]) -> dict[PurePosixPath, PurePosixPath]:
    """Name each file's mask so that no two are the same, also where a file system ignores case.

    Args:
        files: Paths of images; no two are equal.

    Returns:
        For each the path of its mask: the suffix replaced by `.png`, or kept before `.png` where two would meet.
    """
    names = {file: file.with_suffix(".png") for file in files}
    while True:
        counts = Counter(str(name).casefold() for name in names.values())
        meeting = [
            file
            for file, name in names.items()
            if counts[str(name).casefold()] > 1 and name != file.with_name(f"{file.name}.png")
        ]
        if not meeting:
            return names
        names |= {file: file.with_name(f"{file.name}.png") for file in meeting}


def _checked_folders(images_dir: Path, out_dir: Path) -> tuple[Path, Path]:
    if not images_dir.is_dir():
        raise InputRejected(f"There is no folder {images_dir}. Name a folder that holds image files.")
    source, target = images_dir.resolve(), out_dir.resolve()
    if source == target or target in source.parents:
        raise InputRejected(
            "The output would lie among the images and could overwrite them. Name another folder for the output."
        )
    return source, target


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputRejected(f"The folder {folder} cannot be made. Name a folder that you may write to.") from error


def _files_below(source: Path, *, without: Path) -> list[PurePosixPath]:
    """Visible files below a folder, sorted, relative to it."""

    def found() -> Iterator[PurePosixPath]:
        for folder, subfolders, names in os.walk(source):
            here = Path(folder)
            subfolders[:] = [name for name in subfolders if not name.startswith(".") and here / name != without]
            for name in names:
                if not name.startswith("."):
                    yield PurePosixPath((here / name).relative_to(source).as_posix())

    return sorted(found())


def _predict_file(
    pipeline: Pipeline,
    source: Path,
    target: Path,
    file: PurePosixPath,
    mask_file: PurePosixPath | None,
    learned_from: Callable[[CleanImage], LearnedFrom],
) -> PredictedFile | RefusedFile:
    if mask_file is None:
        return RefusedFile(str(file), "Its name does not end as an image's: JPEG, PNG, TIFF and BMP files are taken.")
    try:
        image = decode_photograph(_read(source / file))
    except ImageRejected as error:
        return RefusedFile(str(file), str(error))
    prediction = predict_image(pipeline, image.rgb, with_maps=False)
    _write(target / mask_file, mask_png(prediction.mask))
    return _predicted(file, mask_file, prediction, image, learned_from(image))


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise ImageRejected("This is not a plain file.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ImageRejected("The file is larger than 512 MB. Export the image smaller.")
        return path.read_bytes()
    except OSError as error:
        raise ImageRejected(
            "The file cannot be read. Check that it is still there and that you may read it."
        ) from error


def _predicted(
    file: PurePosixPath,
    mask_file: PurePosixPath,
    prediction: ImagePrediction,
    image: CleanImage,
    learned_from: LearnedFrom,
) -> PredictedFile:
    return PredictedFile(
        file=str(file),
        mask_file=str(mask_file),
        prob_hsil_3ch=prediction.prob_hsil_3ch,
        prob_hsil_4ch=prediction.prob_hsil_4ch,
        acetowhite_fraction=prediction.acetowhite_fraction,
        call_3ch=prediction.call_3ch,
        threshold_3ch=prediction.threshold_3ch,
        call_4ch=prediction.call_4ch,
        threshold_4ch=prediction.threshold_4ch,
        learned_from=learned_from,
        asked_about=image_questions(
            image_looks(image.rgb), stage=Stage.ACETIC_ACID, height_px=image.height_px, width_px=image.width_px
        ),
    )


def _table(predicted: Sequence[PredictedFile], checkpoint: str, marks: str) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for line in predicted:
        shares = (line.prob_hsil_3ch, line.prob_hsil_4ch, line.acetowhite_fraction)
        calls = (line.call_3ch.value, f"{line.threshold_3ch:.6f}", line.call_4ch.value, f"{line.threshold_4ch:.6f}")
        asked = " ".join(question.value for question in line.asked_about)
        remarks = (line.learned_from.value, asked, marks)
        writer.writerow((csv_cell(line.file), *(f"{share:.6f}" for share in shares), checkpoint, *calls, *remarks))
    # A name that is not UTF-8 reaches us with stand-ins for its odd bytes; they are spelled out.
    return buffer.getvalue().encode("utf-8", "backslashreplace")


def _write(path: Path, content: bytes) -> None:
    """Write a file whole: beside its place, then renamed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{uuid4().hex}.writing")
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputRejected(
            f"{path.name} cannot be written to {path.parent}: {error.strerror}. Make room or name another folder."
        ) from error
