"""Which services note exposures, read off their source: a service, or one that it calls, must touch the ledger.

And which take another one that notes for their source, so that somebody counts as having seen what nobody showed.
"""

import ast
from pathlib import Path

SERVICES = Path(__file__).parents[1] / "colpo_core" / "services"
LEDGER = "exposures"
# A deed in the name of a program that brings masks: nobody is shown anything.
DEEDS = frozenset({"imported_masks.import_annotation"})


def services() -> dict[str, bool]:
    """Every public function that takes a store and an actor, as `module.name`, and whether it comes to the ledger."""
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
    for file in sorted(SERVICES.glob("*.py")):
        module, tree = file.stem, ast.parse(file.read_text(encoding="utf-8"))
        imported[module] = _imports(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                functions[f"{module}.{node.name}"] = node
                arguments = {one.arg for one in (*node.args.args, *node.args.kwonlyargs)}
                if {"store", "actor"} <= arguments and not node.name.startswith("_"):
                    asked.add(f"{module}.{node.name}")
    return functions, asked - {name for name in asked if name.startswith(f"{LEDGER}.")}, imported


def _imports(tree: ast.Module) -> dict[str, str]:
    """By the name in this module, the module of services and the function that it comes from; or a module alone."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("colpo_core.services."):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{str(node.module).rsplit('.', 1)[1]}.{alias.name}"
        elif isinstance(node, ast.ImportFrom) and node.module == "colpo_core.services":
            for alias in node.names:
                found[alias.asname or alias.name] = alias.name
    return found


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
    module = name.split(".", maxsplit=1)[0]
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            found.add(imported[module].get(node.id, f"{module}.{node.id}"))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{imported[module].get(node.value.id, '')}.{node.attr}")
    return {_source(one, imported) for one in found} - {name}


def _source(name: str, imported: dict[str, dict[str, str]]) -> str:
    """Where a function is written that another module passes on."""
    module, _, function = name.partition(".")
    passed_on = imported.get(module, {}).get(function)
    return name if passed_on is None or passed_on == name else _source(passed_on, imported)
