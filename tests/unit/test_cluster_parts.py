"""What only several machines need is there under its names, and a program on one machine imports none of it."""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from colpo_core.cluster_parts import ClusterPart


@pytest.mark.parametrize("part", ClusterPart)
def test_every_part_is_there(part: ClusterPart) -> None:
    module, _, name = part.partition(":")
    spec = find_spec(module)  # not imported: its packages are optional
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assert name in defined


def test_a_store_on_one_machine_imports_none_of_it(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from colpo_core.services.jobs import engine, files, worker
from colpo_core.settings import Settings
from colpo_core.store import Store
store = Store.open(Settings(data_dir=Path(sys.argv[1])))
assert engine.cluster_jobs(store.settings.engine) is None
assert files.read_log(store, 1) == ""
files.delete_work(store, 1)
print([name for name in sys.modules if name.startswith("colpo_core.cluster.") or name in ("fsspec", "ray")])
"""
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
