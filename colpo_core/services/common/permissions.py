"""Who may do what, said once."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from colpo_core.errors import PermissionDenied
from colpo_core.records.people import Actor
from colpo_core.services.common.callers import Caller
from colpo_core.terms import Role

ADMINISTRATORS = (Role.ADMINISTRATOR,)
CLINICIANS = (Role.ADMINISTRATOR, Role.ANNOTATOR)
READERS = (Role.READER,)
EVERYBODY = (Role.ADMINISTRATOR, Role.ANNOTATOR, Role.READER)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Service = Callable[Concatenate[Caller, Parameters], Result]


def allowed(roles: tuple[Role, ...]) -> Callable[[Service[Parameters, Result]], Service[Parameters, Result]]:
    """Let only these roles call a service; anybody else gets PermissionDenied before anything is read."""

    def guard(service: Service[Parameters, Result]) -> Service[Parameters, Result]:
        @wraps(service)
        def guarded(caller: Caller, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            require(caller.actor, roles)
            return service(caller, *args, **kwargs)

        return guarded

    return guard


def require(actor: Actor, roles: tuple[Role, ...]) -> None:
    """Refuse an actor whose role is not among those that may.

    Raises:
        PermissionDenied: The role is not among them.
    """
    if actor.role not in roles:
        names = " or ".join(f"{role.value}s" for role in roles)
        raise PermissionDenied(f"This is for {names}. Ask an administrator if you need it.")
