from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from colpo_core.errors import CheckpointMismatch, ColpoError, InputRejected, JobFailed, LeakageFound, SnapshotMismatch
from colpo_core.records.models import networks
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.terms import Split
from tests.support.blobs import Blobs, blobs, tiny
from tests.support.training_runs import opened


@pytest.fixture
def some() -> Blobs:
    return blobs((4, 2, 2))


def assert_refused(
    some: Blobs, folder: Path, error: type[ColpoError], words: str, settings: TrainingSettings | None = None
) -> None:
    """No training is set up, and the error says why."""
    with pytest.raises(error, match=words), opened(some, folder, settings):
        pass


def test_a_course_is_laid_out_and_torch_is_left_as_it_was(some: Blobs, tmp_path: Path) -> None:
    before = torch.get_rng_state()
    with opened(some, tmp_path, tiny(seed=4)) as run:
        assert torch.are_deterministic_algorithms_enabled()
        assert len(run.trainer.frames) == 8
        assert run.trainer.hardware.precision == "fp32"
        assert run.new_channel().shape == (8, 64, 64)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.get_rng_state(), before)


def test_a_near_copy_on_two_sides_stops_and_names_the_pair(some: Blobs, tmp_path: Path) -> None:
    first, tested = some.manifest.items[0], some.manifest.of(Split.TEST)[1]
    copy = np.clip(some.images[first.image_sha256].astype(int) + 3, 0, 255).astype(np.uint8)
    leaking = replace(some, images=some.images | {tested.image_sha256: copy})
    words = f"image {first.image_id} in train is a near copy of image {tested.image_id} in test"
    assert_refused(leaking, tmp_path, LeakageFound, words)


def test_a_patient_on_two_sides_stops_before_anything_is_decoded(some: Blobs, tmp_path: Path) -> None:
    items = some.manifest.items
    manifest = replace(some.manifest, items=(*items[:-1], replace(items[-1], patient_id=items[0].patient_id)))
    assert_refused(replace(some, manifest=manifest), tmp_path, LeakageFound, "patient 1 stands in")
    assert not (tmp_path / "frames").exists()


@pytest.mark.parametrize("changes", [{"segmenter": "segformer_mit_b0"}, {"classifier": "timm_convnext_tiny"}])
def test_a_network_without_its_packages_is_refused_with_what_to_install(
    some: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]
) -> None:
    monkeypatch.setattr(networks, "available", lambda entry: entry.needs is None)
    words = r"pip install -r requirements-nets.txt"
    assert_refused(some, tmp_path, InputRejected, words, tiny(**changes))


def test_missing_pretrained_weights_are_named_before_anything_is_decoded(some: Blobs, tmp_path: Path) -> None:
    settings = tiny(segnet_width=1.0, pretrained=str(tmp_path))
    assert_refused(some, tmp_path, CheckpointMismatch, "vgg19_bn", settings)
    assert not (tmp_path / "frames").exists()


def test_a_picture_of_another_size_than_the_snapshots_is_refused(some: Blobs, tmp_path: Path) -> None:
    sha = some.manifest.items[2].image_sha256
    changed = replace(some, images=some.images | {sha: np.zeros((32, 64, 3), np.uint8)})
    assert_refused(changed, tmp_path, SnapshotMismatch, r"image 30 is 64 x 32.*new snapshot")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_a_lack_of_memory_while_a_course_is_open_says_what_to_do(some: Blobs, tmp_path: Path, error: Exception) -> None:
    with pytest.raises(JobFailed, match="smaller batch"), opened(some, tmp_path):
        raise error


def test_the_precision_is_probed_once_and_kept(some: Blobs, tmp_path: Path) -> None:
    with opened(some, tmp_path, tiny(precision="auto")) as run:
        found = run.trainer.hardware.precision
    (memory,) = (tmp_path / "work").glob("hardware.json")
    assert found in memory.read_text()
    other = "fp32" if found == "bf16" else "bf16"
    memory.write_text(memory.read_text().replace(found, other))
    with opened(some, tmp_path, tiny(precision="auto")) as run:
        assert run.trainer.hardware.precision == other
