"""Node, running the browser's modules beside the Python that they have to agree with."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Run = Callable[[str, Any], Any]

EVALUATE = Path(__file__).with_name("evaluate.js")
NO_NODE = "Node is not installed and could not be: install it (Debian: nodejs) to test the browser's modules"


@pytest.fixture(scope="session")
def run_javascript() -> Iterator[Run]:
    """Runs the body of a function with the mask editor's modules and `given`, and gives what it returns."""
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI") or os.environ.get("NODE_REQUIRED"):
            pytest.fail(NO_NODE)
        pytest.skip(NO_NODE)
    with subprocess.Popen([node, str(EVALUATE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asking, answering = process.stdin, process.stdout

        def run(body: str, given: Any) -> Any:
            asking.write(json.dumps({"body": body, "given": given}) + "\n")
            asking.flush()
            answer = json.loads(answering.readline())
            assert "error" not in answer, answer["error"]
            return answer.get("result")

        yield run
