"""What is answered where the store cannot be opened: a page that says why, and nothing else."""

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from colpo_core.web.headers import with_safe_headers
from colpo_core.web.signin_form import store_refused_page


class RefusedStore:
    """ASGI middleware that answers everything with 503 and the reason; the program behind it is never asked.

    Args:
        app: What stands behind it: only told of the beginning and the end.
        sentence: Why the store cannot be opened, and what to do.
    """

    def __init__(self, app: ASGIApp, sentence: str) -> None:
        self._app = app
        self._sentence = sentence

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse one connection."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1013})
        elif scope["type"] == "http":
            await self._answer(scope)(scope, receive, with_safe_headers(scope, send))
        else:
            await self._app(scope, receive, send)

    def _answer(self, scope: Scope) -> Response:
        if scope["path"] == "/colpo/health":
            return JSONResponse({"status": "the store cannot be opened"}, status_code=503)
        return HTMLResponse(store_refused_page(self._sentence), status_code=503)
