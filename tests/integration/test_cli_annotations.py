"""Versions, starts and preferences from the command line, on the real store."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from click.testing import Result
from PIL import Image

from colpo_core.images.masks import mask_png
from colpo_core.store import Store
from tests.support.clinic import SIDE_PX, PredictedClinic

Run = Callable[..., Result]


def mask_file(folder: Path, seed: int) -> str:
    path = folder / f"{seed}.png"
    path.write_bytes(mask_png(np.random.default_rng(seed).random((SIDE_PX, SIDE_PX)) < 0.3))
    return str(path)


def submit(run: Run, folder: Path, image_id: int, seed: int) -> str:
    told = run("annotations", "submit", str(image_id), mask_file(folder, seed)).output
    return told.removeprefix("version ").split(":")[0]


def test_images_without_a_lesion_are_listed_and_confirmed(
    run: Run, store: Store, desk: PredictedClinic, tmp_path: Path
) -> None:
    free = [desk.clinic.add_case(masked=False, swede_score=score) for score in (0, 4)]
    listed = json.loads(run("annotations", "unmarked", "--json").stdout)
    swede = {one["image_id"]: one["swede_total"] for one in listed}
    assert [swede[case.image_id] for case in free] == [0, 4]
    assert "Swede score" in run("annotations", "unmarked").output
    told = run("annotations", "no-lesion", str(free[0].image_id), "--note", "seen").output
    assert f"image {free[0].image_id}: nothing acetowhite" in told
    assert "Nothing was confirmed" in run("annotations", "no-lesion", str(free[0].image_id), code=1).output
    (version,) = json.loads(run("annotations", "list", str(free[0].image_id), "--json").stdout)
    assert (version["absence_confirmed"], version["area_px"]) == (True, 0)
    assert len(json.loads(run("annotations", "unmarked", "--json").stdout)) == len(listed) - 1
    counts = json.loads(run("snapshot", "preview", "--json").stdout)["counts"]
    assert counts["confirmed_clear"]["total"] == 1


def test_masks_that_look_wrong_are_asked_about(run: Run, desk: PredictedClinic, tmp_path: Path) -> None:
    image_id = str(desk.clinic.add_case(masked=False).image_id)
    outline = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    cv2.circle(outline, (SIDE_PX // 2, SIDE_PX // 2), SIDE_PX // 3, 1, 1)
    masks = {
        "outline": outline > 0,
        "empty": outline > 9,
        "inverted": cv2.floodFill(outline.copy(), None, (0, 0), 1)[1] > 0,
    }
    files = {}
    for name, mask in masks.items():
        files[name] = str(tmp_path / f"{name}.png")
        Path(files[name]).write_bytes(mask_png(mask))
    asked = {
        "outline": "--fill fills it",
        "empty": "--nothing-there submits it",
        "inverted": "black and white swapped",
    }
    for name, answer in asked.items():
        said = run("annotations", "submit", image_id, files[name], code=1).output
        assert answer in said
        assert "Nothing was submitted" in said
    waiting = [str(one["image_id"]) for one in json.loads(run("annotations", "unmarked", "--json").stdout)]
    assert image_id in waiting, "no draft is left behind"
    assert "0.0%" in run("annotations", "submit", image_id, files["empty"], "--nothing-there").output
    filled = run("annotations", "submit", image_id, files["outline"], "--fill").output
    assert float(filled.split(", ")[1].split("%")[0]) > 25
    line = run("annotations", "submit", image_id, files["outline"], "--as-it-is").output
    assert float(line.split(", ")[1].split("%")[0]) < 10
    assert (
        "Choose one of"
        in run("annotations", "submit", image_id, files["outline"], "--fill", "--as-it-is", code=2).output
    )


def test_versions_are_listed_compared_and_restored(run: Run, desk: PredictedClinic, tmp_path: Path) -> None:
    image_id = desk.cases[0].image_id
    first, second = (submit(run, tmp_path, image_id, seed) for seed in (1, 2))
    assert "number 3" in run("annotations", "restore", first, "--note", "better").output
    assert "is the newest" in run("annotations", "restore", first, code=1).output

    listed = json.loads(run("annotations", "list", str(image_id), "--json").stdout)
    annotation = str(next(one["annotation_id"] for one in listed if one["number"] == 3))
    versions = json.loads(run("annotations", "versions", annotation, "--json").stdout)
    assert [one["start"] for one in versions] == ["own_version", "own_version", "nothing"]
    assert [one["base_number"] for one in versions] == [2, 1, None]
    table = run("annotations", "versions", annotation).output
    assert "better" in table
    assert "100.0%" in table

    assert "Dice 1.000" in run("annotations", "compare", first, first).output
    out = tmp_path / "both.png"
    told = run("annotations", "compare", first, second, "--out", str(out)).output
    assert "in the second alone" in told
    with Image.open(out) as overlay:
        assert overlay.size == (SIDE_PX, SIDE_PX)
    assert json.loads(run("annotations", "compare", first, second, "--json").stdout)["iou"] < 1
    assert "There is no version of an annotation 999." in run("annotations", "compare", first, "999", code=1).output


def test_a_mask_starts_over_and_its_version_says_from_what(run: Run, desk: PredictedClinic, tmp_path: Path) -> None:
    image_id = str(desk.cases[0].image_id)
    options = run("annotations", "start", image_id).output
    assert "the mask of model-1" in options
    painted = next(line.split()[1] for line in options.splitlines() if "by Painter" in line)

    assert "starts from other_version" in run("annotations", "start", image_id, "--version", painted).output
    assert "starts from proposal" in run("annotations", "start", image_id, "--proposal").output
    assert "starts from nothing" in run("annotations", "start", image_id, "--nothing").output
    own = submit(run, tmp_path, int(image_id), 1)
    assert "starts from own_version" in run("annotations", "start", image_id, "--version", own).output
    listed = json.loads(run("annotations", "list", image_id, "--json").stdout)
    annotation = str(next(one["annotation_id"] for one in listed if str(one["version_id"]) == own))
    assert "nothing, after a proposal" in run("annotations", "versions", annotation).output

    assert "another image of the same case" in run("annotations", "start", image_id, "--image", "2", code=1).output
    assert "Choose one of" in run("annotations", "start", image_id, "--nothing", "--proposal", code=2).output
    assert "acetowhite epithelium alone" in run("annotations", "start", image_id, "--finding", "mosaic").output


def test_proposals_are_switched_off_and_on(run: Run, desk: PredictedClinic) -> None:
    image_id = str(desk.cases[0].image_id)
    assert run("preferences", "show").output == "proposals: on\n"
    assert run("preferences", "proposals", "off").output == "proposals: off\n"
    assert json.loads(run("preferences", "show", "--json").stdout) == {"proposals": False}
    assert "switched" in run("annotations", "start", image_id, "--proposal", code=1).output
    run("preferences", "proposals", "on")
    run("annotations", "start", image_id, "--proposal")
    run("preferences", "proposals", "perhaps", code=2)
