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

from colpo_core.services.common.cache import Kept
from colpo_core.store import Store
from colpo_core.store.tables import Annotation, AuditEntry, Image, Job, Prediction, Promotion, utc_now

SLOW_SECONDS = 5.0
STANDING_FACTOR = 30.0
"""Figures that took so long to count stand for so many times as long, and never longer than the next."""
LONGEST_STANDING_SECONDS = 600.0
Found = TypeVar("Found")
_FOUND: Kept[tuple[object, ...], object] = Kept(200)


@dataclass(frozen=True)
class _Standing:
    found: object
    until: float
    counted_at: datetime


_STANDING: dict[tuple[object, ...], _Standing] = {}


def kept_figures(
    store: Store, session: Session, name: str, arguments: tuple[object, ...], make: Callable[[], Found]
) -> Found:
    """What was counted before, if nothing was done in the store since, or if counting took long.

    A promotion ends that: no figure of one model is shown as another's.

    Args:
        store: The open store.
        session: A reading session of it.
        name: What is counted.
        arguments: What it depends on besides the store; nothing of who asks.
        make: Counts it.
    """
    state = _state(session)
    asked = (_place(store), name, arguments, state.promotion)
    standing = _STANDING.get(asked)
    if standing is not None and standing.until > time.monotonic():
        return cast("Found", standing.found)
    began, counted_at = time.monotonic(), utc_now()
    found = _FOUND.find((*asked, *state), make)
    now = time.monotonic()
    for past in [key for key, one in list(_STANDING.items()) if one.until <= now]:
        _STANDING.pop(past, None)
    if now - began >= SLOW_SECONDS:
        length = min(LONGEST_STANDING_SECONDS, STANDING_FACTOR * (now - began))
        _STANDING[asked] = _Standing(found, now + length, counted_at)
    return cast("Found", found)


def standing_since(store: Store) -> datetime | None:
    """When the oldest figures of a store were counted that still stand, UTC; None where all are counted anew."""
    place, now = _place(store), time.monotonic()
    times = [one.counted_at for asked, one in list(_STANDING.items()) if asked[0] == place and one.until > now]
    return min(times, default=None)


def _place(store: Store) -> str:
    return store.settings.database_url or str(store.settings.database_path)


def _state(session: Session) -> Any:  # noqa: ANN401 - a row whose columns are named below
    """Numbers of which every deed raises one, and every prediction; each is read off the end of an index."""
    newest = (AuditEntry.id, Prediction.id, Image.id, Annotation.id, Job.id)
    columns = [select(func.max(one)).scalar_subquery() for one in newest]
    promotion = select(func.max(Promotion.id)).scalar_subquery().label("promotion")
    return session.execute(select(*columns, promotion)).one()
