"""A reproduction as a record, without any training."""

from colpo_core.evaluation.intervals import exact_share
from colpo_core.evaluation.probabilities import EXACT
from colpo_core.records.statistics.figures import Estimate
from colpo_core.records.training.reproduction import ReproducedCalls, ReproducedMasks, Reproduction
from colpo_core.terms import LabelSource

LEAK = "Copies of one image stand on both sides. Its figures flatter the model."
RIGHT = {"paper": 57, "patient": 41}


def reproduced(
    *,
    sha256: str = "ab" * 32,
    classifiers: tuple[str, ...] = ("resnet18",),
    label_source: LabelSource = LabelSource.IMPRESSION,
    simulated: bool = True,
) -> Reproduction:
    """Of 60 images the paper's protocol calls 57 right, that by patients 41; no case is called `hsil`."""
    levels = (("patient", "image"), ("patient", "case"), ("paper", "image"))
    return Reproduction(
        snapshot_sha256=sha256,
        label_source=label_source,
        simulated=simulated,
        settings={"seed": 0},
        leaks=LEAK,
        masks=tuple(_masks(protocol) for protocol in ("patient", "paper")),
        calls=tuple(
            _calls(protocol, classifier, channels, level)
            for protocol, level in levels
            for classifier in classifiers
            for channels in (3, 4)
        ),
    )


def _masks(protocol: str) -> ReproducedMasks:
    each = (0.25, 0.5, None) if protocol == "patient" else (0.75, 0.75)
    names = ("accuracy_acetowhite", "accuracy_background", "iou_acetowhite", "iou_background", "dice")
    known = [value for value in each if value is not None]
    mean = Estimate(sum(known) / len(known), 0.2, 0.9, 2, len(known))
    by_image = tuple(dict.fromkeys(names, value) for value in each)
    return ReproducedMasks(protocol, len(each), dict.fromkeys(names, mean), by_image)


def _calls(protocol: str, classifier: str, channels: int, level: str) -> ReproducedCalls:
    shares = {
        "accuracy": exact_share(RIGHT[protocol], 60),
        "sensitivity": exact_share(0, 19),
        "specificity": exact_share(41, 41),
        "ppv": exact_share(0, 0),
        "npv": exact_share(41, 60),
    }
    auc = Estimate(0.5, 0.4, 0.6, 30, 60)
    return ReproducedCalls(protocol, classifier, channels, level, 60, 30, EXACT, shares, auc)
