"""A folder of files in, masks and a table out."""

import csv
import io
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from PIL import Image

from colpo_core.errors import InputRejected
from colpo_core.inference.folder import (
    CSV_COLUMNS,
    FolderReport,
    PredictedFile,
    RefusedFile,
    name_masks,
    predict_folder,
)
from colpo_core.inference.predict import predict_image
from colpo_core.nets.pipeline import Pipeline

Predict = Callable[..., FolderReport]


def write_image(place: Path, height: int = 40, width: int = 60, seed: int = 0, **save: Any) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(place, **save)


def read_table(place: Path) -> list[dict[str, str]]:
    with place.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


@pytest.fixture
def predict(pipeline: Pipeline, card: dict[str, Any]) -> Predict:
    return partial(predict_folder, pipeline, card)


def test_each_image_gets_a_mask_of_its_size_and_a_line(
    pipeline: Pipeline, card: dict[str, Any], predict: Predict, images: Path, tmp_path: Path
) -> None:
    write_image(images / "a.png", 40, 60, seed=1)
    write_image(images / "b.jpg", 33, 100, seed=2)
    write_image(images / "c.tiff", 50, 20, seed=3)
    write_image(images / "D.BMP", 20, 20, seed=4)
    out = tmp_path / "new" / "out"
    report = predict(images, out)
    assert [line.file for line in report.predicted] == ["D.BMP", "a.png", "b.jpg", "c.tiff"]
    assert report.refused == ()
    for name, size in {"a": (60, 40), "b": (100, 33), "c": (20, 50), "D": (20, 20)}.items():
        with Image.open(out / f"{name}.png") as mask:
            assert mask.size == size
            assert mask.mode == "L"
            assert set(np.unique(np.asarray(mask))) <= {0, 255}
    table = (out / "predictions.csv").read_text(encoding="utf-8")
    assert table.splitlines()[0] == (
        "file,prob_hsil_3ch,prob_hsil_4ch,acetowhite_fraction,checkpoint,call_3ch,threshold_3ch,call_4ch,threshold_4ch,"
        "learned_from,asked_about,model_marks"
    )
    lines = read_table(report.csv_path)
    assert tuple(lines[0]) == CSV_COLUMNS
    assert {line["checkpoint"] for line in lines} == {f"small@{card['sha256'][:12]}"} == {report.checkpoint}
    assert [one.text for one in report.marks] == ["NOT CALIBRATED"], "the card is one of an earlier version"
    assert {line["model_marks"] for line in lines} == {"NOT CALIBRATED"}
    with Image.open(images / "a.png") as image:
        expected = predict_image(pipeline, np.asarray(image))
    line = next(line for line in lines if line["file"] == "a.png")
    for name in ("prob_hsil_3ch", "prob_hsil_4ch", "acetowhite_fraction", "threshold_3ch", "threshold_4ch"):
        assert float(line[name]) == pytest.approx(getattr(expected, name), abs=1e-6), name
    assert (line["call_3ch"], line["call_4ch"]) == (expected.call_3ch.value, expected.call_4ch.value)
    assert line["learned_from"] == "not known", "nobody said"
    assert line["asked_about"].split()[0] == "small"
    with Image.open(out / "a.png") as mask:
        assert np.array_equal(np.asarray(mask) == 255, expected.mask)


def test_bad_files_are_listed_with_their_reasons_and_the_others_kept(
    predict: Predict, images: Path, tmp_path: Path
) -> None:
    write_image(images / "good.png")
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)).save(buffer, "JPEG")
    (images / "cut.jpg").write_bytes(buffer.getvalue()[:-500])
    (images / "text.png").write_bytes(b"not an image at all")
    (images / "empty.png").write_bytes(b"")
    (images / "notes.txt").write_text("read me", encoding="utf-8")
    (images / "gone.png").symlink_to(images / "nowhere.png")
    os.mkfifo(images / "pipe.png")
    seen: list[tuple[str, int, int]] = []

    def on_file(outcome: PredictedFile | RefusedFile, done: int, total: int) -> None:
        seen.append((outcome.file, done, total))

    report = predict(images, tmp_path / "out", on_file=on_file)
    assert [line.file for line in report.predicted] == ["good.png"]
    reasons = {line.file: line.reason for line in report.refused}
    words = {
        "cut.jpg": "cut short",
        "text.png": "not an image",
        "empty.png": "empty",
        "notes.txt": "does not end as an image's",
        "gone.png": "cannot be read",
        "pipe.png": "not a plain file",
    }
    assert reasons.keys() == words.keys()
    assert all(words[file] in reason for file, reason in reasons.items())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["good.png", "predictions.csv"]
    assert [(done, total) for _, done, total in seen] == [(place, 7) for place in range(1, 8)]


