"""Three networks as one."""

from dataclasses import replace

import torch

from colpo_core.nets.pipeline import PipelineSpec, build_pipeline, with_acetowhite
from tests.support.pipelines import untrained

SPEC = PipelineSpec(segnet_width=0.05, height_px=64, width_px=96)


def test_what_comes_out_is_what_the_parts_say() -> None:
    pipeline, images = untrained(SPEC), torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        output = pipeline(images)
        soft = pipeline.segmenter(images).softmax(dim=1)[:, 1:]
        assert torch.equal(output.acetowhite, soft)
        assert torch.equal(output.logits_3ch, pipeline.classifier_3ch(images))
        assert torch.equal(output.logits_4ch, pipeline.classifier_4ch(torch.cat([images, soft], dim=1)))
        assert torch.equal(output.prob_hsil_3ch, output.logits_3ch.softmax(dim=1)[:, 1])
        assert torch.equal(output.prob_hsil_4ch, output.logits_4ch.softmax(dim=1)[:, 1])


def test_a_calibration_moves_the_probabilities_and_nothing_else() -> None:
    pipeline, images = untrained(SPEC), torch.rand(2, 3, 64, 96)
    with torch.inference_mode():
        plain = pipeline(images)
        pipeline.spec = replace(SPEC, temperature_3ch=2.5, temperature_4ch=0.4, intercept_4ch=-1.5)
        calibrated = pipeline(images)
        assert torch.equal(calibrated.logits_3ch, plain.logits_3ch)
        assert torch.equal(calibrated.acetowhite, plain.acetowhite)
        margin_3ch, margin_4ch = (logits[:, 1] - logits[:, 0] for logits in (plain.logits_3ch, plain.logits_4ch))
        assert torch.allclose(calibrated.prob_hsil_3ch, (margin_3ch / 2.5).sigmoid(), atol=1e-6)
        assert torch.allclose(calibrated.prob_hsil_4ch, (margin_4ch / 0.4 - 1.5).sigmoid(), atol=1e-6)
        assert not torch.allclose(calibrated.prob_hsil_3ch, plain.prob_hsil_3ch, atol=1e-4)


def test_the_segmentation_lies_in_the_fourth_channel() -> None:
    images, soft = torch.rand(2, 3, 8, 8), torch.rand(2, 1, 8, 8)
    four = with_acetowhite(images, soft)
    assert torch.equal(four[:, :3], images)
    assert torch.equal(four[:, 3:], soft)


def test_the_spec_says_what_is_built() -> None:
    pipeline = build_pipeline(SPEC)
    assert pipeline.spec == SPEC
    assert pipeline.segmenter.width == 0.05
    assert (pipeline.classifier_3ch.in_channels, pipeline.classifier_4ch.in_channels) == (3, 4)
    assert pipeline.device == torch.device("cpu")
