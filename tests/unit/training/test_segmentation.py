import numpy as np
import pytest
import torch

from colpo_core.datasets.frames import ACETOWHITE, Frames, load_frames
from colpo_core.errors import JobCancelled
from colpo_core.nets.registry import build_segmenter
from colpo_core.nets.segnet import SegNet
from colpo_core.terms import Split
from colpo_core.training.loop import Plan, reproducible
from colpo_core.training.segmentation import has_acetowhite, judge_segmenter, soft_acetowhite, train_segmenter
from colpo_core.training.watch import Watch
from tests.blobs import Blobs, blobs

CPU = torch.device("cpu")


def watch() -> Watch:
    made = Watch(lambda event: None, lambda: False)
    made.begin("segmentation", epochs_total=1, share=(0.0, 1.0), message="")
    return made


def frames_of(some: Blobs, split: Split) -> Frames:
    return load_frames(
        some.manifest.of(split), height_px=64, width_px=64, load_image=some.load_image, load_mask=some.load_mask
    )


@pytest.fixture(scope="module")
def taught() -> tuple[SegNet, Frames, Frames]:
    some = blobs((16, 6, 0))
    frames, validation = frames_of(some, Split.TRAIN), frames_of(some, Split.VALIDATION)
    with reproducible(seed=0, threads=1):
        network = build_segmenter(width=0.1)
        plan = Plan(epochs=16, batch_size=4, learning_rate=3e-3, weight_decay=1e-4, seed=0)
        train_segmenter(network, frames, validation, plan=plan, device=CPU, watch=watch())
    return network, frames, validation


def test_it_learns_blobs_that_it_has_not_seen(taught: tuple[SegNet, Frames, Frames]) -> None:
    network, _, validation = taught
    judged = judge_segmenter(network, validation, torch.ones(2), 4, CPU, watch())
    assert judged is not None
    assert judged.figures["validation_iou_acetowhite"] > 0.6
    assert judged.figures["validation_iou_background"] > 0.8
    assert judged.score == judged.figures["validation_iou_acetowhite"]


def test_the_soft_channel_lies_over_the_blobs(taught: tuple[SegNet, Frames, Frames]) -> None:
    network, _, validation = taught
    drawn = soft_acetowhite(network, validation, batch_size=4, device=CPU, watch=watch())
    assert drawn.shape == validation.target.shape
    assert drawn.dtype == np.uint8
    truth = validation.target == ACETOWHITE
    assert drawn[truth].mean() > 2 * drawn[~truth].mean()
    with torch.inference_mode():
        image = torch.from_numpy(validation.rgb[2:3]).permute(0, 3, 1, 2).float() / 255
        said = network.acetowhite(image)[0, 0].numpy()
    assert np.abs(drawn[2] / 255 - said).max() < 0.01


def test_the_judgement_by_hand(taught: tuple[SegNet, Frames, Frames]) -> None:
    network, _, validation = taught
    drawn = soft_acetowhite(network, validation, batch_size=4, device=CPU, watch=watch()) > 127
    truth = validation.target == ACETOWHITE
    judged = judge_segmenter(network, validation, torch.ones(2), 4, CPU, watch())
    assert judged is not None
    iou = (drawn & truth).sum() / (drawn | truth).sum()
    assert judged.figures["validation_iou_acetowhite"] == pytest.approx(iou, abs=0.01)


def test_without_a_mask_there_is_nothing_to_judge_by(taught: tuple[SegNet, Frames, Frames]) -> None:
    none = frames_of(blobs((0, 2, 0), masks=False), Split.VALIDATION)
    assert judge_segmenter(taught[0], none, torch.ones(2), 4, CPU, watch()) is None
    assert not has_acetowhite(none)
    assert has_acetowhite(taught[2])


def test_no_image_has_no_channel(taught: tuple[SegNet, Frames, Frames]) -> None:
    nothing = frames_of(blobs((0, 0, 0)), Split.TEST)
    assert soft_acetowhite(taught[0], nothing, batch_size=4, device=CPU, watch=watch()).shape == (0, 64, 64)


def test_drawing_the_channel_can_be_stopped(taught: tuple[SegNet, Frames, Frames]) -> None:
    asked = iter([False, False, True])
    stopping = Watch(lambda event: None, lambda: next(asked))
    stopping.begin("segmentation", epochs_total=1, share=(0.0, 1.0), message="")
    with pytest.raises(JobCancelled):
        soft_acetowhite(taught[0], taught[2], batch_size=2, device=CPU, watch=stopping)
