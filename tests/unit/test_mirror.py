"""Unit tests mirror the program; `mirror.toml` beside this file names where each module without a mirror is tested.

`python -m tests.unit.test_mirror` writes that file anew: lines that still hold stay, the others are proposed.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from colpo_core.cli.main import COMMANDS
from colpo_core.settings import ENGINES

CHECKOUT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("mirror.toml")
HEADING = "# Where modules are tested that have no test file of their own; see test_mirror.py.\n"


def modules() -> Iterator[str]:
    """Modules of the program that hold at least one function."""
    for room in ("colpo_core", "pages"):
        for path in sorted((CHECKOUT / room).rglob("*.py")):
            if path.name != "__init__.py" and "migrations" not in path.parts and has_function(path):
                yield path.relative_to(CHECKOUT).as_posix()


def has_function(path: Path) -> bool:
    return any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree_of(path)))


def mirror_of(module: str) -> Path:
    """The test file that mirrors a module; `pages/_ui` is mirrored by `tests/unit/pages`."""
    room, *folders, name = module.split("/")
    folders = [folder for folder in folders if folder != "_ui"]
    rooms = ["pages", *folders] if room == "pages" else folders
    return CHECKOUT.joinpath("tests", "unit", *rooms, f"test_{name}")


def without_mirror() -> list[str]:
    return [module for module in modules() if not mirror_of(module).exists()]


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> frozenset[str]:
    """The modules of the checkout that a file imports, wherever in it, or names in a string by their dotted path."""
    dotted: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            dotted |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            dotted |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("colpo_core."):
            dotted |= {node.value, node.value.rpartition(".")[0]}
    places = [name.replace(".", "/") for name in dotted]
    files = [f"{place}{end}" for place in places for end in (".py", "/__init__.py")]
    return frozenset(file for file in files if (CHECKOUT / file).is_file())


@cache
def reached_by(test: str) -> dict[str, int]:
    """The modules that a test file reaches, with the number of imports on the way.

    A module counts that the test, its folder's conftest or what it takes from `tests` imports, what such a module
    imports itself, and from there on what lies in the same folder. A test that opens pages or calls commands imports
    these by their names, and with a page all of `pages/_ui` that it is made of.
    """
    own = {CHECKOUT / test}
    own |= {CHECKOUT / file for file in imports_of(CHECKOUT / test) if file.startswith("tests/")}
    own |= {path for path in [(CHECKOUT / test).with_name("conftest.py")] if path.exists()}
    named = {file for path in own for file in imports_of(path)} | _called_by_name(CHECKOUT / test)
    named |= {engine for path in own for engine in _engines_of(path)}
    reached = dict.fromkeys(named, 1)
    waiting = sorted(named)
    for file in waiting:
        for further in imports_of(CHECKOUT / file):
            if further not in reached and (reached[file] == 1 or _is_part(further, file)):
                reached[further] = reached[file] + 1
                waiting.append(further)
    return reached


def _is_part(module: str, importer: str) -> bool:
    if importer.startswith("pages/"):
        return module.startswith("pages/_ui/")
    return Path(module).parent == Path(importer).parent


def _called_by_name(path: Path) -> set[str]:
    text = path.read_text(encoding="utf-8")
    texts = [node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant)]
    words = {word for one in texts if isinstance(one, str) for word in re.findall(r"\w[\w-]*", one)}
    called = set()
    if "open_page" in text or "goto(" in text:
        called |= {f"pages/{word}.py" for word in words | {"home"} if (CHECKOUT / f"pages/{word}.py").is_file()}
        called.add("pages/_ui/shell.py")
    if "colpo_core.cli.main" in text or '"colpo_core"' in text or "run: Run" in text:
        called |= {f"colpo_core/cli/{COMMANDS[word].partition(':')[0]}.py" for word in words if word in COMMANDS}
    return called


def _engines_of(path: Path) -> set[str]:
    """The engines of several machines that a file names: `cluster_parts` loads them by these names."""
    files = {f"colpo_core/cluster/{engine}_jobs.py" for engine in ENGINES if f'"{engine}"' in path.read_text("utf-8")}
    return {file for file in files if (CHECKOUT / file).is_file()}


def listed() -> dict[str, str]:
    """Each listed module, with the test file that is named for it."""
    lines = tomllib.loads(LIST.read_text(encoding="utf-8")) if LIST.exists() else {}
    return {module: test for test, tested in lines.items() for module in tested}


def proposed() -> dict[str, str]:
    """The list as it should be: what holds of the present one, and for other modules the test that is nearest."""
    present = listed()
    tests = sorted(path.relative_to(CHECKOUT).as_posix() for path in (CHECKOUT / "tests").rglob("test_*.py"))
    found = {}
    for module in without_mirror():
        reaching = [test for test in tests if module in reached_by(test)]
        if present.get(module) in reaching:
            found[module] = present[module]
        elif reaching:
            found[module] = min(reaching, key=lambda test: _distance(test, module))
    return found


def _distance(test: str, module: str) -> tuple[object, ...]:
    is_near = mirror_of(module).parent == (CHECKOUT / test).parent
    words = {Path(module).stem, Path(module).parent.name}
    named = sum(word.rstrip("s") in Path(test).name for word in words)
    is_costly = test.startswith(("tests/browser", "tests/engines"))
    return not is_near, -named, is_costly, reached_by(test)[module], test


def write_list() -> None:
    by_test: dict[str, list[str]] = {}
    for module, test in proposed().items():
        by_test.setdefault(test, []).append(module)
    lines = []
    for test, tested in sorted(by_test.items()):
        inside = "".join(f'    "{module}",\n' for module in tested)
        lines.append(f'"{test}" = [\n{inside}]\n')
    LIST.write_text(HEADING + "".join(lines), encoding="utf-8")


def test_every_module_has_a_mirror_or_a_test_that_is_named_for_it() -> None:
    without = set(without_mirror())
    assert without - set(listed()) == set(), "write a test for these, or name the one that there is in mirror.toml"
    assert set(listed()) - without == set(), "these have a mirror, hold no function or are gone: strike them out"


def test_the_named_test_reaches_the_module() -> None:
    named = listed()
    assert [test for test in named.values() if not (CHECKOUT / test).is_file()] == []
    assert [(module, test) for module, test in named.items() if module not in reached_by(test)] == []


if __name__ == "__main__":
    write_list()
