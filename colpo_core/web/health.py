"""Whether the program is up, for whoever watches the machine: nothing else is told."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colpo_core.services.common.incidents import log_incident
from colpo_core.services.people.accounts import needs_first_administrator
from colpo_core.store import Store


def routes(store: Store) -> list[Route]:
    """The route of health; it stands open.

    Args:
        store: The open store.
    """

    async def health(request: Request) -> Response:
        try:
            await run_in_threadpool(needs_first_administrator, store)  # the cheapest question that reaches the file
        except Exception as error:
            log_incident(error)
            return JSONResponse({"status": "the store cannot be read"}, status_code=503)
        return JSONResponse({"status": "ok"})

    return [Route("/colpo/health", health, methods=["GET"])]