def test_two_files_of_one_stem_keep_their_suffix(predict: Predict, images: Path, tmp_path: Path) -> None:
    write_image(images / "a.png", 20, 30, seed=1)
    write_image(images / "a.bmp", 30, 20, seed=2)
    write_image(images / "b.bmp", 25, 25, seed=3)
    report = predict(images, tmp_path / "out")
    assert {line.file: line.mask_file for line in report.predicted} == {
        "a.bmp": "a.bmp.png",
        "a.png": "a.png.png",
        "b.bmp": "b.png",
    }
    with Image.open(tmp_path / "out" / "a.bmp.png") as first, Image.open(tmp_path / "out" / "a.png.png") as second:
        assert (first.size, second.size) == ((20, 30), (30, 20))


def test_no_two_masks_are_named_alike() -> None:
    files = [PurePosixPath(name) for name in ("a.jpg", "a.bmp", "a.jpg.tif", "A.png", "b/a.jpg", "c.v2.jpg")]
    names = name_masks(files)
    assert len({str(name).casefold() for name in names.values()}) == len(files)
    assert str(names[PurePosixPath("b/a.jpg")]) == "b/a.png"
    assert str(names[PurePosixPath("c.v2.jpg")]) == "c.v2.png"
    assert str(names[PurePosixPath("A.png")]) == "A.png.png"
    assert names == name_masks(files[::-1])


def test_subfolders_are_read_and_keep_their_shape(predict: Predict, images: Path, tmp_path: Path) -> None:
    write_image(images / "x.png")
    write_image(images / "day 1" / "x.png", seed=1)
    write_image(images / ".cache" / "y.png")
    write_image(images / ".hidden.png")
    report = predict(images, tmp_path / "out")
    assert [line.file for line in report.predicted] == ["day 1/x.png", "x.png"]
    assert (tmp_path / "out" / "day 1" / "x.png").is_file()


def test_an_output_folder_inside_is_passed_over_so_that_a_second_run_says_the_same(
    predict: Predict, images: Path
) -> None:
    write_image(images / "a.jpg")
    first = predict(images, images / "out")
    table = first.csv_path.read_bytes()
    second = predict(images, images / "out")
    assert second == first
    assert second.csv_path.read_bytes() == table


@pytest.mark.parametrize("where", [".", "..", "../images", "below/.."])
def test_the_output_may_not_lie_among_the_images(predict: Predict, images: Path, where: str) -> None:
    write_image(images / "a.png")
    (images / "below").mkdir()
    before = (images / "a.png").read_bytes()
    with pytest.raises(InputRejected, match="could overwrite them"):
        predict(images, images / where)
    assert (images / "a.png").read_bytes() == before
    assert sorted(path.name for path in images.iterdir()) == ["a.png", "below"]


def test_a_linked_output_is_the_same_folder(predict: Predict, images: Path, tmp_path: Path) -> None:
    write_image(images / "a.png")
    (tmp_path / "elsewhere").symlink_to(images)
    with pytest.raises(InputRejected, match="could overwrite them"):
        predict(images, tmp_path / "elsewhere")


def test_folders_that_are_not_there_empty_or_closed_are_said(predict: Predict, images: Path, tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="There is no folder"):
        predict(tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(InputRejected, match="There is no file in"):
        predict(images, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    write_image(images / "a.png")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputRejected, match="cannot be made"):
        predict(images, tmp_path / "file" / "out")


def test_an_image_held_upright_gets_an_upright_mask(predict: Predict, images: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    write_image(images / "turned.jpg", 40, 60, exif=exif)
    predict(images, tmp_path / "out")
    with Image.open(tmp_path / "out" / "turned.png") as mask:
        assert mask.size == (40, 60)
