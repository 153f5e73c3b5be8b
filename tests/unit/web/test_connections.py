"""Connections that are left lying, on a real server with short patience."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from colpo_core.web import connections
from colpo_core.web.connections import TimedProtocol, most_connections, time_connections

SHORT_SECONDS = 0.05
HEAD = b"POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
WHOLE = b"GET /take HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("HEADER_SECONDS", "BODY_SECONDS", "_LOOK_SECONDS"):
        monkeypatch.setattr(connections, name, SHORT_SECONDS)
    yield
    assert not TimedProtocol._of_address


async def take(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())} bytes")


async def talk(socket: WebSocket) -> None:
    await socket.accept()
    while True:
        await socket.send_text(await socket.receive_text())


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/take", take, methods=["GET", "POST"]), WebSocketRoute("/talk", talk)])
    config = uvicorn.Config(app, port=0, log_level="critical", ws="websockets-sansio")
    config.load()
    assert time_connections() >= 1
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


def on_a_server(use: Callable[[int], Awaitable[None]]) -> None:
    async def run() -> None:
        async with serving() as port:
            await use(port)
            await asyncio.sleep(2 * SHORT_SECONDS)

    asyncio.run(run())
    gc.collect()


async def answer_to(port: int, *parts: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(0)
    try:
        return await asyncio.wait_for(reader.read(), 60)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def test_half_a_header_is_not_waited_for() -> None:
    async def use(port: int) -> None:
        assert await answer_to(port, b"GET /take HTTP/1.1\r\nHost:") == b""
        assert await answer_to(port) == b""

    on_a_server(use)


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def use(port: int) -> None:
        assert await answer_to(port, HEAD, b"a") == b""

    on_a_server(use)


def test_whole_requests_are_answered_without_the_servers_name() -> None:
    async def use(port: int) -> None:
        answer = await answer_to(port, HEAD + bytes(1000), WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert answer.count(b"200 OK") == 2
        assert b"1000 bytes" in answer
        assert b"server:" not in answer.lower()

    on_a_server(use)


def test_a_websocket_may_be_silent() -> None:
    async def use(port: int) -> None:
        async with connect(f"ws://127.0.0.1:{port}/talk") as socket:
            await asyncio.sleep(6 * SHORT_SECONDS)
            await socket.send("still here")
            assert await socket.recv() == "still here"

    on_a_server(use)


def test_one_address_has_so_many_connections_and_a_proxy_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_AN_ADDRESS", 3)
    monkeypatch.setattr(connections, "HEADER_SECONDS", 60.0)

    async def open_connections(port: int) -> int:
        pairs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(6)]
        n_served = 0
        for reader, writer in pairs:
            try:
                writer.write(WHOLE)
                n_served += bool(await reader.read(10))
            except ConnectionResetError:
                continue
        for _, writer in pairs:
            writer.close()
        await asyncio.sleep(SHORT_SECONDS)
        return n_served

    async def use(port: int) -> None:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.1")
        assert await open_connections(port) == 3
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", "127.0.0.1")
        assert await open_connections(port) == 6
        monkeypatch.setattr(connections, "most_connections", lambda: 2)
        assert await open_connections(port) == 2

    on_a_server(use)


def test_the_store_always_has_files_left() -> None:
    import resource

    assert most_connections() < resource.getrlimit(resource.RLIMIT_NOFILE)[0]
