"""Who may call which service, read off the services themselves."""

import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

from colpo_core import services
from colpo_core.services.common.permissions import roles_of
from colpo_core.terms import Role


@dataclass(frozen=True)
class Access:
    """Who may call one service.

    Attributes:
        subject: Folder of the service, such as `cases`.
        service: Module and function, such as `case.get_case`.
        roles: Who may call it. Some services then look closer, for example whether a mask is one's own.
        purpose: What it does, in one sentence.
    """

    subject: str
    service: str
    roles: tuple[Role, ...]
    purpose: str


def list_access() -> tuple[Access, ...]:
    """Every service that is open to some roles, by subject and name."""
    return tuple(sorted(_read(), key=lambda access: (access.subject, access.service)))


def _read() -> Iterator[Access]:
    for module in pkgutil.walk_packages(services.__path__, f"{services.__name__}."):
        if module.ispkg:
            continue
        subject, name = module.name.removeprefix(f"{services.__name__}.").split(".", 1)
        for function_name, function in inspect.getmembers(import_module(module.name), inspect.isfunction):
            roles = roles_of(function)
            if roles is not None and function.__module__ == module.name:
                purpose = inspect.cleandoc(function.__doc__ or "").partition("\n")[0]
                yield Access(subject, f"{name}.{function_name}", roles, purpose)


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
