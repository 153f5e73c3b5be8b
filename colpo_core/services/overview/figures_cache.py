"""Figures of the whole store: kept until something changes in it, and for a while longer where counting takes long.

A page that is drawn again asks for the same figures again; with a hundred thousand cases each takes a tenth of a second
and more. So what was counted is kept with the store's state, which is a few numbers that every deed raises. In a store
so large that counting takes many seconds somebody does something all the time: there its figures stand for a while, and
pages say since when.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from colpo_core.services.common.cache import LruCache
from colpo_core.store import Store
from colpo_core.store.tables import Annotation, AuditEntry, Image, Job, Prediction, Promotion, utc_now

SLOW_SECONDS = 5.0
STANDING_FACTOR = 30.0
"""Figures that took so long to count stand for so many times as long, and never longer than the next."""
LONGEST_STANDING_SECONDS = 600.0
Figures = TypeVar("Figures")
_COUNTED: LruCache[tuple[object, ...], object] = LruCache(200)


@dataclass(frozen=True)
class _SlowFigures:
    figures: object
    until: float
    counted_at: datetime


_SLOW: dict[tuple[object, ...], _SlowFigures] = {}


def cached_figures(
    store: Store, session: Session, name: str, arguments: tuple[object, ...], count: Callable[[], Figures]
) -> Figures:
    """What was counted before, if nothing was done in the store since, or if counting took long.

    A promotion ends that: no figure of one model is shown as another's.

    Args:
        store: The open store.
        session: A reading session of it.
        name: What is counted.
        arguments: What it depends on besides the store; nothing of who asks.
        count: Counts it.
    """
    state = _state(session)
    key = (_address(store), name, arguments, state.promotion)
    slow = _SLOW.get(key)
    if slow is not None and slow.until > time.monotonic():
        return cast("Figures", slow.figures)
    began, counted_at = time.monotonic(), utc_now()
    figures = _COUNTED.find((*key, *state), count)
    now = time.monotonic()
    for past in [key for key, entry in list(_SLOW.items()) if entry.until <= now]:
        _SLOW.pop(past, None)
    if now - began >= SLOW_SECONDS:
        length = min(LONGEST_STANDING_SECONDS, STANDING_FACTOR * (now - began))
        _SLOW[key] = _SlowFigures(figures, now + length, counted_at)
    return cast("Figures", figures)


def counted_since(store: Store) -> datetime | None:
    """When the oldest figures of a store were counted that still stand, UTC; None where all are counted anew."""
    address, now = _address(store), time.monotonic()
    times = [entry.counted_at for key, entry in list(_SLOW.items()) if key[0] == address and entry.until > now]
    return min(times, default=None)


def _address(store: Store) -> str:
    return store.settings.database_url or str(store.settings.database_path)


def _state(session: Session) -> Any:  # noqa: ANN401 - a row whose columns are named below
    """Numbers of which every deed raises one, and every prediction; each is read off the end of an index."""
    newest = (AuditEntry.id, Prediction.id, Image.id, Annotation.id, Job.id)
    columns = [select(func.max(column)).scalar_subquery() for column in newest]
    promotion = select(func.max(Promotion.id)).scalar_subquery().label("promotion")
    return session.execute(select(*columns, promotion)).one()
