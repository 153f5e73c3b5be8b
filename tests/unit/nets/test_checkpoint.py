"""Checkpoints: written whole, proven on loading. Every test writes real ones."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import safetensors.torch
import torch

from colpo_core.errors import CheckpointMismatch, Conflict, JobFailed
from colpo_core.nets import checkpoint
from colpo_core.nets.card import file_sha256, read_card, seal_card
from colpo_core.nets.checkpoint import load_checkpoint, save_checkpoint
from colpo_core.nets.pipeline import Pipeline, PipelineSpec, build_pipeline
from colpo_core.records.models.card_seal import CARD_FILE, WEIGHTS_FILE
from colpo_core.records.models.networks import SEGMENTERS

SPEC = PipelineSpec(segnet_width=0.05, height_px=64, width_px=64, threshold_3ch=0.41, threshold_4ch=0.62)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    torch.manual_seed(0)
    made = build_pipeline(SPEC).to(memory_format=torch.channels_last).train()
    made(torch.rand(2, 3, 64, 64))  # so that the running means are no longer what a new network has
    return made.eval()


@pytest.fixture
def folder(tmp_path: Path, pipeline: Pipeline) -> Path:
    save_checkpoint(tmp_path / "first", pipeline, {"name": "first", "metrics": {"iou": 0.5}})
    return tmp_path / "first"


def reseal(folder: Path, **changes: Any) -> None:
    card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    (folder / CARD_FILE).write_text(json.dumps(seal_card(card | changes)), encoding="utf-8")


def assert_same(loaded: Pipeline, saved: Pipeline) -> None:
    """Both say the same of an image, to the last bit."""
    images = torch.rand(1, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert all(map(torch.equal, loaded(images), saved(images)))


def test_what_was_saved_comes_back_and_says_the_same(folder: Path, pipeline: Pipeline) -> None:
    loaded, card = load_checkpoint(folder)
    assert loaded.spec == SPEC
    assert not loaded.training
    assert card["name"] == "first"
    assert card["metrics"] == {"iou": 0.5}
    assert card["code_version"]
    for name, value in pipeline.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    assert_same(loaded, pipeline)


def test_a_checkpoint_of_before_the_intercept_says_what_it_said_to_the_last_bit(
    folder: Path, pipeline: Pipeline, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    shutil.copytree(folder, old)
    card = read_card(old)
    for name in ("intercept_3ch", "intercept_4ch"):
        assert card["spec"].pop(name) == 0.0
    card["spec"]["temperature_4ch"] = 1.7
    (old / CARD_FILE).write_text(json.dumps(seal_card(card)), encoding="utf-8")
    loaded, _ = load_checkpoint(old)
    images = torch.rand(2, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        found, theirs = loaded(images), pipeline(images)
    assert torch.equal(found.prob_hsil_3ch, (theirs.logits_3ch.float() / 1.0).softmax(dim=1)[:, 1])
    assert torch.equal(found.prob_hsil_4ch, (theirs.logits_4ch.float() / 1.7).softmax(dim=1)[:, 1])


def test_a_librarys_networks_come_back_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    networks = {"segmenter": "unet_resnet34", "classifier": "timm_efficientnet_b0"}
    how = {"temperature_4ch": 1.5, "mask_highlights": True, "average_flips": True}
    spec = PipelineSpec(**networks, **how, height_px=64, width_px=64)
    made = build_pipeline(spec).to(memory_format=torch.channels_last).eval()
    save_checkpoint(tmp_path / "other", made, {"name": "other"})
    loaded, _ = load_checkpoint(tmp_path / "other")
    assert loaded.spec == spec
    assert loaded.segmenter.averages_flips
    assert_same(loaded, made)
    missing = replace(SEGMENTERS["unet_resnet34"], needs="surely_not_installed")
    monkeypatch.setitem(SEGMENTERS, "unet_resnet34", missing)
    with pytest.raises(CheckpointMismatch, match=r"needs the optional packages: pip install -r requirements-nets\.txt"):
        load_checkpoint(tmp_path / "other")


def test_equal_checkpoints_have_equal_hashes_and_others_do_not(tmp_path: Path, pipeline: Pipeline) -> None:
    first = save_checkpoint(tmp_path / "a", pipeline, {"name": "x"})
    again = save_checkpoint(tmp_path / "b", pipeline, {"name": "x"})
    other = save_checkpoint(tmp_path / "c", pipeline, {"name": "y"})
    assert first == again != other
    assert read_card(tmp_path / "a")["sha256"] == first
    load_checkpoint(tmp_path / "a", expected_sha256=first)
    with pytest.raises(CheckpointMismatch, match="another checkpoint than the store names"):
        load_checkpoint(tmp_path / "c", expected_sha256=first)


def test_tampered_weights_are_refused(folder: Path) -> None:
    place = folder / WEIGHTS_FILE
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)
    with pytest.raises(CheckpointMismatch, match="weights of checkpoint first are not those"):
        load_checkpoint(folder)


def test_a_tampered_card_is_refused(folder: Path) -> None:
    card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    card["spec"]["threshold_4ch"] = 0.01
    (folder / CARD_FILE).write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(CheckpointMismatch, match="changed after it was written"):
        load_checkpoint(folder)


@pytest.mark.parametrize("name", [CARD_FILE, WEIGHTS_FILE])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointMismatch, match=f"no readable {name}"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format_version": 2}, "Update the program"),
        ({"spec": SPEC.to_dict() | {"segnet_width": 0.5}}, "do not fit the networks"),
        ({"spec": None}, "does not say what its networks are"),
    ],
)
def test_a_card_of_a_newer_program_or_of_other_networks_is_refused(
    folder: Path, changes: dict[str, Any], words: str
) -> None:
    reseal(folder, **changes)
    with pytest.raises(CheckpointMismatch, match=words):
        load_checkpoint(folder)


def test_weights_that_are_none_are_refused_even_with_the_right_hash(folder: Path) -> None:
    (folder / WEIGHTS_FILE).write_bytes(b"not weights")
    reseal(folder, weights_sha256=file_sha256(folder / WEIGHTS_FILE))
    with pytest.raises(CheckpointMismatch, match="cannot be read"):
        load_checkpoint(folder)
    safetensors.torch.save_file({"a": torch.zeros(1)}, folder / WEIGHTS_FILE)
    reseal(folder, weights_sha256=file_sha256(folder / WEIGHTS_FILE))
    with pytest.raises(CheckpointMismatch, match="do not fit the networks"):
        load_checkpoint(folder)


def test_nothing_is_overwritten(folder: Path, pipeline: Pipeline) -> None:
    before = (folder / CARD_FILE).read_bytes()
    with pytest.raises(Conflict, match="first already"):
        save_checkpoint(folder, pipeline, {"name": "second"})
    assert (folder / CARD_FILE).read_bytes() == before


def test_a_save_that_breaks_off_leaves_nothing(
    tmp_path: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "_flush", Mock(side_effect=OSError(28, "No space left on device")))
    with pytest.raises(JobFailed, match=r"No space left on device\. Make room"):
        save_checkpoint(tmp_path / "a", pipeline, {"name": "a"})
    assert list(tmp_path.iterdir()) == []


def test_a_card_may_not_bring_what_saving_fills_in(tmp_path: Path, pipeline: Pipeline) -> None:
    with pytest.raises(ValueError, match="sha256, spec"):
        save_checkpoint(tmp_path / "a", pipeline, {"spec": {}, "sha256": "0"})
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_checkpoint(tmp_path / "a", pipeline, {"loss": float("inf")})
    assert list(tmp_path.iterdir()) == []


def test_a_diverged_training_is_not_saved(tmp_path: Path) -> None:
    broken = build_pipeline(SPEC)
    with torch.no_grad():
        broken.segmenter.classify.weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(CheckpointMismatch, match="lower learning rate"):
        save_checkpoint(tmp_path / "a", broken, {"name": "a"})
    assert list(tmp_path.iterdir()) == []
