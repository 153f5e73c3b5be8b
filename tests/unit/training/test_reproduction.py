"""Both protocols are run for real, though tiny, and a second call learns nothing anew."""

from dataclasses import replace
from pathlib import Path

import pytest

from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import InputRejected, JobCancelled, JobFailed
from colpo_core.records.training.reproduction import Reproduction
from colpo_core.records.training.settings import TrainingEvent
from colpo_core.training.reproduction import reproduce
from colpo_core.training.setup import TrainingInputs
from tests.support.blobs import blobs, tiny
from tests.support.manifests import without_mask

KEPT = "was finished by an earlier attempt and is kept."
SOME = blobs((2, 2, 2))


def run(
    folder: Path,
    events: list[TrainingEvent],
    *,
    manifest: Manifest = SOME.manifest,
    classifiers: tuple[str, ...] = ("resnet18",),
    stop_after: int = 10**9,
) -> Reproduction:
    return reproduce(
        TrainingInputs(manifest, tiny(), SOME, folder / "work", folder / "frames"),
        classifiers=classifiers,
        on_event=events.append,
        cancelled=lambda: len(events) > stop_after,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reproduction")


@pytest.fixture(scope="module")
def first(folder: Path) -> Reproduction:
    """Stopped within the protocol by patients, then finished."""
    with pytest.raises(JobCancelled):
        run(folder, [], stop_after=4)
    return run(folder, [])


def test_both_protocols_are_judged(first: Reproduction) -> None:
    assert first.snapshot_sha256 == SOME.manifest.sha256
    assert first.simulated
    assert "flatter" in first.leaks
    assert "protocol" not in first.settings
    assert first.settings["seed"] == 0
    masks = {one.protocol: one for one in first.masks}
    assert {name: one.n_images for name, one in masks.items()} == {"patient": 2, "paper": 6 // 3}
    for one in masks.values():
        assert len(one.by_image) == one.n_images
        mean = sum(each["iou_background"] for each in one.by_image) / one.n_images
        assert one.figures["iou_background"].value == pytest.approx(mean)
    kinds = [(one.protocol, one.channels, one.level) for one in first.calls]
    assert kinds == [
        ("patient", 3, "image"),
        ("patient", 3, "case"),
        ("patient", 4, "image"),
        ("patient", 4, "case"),
        ("paper", 3, "image"),
        ("paper", 4, "image"),
    ]
    # 20,000 x 6 / 3,699 is 32 copies, of which 3% test: 1; two patients stand on the snapshot's own test side.
    assert [one.n for one in first.calls] == [2, 2, 2, 2, 1, 1]
    assert all(one.shares["accuracy"].n == one.n for one in first.calls)


def test_a_second_call_goes_on_and_gives_the_same(first: Reproduction, folder: Path) -> None:
    events: list[TrainingEvent] = []
    assert run(folder, events) == first
    # Segmenter, two folds and two classifiers by patients; segmenter and two classifiers by the paper's protocol.
    assert sum(event.message.endswith(KEPT) for event in events) == 5 + 3
    assert {event.stage for event in events if event.figures} == {"evaluation"}
    assert [event.message for event in events if "ResNet-18" in event.message] == [
        "ResNet-18 by the protocol “patient”.",
        "ResNet-18 by the protocol “paper”.",
    ]


def test_another_order_of_classifiers_does_not_teach_the_segmenter_anew(first: Reproduction, folder: Path) -> None:
    events: list[TrainingEvent] = []
    with pytest.raises(JobCancelled):
        run(folder, events, classifiers=("resnet50", "resnet18"), stop_after=10)
    assert "The stage segmentation " + KEPT in [event.message for event in events]


@pytest.mark.parametrize(("classifiers", "sentence"), [((), "at least one"), (("resnet18", "vgg"), "not vgg")])
def test_classifiers_are_checked_first(tmp_path: Path, classifiers: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(InputRejected, match=sentence):
        run(tmp_path, [], classifiers=classifiers)
    assert not (tmp_path / "work").exists()


def test_too_few_masks_for_the_papers_protocol_are_refused_before_the_other_one_learns(tmp_path: Path) -> None:
    items = SOME.manifest.items
    few_masks = replace(SOME.manifest, items=(*items[:2], *map(without_mask, items[2:])))
    events: list[TrainingEvent] = []
    with pytest.raises(JobFailed, match="at least three images with a mask"):
        run(tmp_path, events, manifest=few_masks)
    assert not events
