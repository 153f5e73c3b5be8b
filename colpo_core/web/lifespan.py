"""What happens when the web process begins and ends."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from colpo_core.services import engine
from colpo_core.store import Store
from colpo_core.web.logs import write_logs


def lifespan_of(store: Store) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """The lifespan of a process that serves this store.

    Args:
        store: The open store; closed at the end.
    """

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        write_logs(store.settings.data_dir / "logs")
        # Streamlit collects garbage after every rerun: what the imports made needs no looking at again.
        gc.collect()
        gc.freeze()
        try:
            with engine.watching(store):  # reconciles at once, and again from time to time
                yield
        finally:
            store.close()

    return lifespan
