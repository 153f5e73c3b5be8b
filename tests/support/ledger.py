"""Which services note exposures, read off their source: a service, or one that it calls, must touch the ledger.

And which take another one that notes for their source, so that somebody counts as having seen what nobody showed.
"""

import ast
from pathlib import Path

CORE = Path(__file__).parents[2] / "colpo_core"
# Services are named by subject, module and function, what runs networks by `workers`, module and function.
ROOMS = {"colpo_core.services.": CORE / "services", "colpo_core.": CORE / "workers"}
LEDGER = "exposures"
# A deed in the name of a program that brings masks: nobody is shown anything.
DEEDS = frozenset({"annotations.imported_masks.import_annotation"})


def services() -> dict[str, bool]:
    """Every public function that takes a caller, as `subject.module.name`, and whether it notes."""
    functions, asked, imported = _read_all()
    noting = {name for name, function in functions.items() if _touches(function)}
    while True:
        more = {name for name in functions.keys() - noting if _called(name, functions[name], imported) & noting}
        if not more:
            return {name: name in noting for name in sorted(asked)}
        noting |= more


def borrowed_looks() -> set[tuple[str, str]]:
    """Every function of the services that calls a public service which notes exposures, with that service.

    By its name, by its module, or under the name of a module that passes it on.
    """
    functions, _, imported = _read_all()
    noting = {name for name, notes in services().items() if notes}
    return {
        (name, called)
        for name, function in functions.items()
        for called in (_called(name, function, imported) & noting) - DEEDS
    }


def _read_all() -> tuple[dict[str, ast.FunctionDef], set[str], dict[str, dict[str, str]]]:
    functions: dict[str, ast.FunctionDef] = {}
    asked: set[str] = set()
    imported: dict[str, dict[str, str]] = {}
    for file in sorted(file for room in ROOMS.values() for file in room.rglob("*.py")):
        module = _named(".".join(("colpo_core", *file.relative_to(CORE).with_suffix("").parts)))
        tree = ast.parse(file.read_text(encoding="utf-8"))
        imported[module] = _imports(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                functions[f"{module}.{node.name}"] = node
                if "caller" in {argument.arg for argument in node.args.args} and not node.name.startswith("_"):
                    asked.add(f"{module}.{node.name}")
    return functions, asked - {name for name in asked if f".{LEDGER}." in name}, imported


def _imports(tree: ast.Module) -> dict[str, str]:
    """By the name in this module, the subject, module and function it comes from; or a subject and module alone."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(tuple(ROOMS)):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{_named(str(node.module))}.{alias.name}"
    return found


def full_name(module: str) -> str:
    """The module that is named by subject and module, or by `workers` and module, as Python imports it."""
    return f"colpo_core.{module}" if module.startswith("workers.") else f"colpo_core.services.{module}"


def _named(module: str) -> str:
    return module.removeprefix("colpo_core.services.").removeprefix("colpo_core.")


def _touches(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == LEDGER
        and node.attr.startswith("note")
        for node in ast.walk(function)
    )


def _called(name: str, function: ast.FunctionDef, imported: dict[str, dict[str, str]]) -> set[str]:
    """What a function calls or hands on, by module and name, through whichever module it was imported."""
    module = name.rpartition(".")[0]
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            found.add(imported[module].get(node.id, f"{module}.{node.id}"))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{imported[module].get(node.value.id, '')}.{node.attr}")
    return {_source(one, imported) for one in found} - {name}


def _source(name: str, imported: dict[str, dict[str, str]]) -> str:
    """Where a function is written that another module passes on."""
    module, _, function = name.rpartition(".")
    passed_on = imported.get(module, {}).get(function)
    return name if passed_on is None or passed_on == name else _source(passed_on, imported)
