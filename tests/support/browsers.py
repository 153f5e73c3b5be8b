"""The program's routes over HTTP, behind the real gate."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from colpo_core.services.people import signing_in
from colpo_core.store import Store
from colpo_core.web.gate import Gate
from colpo_core.web.routes import routes

SITE = "http://localhost"


class Browser:
    """All routes, asked by one person.

    Attributes:
        token: What the browser's cookie holds; empty where nobody has signed in.
    """

    def __init__(self, store: Store, token: str = "") -> None:
        self._app = Gate(Starlette(routes=routes(store)), store)
        self.token = token

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.ask("GET", path, headers=headers)

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request as a page of the program does, unless its headers say otherwise."""

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self._app), base_url=SITE) as client:
                if self.token:
                    client.cookies.set(signing_in.SESSION_COOKIE, self.token)
                headers = {"origin": SITE, **request.pop("headers", {})}
                return await client.request(method, path, headers=headers, **request)

        return asyncio.run(send())


def client_of(store: Store, routes: Sequence[BaseRoute], token: str = "", **options: Any) -> TestClient:
    """Some routes behind the gate, asked by whoever has signed in with this token."""
    app = Starlette(routes=routes, middleware=[Middleware(Gate, store=store)])
    client = TestClient(app, **{"base_url": SITE, **options})
    if token:
        client.cookies.set(signing_in.SESSION_COOKIE, token)
    return client
