"""What is answered where the store cannot be opened: a page that says why, and nothing else."""

from html import escape

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from colpo_core.web.headers import with_safe_headers

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>ColpoDesk cannot open its store</title></head>
<body><h1>ColpoDesk cannot open its store</h1><p>{sentence}</p>
<p>Whoever looks after this machine has to do so; nobody can sign in until then.</p></body></html>
"""


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
        return HTMLResponse(_PAGE.format(sentence=escape(self._sentence)), status_code=503)
