"""What the store takes."""

import pytest

from colpo_core.errors import PermissionDenied
from colpo_core.services.common.callers import Caller
from colpo_core.services.maintenance.storage import measure_storage
from colpo_core.store import Store


@pytest.mark.sqlite
def test_each_part_is_measured(store: Store, administrator: Caller) -> None:
    store.blobs.put(b"x" * 1000)
    store.blobs.put(b"y" * 500)
    job = store.settings.jobs_dir / "1"
    job.mkdir(parents=True)
    (job / "log.txt").write_text("hello")
    frames = store.settings.frames_dir / "some-snapshot"
    frames.mkdir(parents=True)
    (frames / "frames.bin").write_bytes(b"z" * 70)
    facts = measure_storage(administrator)
    sizes = {part.name: (part.files, part.size_bytes) for part in facts.parts}
    assert sizes["Images and maps"] == (2, 1500)
    assert sizes["Jobs"] == (1, 5)
    assert sizes["Checkpoints"] == (0, 0)
    assert sizes["Decoded snapshots (may be deleted)"] == (1, 70)
    assert sizes["Database"][1] > 0
    assert facts.total_bytes == sum(size for _, size in sizes.values())
    assert facts.folder == str(store.settings.data_dir)
    assert facts.free_bytes > 0
    assert facts.schema


def test_only_an_administrator_sees_it(annotator: Caller, reader: Caller) -> None:
    for caller in (annotator, reader):
        with pytest.raises(PermissionDenied):
            measure_storage(caller)
