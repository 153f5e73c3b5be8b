"""Who may call which service, read off the source: importing all of it would load networks and optional packages."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from colpo_core.services.common import permissions
from colpo_core.settings import PROGRAM_DIR
from colpo_core.terms import Role

_CORE = PROGRAM_DIR / "colpo_core"
_ROOMS = ("services", "workers", "cluster")


@dataclass(frozen=True)
class Access:
    """Who may call one service.

    Attributes:
        subject: Folder of the service, such as `cases`; `workers` and `cluster` are rooms of their own.
        service: Module and function, such as `case.get_case`.
        roles: Who may call it. Some services then look closer, for example whether a mask is one's own.
        purpose: What it does, in one sentence.
    """

    subject: str
    service: str
    roles: tuple[Role, ...]
    purpose: str


def list_access() -> tuple[Access, ...]:
    """Every function that is open to some roles, by subject and name."""
    files = (file for room in _ROOMS for file in (_CORE / room).rglob("*.py"))
    table = (access for file in files for access in _read(file))
    return tuple(sorted(table, key=lambda access: (access.subject, access.service)))


def _read(file: Path) -> Iterator[Access]:
    room, *folders, module = file.relative_to(_CORE).with_suffix("").parts
    subject = folders[0] if folders else room
    for function in ast.parse(file.read_text(encoding="utf-8")).body:
        if not isinstance(function, ast.FunctionDef):
            continue
        purpose = (ast.get_docstring(function) or "").partition("\n")[0]
        for guard in function.decorator_list:
            match guard:
                case ast.Call(func=ast.Name(id="allowed"), args=[ast.Name(id=roles)]):
                    yield Access(subject, f"{module}.{function.name}", getattr(permissions, roles), purpose)


_HEAD = """# Who may do what

Written by `python -m colpo_core people access --markdown` from the services themselves; a test compares the two.
A service may look closer after the role: a reader sees the cases of their own studies alone, a document is open to its
own annotator, and what a blind task keeps back is kept back from administrators too.
"""


def as_markdown(table: tuple[Access, ...]) -> str:
    """The table as it stands in `docs/access.md`, one section a subject."""
    lines = [_HEAD]
    for subject in sorted({access.subject for access in table}):
        lines += [
            f"## {subject}\n",
            "| service | administrator | annotator | reader | what it does |",
            "| --- " * 5 + "|",
        ]
        for access in table:
            if access.subject == subject:
                marks = " | ".join("yes" if role in access.roles else "" for role in Role)
                lines.append(f"| `{access.service}` | {marks} | {access.purpose} |")
        lines.append("")
    return "\n".join(lines)
