"""Checkpoints: written whole, proven on loading. Every test writes real ones."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from colpo_core.errors import CheckpointMismatch, Conflict, JobFailed
from colpo_core.nets import checkpoint
from colpo_core.nets.card import CARD_FILE, WEIGHTS_FILE, file_sha256, read_card, seal_card
from colpo_core.nets.checkpoint import load_checkpoint, save_checkpoint
from colpo_core.nets.pipeline import Pipeline, PipelineSpec, build_pipeline
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


def test_what_was_saved_comes_back_and_says_the_same(folder: Path, pipeline: Pipeline) -> None:
    loaded, card = load_checkpoint(folder)
    assert loaded.spec == SPEC
    assert not loaded.training
    assert card["name"] == "first"
    assert card["metrics"] == {"iou": 0.5}
    assert card["code_version"]
    for name, value in pipeline.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    images = torch.rand(1, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        for ours, theirs in zip(loaded(images), pipeline(images), strict=True):
            assert torch.equal(ours, theirs)


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
    spec = PipelineSpec(
        segmenter="unet_resnet34",
        classifier="timm_efficientnet_b0",
        height_px=64,
        width_px=64,
        temperature_4ch=1.5,
        mask_highlights=True,
        average_flips=True,
    )
    made = build_pipeline(spec).to(memory_format=torch.channels_last).eval()
    save_checkpoint(tmp_path / "other", made, {"name": "other"})
    loaded, _ = load_checkpoint(tmp_path / "other")
    assert loaded.spec == spec
    assert loaded.segmenter.averages_flips
    images = torch.rand(1, 3, 64, 64).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        for ours, theirs in zip(loaded(images), made(images), strict=True):
            assert torch.equal(ours, theirs)
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


def test_a_checkpoint_of_a_newer_program_is_refused(folder: Path) -> None:
    reseal(folder, format_version=2)
    with pytest.raises(CheckpointMismatch, match="Update the program"):
        load_checkpoint(folder)


def test_weights_that_do_not_fit_their_spec_are_refused(folder: Path) -> None:
    reseal(folder, spec=SPEC.to_dict() | {"segnet_width": 0.5})
    with pytest.raises(CheckpointMismatch, match="do not fit the networks"):
        load_checkpoint(folder)
    reseal(folder, spec=None)
    with pytest.raises(CheckpointMismatch, match="does not say what its networks are"):
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
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "_flush", full_disk)
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
