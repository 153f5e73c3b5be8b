"""Reproducing Kim et al. 2022 on a clinic's snapshot, into a folder of its own."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from colpo_core.errors import Conflict, InputRejected
from colpo_core.exchange.reproduction_report import reproduction_csv, reproduction_json, reproduction_text
from colpo_core.records.training.reproduction import Reproduction
from colpo_core.records.training.settings import TrainingEvent, TrainingSettings
from colpo_core.services.common import audit
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.snapshots.external_sets import refuse_training
from colpo_core.services.snapshots.freezing import find_snapshot
from colpo_core.services.snapshots.rows import read_manifest
from colpo_core.workers.stored_pixels import StoredPixels

TEXT, CSV, JSON = "reproduction.txt", "reproduction.csv", "reproduction.json"
_MARK = "snapshot.json"


@allowed(CLINICIANS)
def reproduce_paper(
    caller: Caller,
    *,
    snapshot_name: str,
    settings: TrainingSettings,
    classifiers: Sequence[str],
    out: Path,
    on_event: Callable[[TrainingEvent], None],
) -> Reproduction:
    """Run the paper's protocol and the one by patients, here and now, and write tables and plots.

    Called again with the same folder, it goes on where it stood: finished stages lie in `out/work`. The tables and
    plots appear when all is done.

    Args:
        caller: Who asks.
        snapshot_name: Name of the snapshot.
        settings: How to learn; protocol, classifier and number of seeds are set by the reproduction.
        classifiers: Names of the classifiers.
        out: Folder of this reproduction; made where it is missing.
        on_event: Takes what there is to tell.

    Raises:
        NotFound: There is no such snapshot, or a file of the store is missing or damaged.
        InputRejected: The snapshot is an external test set, a classifier is unknown or cannot be built here, or the
            folder cannot be written.
        Conflict: The folder holds the reproduction of another snapshot.
        LeakageFound: The snapshot leaks, or holds patients of an external test set.
        JobFailed: The snapshot or the settings do not carry a training; the message says what to do.
        SnapshotMismatch: A file is not what the snapshot says.
        CheckpointMismatch: Pretrained weights are wanted and not there.
    """
    snapshot = find_snapshot(caller, name=snapshot_name)
    refuse_training(caller.store, snapshot.id)
    try:
        _claim(out, snapshot.sha256)
    except OSError as error:
        raise InputRejected("The folder for the reproduction cannot be written. Choose another one.") from error
    # Only here: torch takes seconds to import, and must never enter the web process.
    from colpo_core.training.reproduction import reproduce
    from colpo_core.training.setup import TrainingInputs

    reproduction = reproduce(
        TrainingInputs(
            read_manifest(caller.store, snapshot.sha256),
            settings,
            StoredPixels(caller.store),
            work_dir=out / "work",
            frames_dir=caller.store.settings.frames_dir,
        ),
        classifiers=tuple(dict.fromkeys(classifiers)),
        on_event=on_event,
        cancelled=lambda: False,
    )
    _write(reproduction, out)
    with caller.store.writing() as session:
        audit.record(
            session,
            caller.actor,
            "reproduce paper",
            f"snapshot {snapshot.id}",
            classifiers=list(dict.fromkeys(classifiers)),
        )
    return reproduction


def _claim(out: Path, sha256: str) -> None:
    """Mark the folder as one snapshot's, or refuse it.

    Raises:
        Conflict: It is another one's.
    """
    mark = out / "work" / _MARK
    if any(path.exists() and _sha256_of(path) != sha256 for path in (mark, out / JSON)):
        raise Conflict(
            "The folder holds the reproduction of another snapshot. Nothing was changed; choose another one."
        )
    mark.parent.mkdir(parents=True, exist_ok=True)
    partial = mark.with_suffix(".part")
    partial.write_text(json.dumps({"snapshot_sha256": sha256}), encoding="utf-8")
    partial.replace(mark)


def _sha256_of(path: Path) -> object:
    """The snapshot that a file names; None where it cannot be read, so that it counts as another one's."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return content.get("snapshot_sha256") if isinstance(content, dict) else None


def _write(reproduction: Reproduction, out: Path) -> None:
    """All files whole, or the old ones: each is written beside its place and moved there."""
    # Only here: no other command draws, and matplotlib takes its time to import.
    from colpo_core.exchange.reproduction_plots import write_plots

    texts = {
        TEXT: reproduction_text(reproduction),
        CSV: reproduction_csv(reproduction),
        JSON: reproduction_json(reproduction),
    }
    with TemporaryDirectory(prefix=".writing-", dir=out) as name:
        beside = Path(name)
        for file_name, text in texts.items():
            (beside / file_name).write_text(text, encoding="utf-8")
        write_plots(reproduction, beside)
        for path in sorted(beside.iterdir()):
            path.replace(out / path.name)
