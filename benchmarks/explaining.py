"""What the four maps cost: a whole prediction, from the file to the maps, beside the bare passes and the usual way.

    python -m benchmarks.explaining
    python -m benchmarks.explaining --rounds 9 --classifier resnet50 --side 256 256

In turns, round after round, with the same networks and the same image, one at a time and in float32:
bare: SegNet, then both classifiers, forward, on a tensor that lies on the device;
ours: from the bytes of a photograph to mask, probabilities and the four Grad-CAM maps over the image;
peer: the bare passes, then the four maps by pytorch-grad-cam, which goes forward and back once a class and network.
Then a prediction job on a store, as the worker runs it, beside the bare passes: images a second with all that is kept.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.shared import drawn_manifest, in_turns, print_heading, print_row
from colpo_core.images.decoding import CleanImage, encode_clean, read_rgb
from colpo_core.inference.library import library_maps
from colpo_core.inference.predict import predict_image
from colpo_core.labels import RULES_VERSION
from colpo_core.nets.checkpoint import save_checkpoint
from colpo_core.nets.frames import prepare, to_batch
from colpo_core.nets.pipeline import Pipeline, PipelineSpec, build_pipeline
from colpo_core.services.jobs.leases import claim_job
from colpo_core.settings import Settings
from colpo_core.simulation.cases import simulate_case
from colpo_core.store import Store
from colpo_core.store.tables import Case, Checkpoint, Image, Job, Patient, Person, Snapshot
from colpo_core.terms import JobKind, LabelSource, Role, Stage
from colpo_core.workers.predict import run_prediction

WIDTH_PX, HEIGHT_PX = 640, 480
JOB_IMAGES = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classifier", action="append", default=[])
    parser.add_argument("--side", type=int, nargs=2, default=(256, 256), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--segnet-width", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=9)
    asked = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {platform.processor() or platform.machine()}")
    print_heading(
        "classifier", "working size", "bare (ms)", "ours / bare", "peer / ours", "job, share of the bare rate"
    )
    for name in asked.classifier or ["resnet18", "resnet50"]:
        torch.manual_seed(0)
        height_px, width_px = asked.side
        spec = PipelineSpec(classifier=name, segnet_width=asked.segnet_width, height_px=height_px, width_px=width_px)
        pipeline = build_pipeline(spec).to(device).eval()
        _measure(pipeline, asked.rounds)


def _measure(pipeline: Pipeline, rounds: int) -> None:
    spec = pipeline.spec
    case = simulate_case(1, height_px=HEIGHT_PX, width_px=WIDTH_PX)
    content = encode_clean(CleanImage(case.rgb, WIDTH_PX, HEIGHT_PX)).content
    batch = to_batch(prepare(case.rgb, spec)[0], pipeline.device)

    def bare() -> None:
        with torch.inference_mode():
            pipeline(batch)

    def ours() -> None:
        predict_image(pipeline, read_rgb(content))

    def peer() -> None:
        bare()
        library_maps(pipeline, case.rgb, "gradcam")

    seconds = in_turns({"bare": _timed(bare), "ours": _timed(ours), "peer": _timed(peer)}, rounds)
    ratio = statistics.median(a / b for a, b in zip(seconds["ours"], seconds["bare"], strict=True))
    slower = statistics.median(a / b for a, b in zip(seconds["peer"], seconds["ours"], strict=True))
    job = _job_share(pipeline, bare)
    bare_ms = 1000 * statistics.median(seconds["bare"])
    size = f"{spec.width_px} × {spec.height_px}"
    print_row(spec.classifier, size, f"{bare_ms:.0f}", f"{ratio:.2f}", f"{slower:.1f}", f"{job:.2f}")


def _timed(way: Callable[[], None]) -> Callable[[], float]:
    def seconds() -> float:
        began = time.perf_counter()
        way()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter() - began

    return seconds


def _job_share(pipeline: Pipeline, bare: Callable[[], None]) -> float:
    """Images a second of a prediction job, without its start, as a share of the bare passes' before and after it."""
    with tempfile.TemporaryDirectory() as folder:
        ward = _Ward(pipeline, Path(folder))
        before = in_turns({"bare": _timed(bare)}, 7)["bare"]
        few, many = (ward.seconds_for(count) for count in (2, 2 + JOB_IMAGES))
        after = in_turns({"bare": _timed(bare)}, 7)["bare"]
        ward.store.close()
    return statistics.median(before + after) / ((many - few) / JOB_IMAGES)


class _Ward:
    """A store with photographs that wait for a checkpoint's word."""

    def __init__(self, pipeline: Pipeline, folder: Path) -> None:
        self.store = Store.open(Settings(data_dir=folder / "data"))
        sha256 = save_checkpoint(self.store.settings.checkpoints_dir / "measured", pipeline, {"name": "measured"})
        content = drawn_manifest().to_json()
        with self.store.writing() as session:
            person = Person(username="ada", display_name="Ada", role=Role.ADMINISTRATOR, active=True)
            session.add(person)
            session.flush()
            snapshot = Snapshot(
                name="measured", sha256=self.store.blobs.put(content), label_source=LabelSource.HISTOLOGY,
                rules_version=RULES_VERSION, seed=0, counts={}, created_by=person.id,
            )  # fmt: skip
            session.add(snapshot)
            session.flush()
            checkpoint = Checkpoint(
                name="measured", sha256=sha256, snapshot_id=snapshot.id, label_source=LabelSource.HISTOLOGY, card={}
            )
            session.add(checkpoint)
            session.flush()
            self._person_id, self._checkpoint_id = person.id, checkpoint.id
        self._number = 0

    def seconds_for(self, count: int) -> float:
        """How long a job of so many photographs takes, each one another."""
        with self.store.writing() as session:
            images = [self._photograph() for _ in range(count)]
            session.add_all(images)
            session.flush()
            settings = {"checkpoint_id": self._checkpoint_id, "image_ids": [image.id for image in images]}
            job = Job(kind=JobKind.PREDICT, settings=settings, created_by=self._person_id)
            session.add(job)
            session.flush()
            job_id = job.id
        lease = claim_job(self.store, job_id, host="here", pid=1)
        assert lease is not None
        began = time.perf_counter()
        lease.complete(run_prediction(lease, lambda: False))
        return time.perf_counter() - began

    def _photograph(self) -> Image:
        self._number += 1
        case = simulate_case(self._number, height_px=HEIGHT_PX, width_px=WIDTH_PX)
        return Image(
            case=Case(patient=Patient(code=f"p{self._number}"), simulated=True),
            sha256=self.store.blobs.put(encode_clean(CleanImage(case.rgb, WIDTH_PX, HEIGHT_PX)).content),
            media_type="image/png", width_px=WIDTH_PX, height_px=HEIGHT_PX, stage=Stage.ACETIC_ACID, simulated=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
