"""What happens when the web process begins and ends."""

import gc
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from colpo_core.services.jobs.supervising import supervising
from colpo_core.services.maintenance.nightly import back_up_if_due
from colpo_core.services.training.retraining import train_if_due
from colpo_core.store import Store
from colpo_core.web.connections import time_connections
from colpo_core.web.logs import write_logs


def lifespan_of(store: Store) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """The lifespan of a process that serves this store.

    Args:
        store: The open store; closed at the end.
    """

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        write_logs(store.settings.data_dir / "logs")
        send_small_answers_at_once()
        time_connections()
        # Streamlit collects garbage after every rerun: what the imports made needs no looking at again.
        gc.collect()
        gc.freeze()
        try:
            with supervising(store, [train_if_due, back_up_if_due]):  # reconciles at once, and again from time to time
                yield
        finally:
            store.close()

    return lifespan


def send_small_answers_at_once() -> int:
    """Switch Nagle's algorithm off for all connections of this process's servers.

    Streamlit opens its server's socket in a way that keeps asyncio from doing so. Head and body of an answer are two
    writes; with Nagle's algorithm the second waits until the browser has acknowledged the first, which it puts off
    for 40 ms (Linux) to 200 ms (Windows): at every mask that is saved and every run of a page. Nobody hands the
    socket out, so it is looked for; connections inherit the setting.

    Returns:
        How many listening sockets were set.
    """
    n_servers = 0
    for candidate in gc.get_objects():
        if type(candidate) is not socket.socket or candidate.fileno() < 0:
            continue
        if candidate.family not in (socket.AF_INET, socket.AF_INET6) or candidate.type != socket.SOCK_STREAM:
            continue
        if candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            n_servers += 1
    return n_servers
