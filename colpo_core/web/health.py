"""Whether the program is up, for whoever watches the machine: nothing else is told."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colpo_core.errors import Busy
from colpo_core.services.common.disk_probe import probe_of
from colpo_core.services.common.incidents import log_incident
from colpo_core.services.people.accounts import needs_first_administrator
from colpo_core.store import Store
from colpo_core.web.limits import HEALTH, in_lane


def routes(store: Store) -> list[Route]:
    """The route of health; it stands open.

    Args:
        store: The open store.
    """
    probe = probe_of(store.settings.data_dir)

    def look() -> str:
        try:
            needs_first_administrator(store)  # the cheapest question that reaches the file
        except Exception as error:
            log_incident(error)
            return "the store cannot be read"
        return "ok" if probe.is_writable() else "the store cannot be written"

    async def health(request: Request) -> Response:
        try:
            status = await in_lane(HEALTH, look)
        except Busy as error:
            headers = {"Retry-After": str(error.retry_after)}
            return JSONResponse({"status": str(error)}, status_code=503, headers=headers)
        return JSONResponse({"status": status}, status_code=200 if status == "ok" else 503)

    return [Route("/colpo/health", health, methods=["GET"])]
