from pathlib import Path

import pytest
from torch import nn

from colpo_core.datasets.image_sets import ImageSet
from colpo_core.nets.interfaces import Segmenter
from colpo_core.terms import Split
from colpo_core.training import protocols
from colpo_core.training.protocols import prepare
from colpo_core.training.training_run import EvaluationSet, PreparedData, TrainingRun
from tests.support.blobs import blobs, tiny
from tests.support.training_runs import opened


def test_the_settings_choose_the_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def by(name: str) -> object:
        return lambda run: asked.append(name)

    monkeypatch.setattr(protocols, "_PREPARATIONS", {name: by(name) for name in ("patient", "paper")})
    for name in ("patient", "paper"):
        with opened(blobs((4, 2, 2)), tmp_path, tiny(protocol=name)) as run:
            prepare(run)
    assert asked == ["patient", "paper"]


def test_what_is_learned_is_the_first_seeds_pair_and_every_fit_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, object] = {}

    class ComparisonResult:
        three, four, fitted, figures = nn.Identity(), nn.Identity(), {"b": 2}, {"verdict": "v"}

    def comparison(trainer: object, channels: object, sides: PreparedData) -> ComparisonResult:
        seen["sides"] = sides
        return ComparisonResult()

    def assemble(run: TrainingRun, segmenter: Segmenter, three: nn.Module, four: nn.Module) -> str:
        assert (segmenter, three, four) == (seen["segmenter"], ComparisonResult.three, ComparisonResult.four)
        return "pipeline"

    def evaluate(
        run: TrainingRun, pipeline: object, sides: dict[Split, EvaluationSet], blind: object
    ) -> dict[str, object]:
        assert (pipeline, sides) == ("pipeline", {"examined": 1})
        return {"split": "test"}

    def made_ready(run: TrainingRun) -> PreparedData:
        seen["segmenter"] = nn.Identity()
        channel = run.new_channel()
        images = EvaluationSet  # any object stands for a set here
        trained = ImageSet(tuple(run.trainer.frames.of(Split.TRAIN)))
        return PreparedData(seen["segmenter"], trained, {"a": 1}, channel, images, images, images, {"examined": 1})  # type: ignore[arg-type]

    monkeypatch.setattr(protocols, "_PREPARATIONS", {"patient": made_ready})
    monkeypatch.setattr(protocols, "run_comparison", comparison)
    monkeypatch.setattr(TrainingRun, "assemble", assemble)
    monkeypatch.setattr(TrainingRun, "evaluate", evaluate)
    with opened(blobs((4, 2, 2)), tmp_path) as run:
        trained = protocols.train_by_protocol(run)
    assert trained.pipeline == "pipeline"
    assert trained.metrics == {"split": "test", "comparison": {"verdict": "v"}}
    assert trained.fitted == {"a": 1, "b": 2}
