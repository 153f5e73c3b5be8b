"""The JavaScript of the components: ES modules beside the Python that mounts them; nothing is built.

Streamlit gets a few lines for each component (`entry.js`), which import the component's module from the program's own
server (`colpo_core.web.scripts`); everything else is imported from there.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


def _version_of(modules: Mapping[str, bytes]) -> str:
    """A hash over the names and contents of modules."""
    digest = hashlib.sha256()
    for name, content in sorted(modules.items()):
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


MODULES: Mapping[str, bytes] = {
    path.relative_to(_FOLDER).as_posix(): path.read_bytes() for path in sorted(_FOLDER.rglob("*.js"))
}
"""Every module by its name, such as `mask_editor/codec.js`, as it was when the program started."""
VERSION = _version_of(MODULES)
"""Changes with any of the modules, and is a part of their addresses."""


@cache
def read_text(beside: str, name: str) -> str:
    """A stylesheet or an HTML template.

    Args:
        beside: `__file__` of the module that it belongs to.
        name: Name of the file.
    """
    return (Path(beside).parent / name).read_text(encoding="utf-8")


def component_script(module: str, *, template: str = "") -> str:
    """The lines that Streamlit runs for a component.

    Args:
        module: Name of the component's module, such as `mask_editor/main.js`. Its default export gets what Streamlit
            gives to a component, and the template.
        template: HTML of the elements that the component makes.

    Raises:
        KeyError: There is no such module.
    """
    if module not in MODULES:
        raise KeyError(module)
    given = {"VERSION": VERSION, "MODULE": module, "TEMPLATE": template}
    constants = [f"const {name} = {json.dumps(value)};" for name, value in given.items()]
    return "\n".join([*constants, MODULES["entry.js"].decode()])
