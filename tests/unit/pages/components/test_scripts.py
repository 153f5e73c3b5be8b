"""The components' modules, and the lines by which Streamlit gets to them."""

import posixpath
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from colpo_core.web.scripts import script_routes
from pages._ui.components import scripts

MAINS = ("answer/main.js", "gallery/main.js", "mask_editor/main.js", "viewer/main.js", "viewer/strip.js")


@pytest.mark.parametrize("module", MAINS)
def test_the_lines_of_a_component_lead_to_its_module(module: str) -> None:
    lines = scripts.component_script(module, template='<p title="a">\n"b"</p>')
    assert "\n" in lines, "one line alone would be taken for the path of a file"
    address = re.search(r"`\$\{location\.origin\}(/[^`]*)`", lines)
    assert address is not None
    path = address[1].replace("${VERSION}", scripts.VERSION).replace("${attempt}", "0").replace("${MODULE}", module)
    client = TestClient(Starlette(routes=script_routes(scripts.VERSION, scripts.MODULES)))
    assert "export default function" in client.get(path).text
    assert f'const VERSION = "{scripts.VERSION}";' in lines
    assert 'const TEMPLATE = "<p title=\\"a\\">\\n\\"b\\"</p>";' in lines


def test_a_module_that_does_not_exist_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        scripts.component_script("mask_editor/other.js")


def test_what_a_module_imports_is_served() -> None:
    for name, content in scripts.MODULES.items():
        for imported in re.findall(r'^import .*?from "(.+?)";$', content.decode(), re.MULTILINE | re.DOTALL):
            assert posixpath.normpath(posixpath.join(posixpath.dirname(name), imported)) in scripts.MODULES, name


def test_the_version_changes_with_any_module() -> None:
    name = "mask_editor/codec.js"
    changed = {**scripts.MODULES, name: scripts.MODULES[name] + b"\n"}
    renamed = {("other.js" if key == name else key): content for key, content in scripts.MODULES.items()}
    versions = {scripts._version_of(modules) for modules in (scripts.MODULES, changed, renamed)}
    assert len(versions) == 3
    assert scripts.VERSION in versions


def test_no_module_is_longer_than_400_lines() -> None:
    assert [name for name, content in scripts.MODULES.items() if content.count(b"\n") > 400] == []


def test_templates_and_styles_are_read_beside_their_component() -> None:
    answer = Path(scripts.__file__).parent / "answer" / "answer.py"
    assert scripts.read_text(str(answer), "answer.html").startswith("<form")
