"""Threads for the program's routes, divided so that no kind of work can keep another from being served.

All that blocks runs in a lane: so many threads, so many that may wait for one, and so long. What waits for the
database's writer, hashes a password or draws an image can fill its own lane and no other; the gate's question who is
signed in, and the question about the program's health, have lanes that nothing else enters. Who finds a lane full is
told to come again (`errors.Busy`), instead of holding what others need.
"""

import math
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address, ip_network
from typing import ParamSpec, TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from colpo_core.errors import Busy

Given = ParamSpec("Given")
Result = TypeVar("Result")

MOST_WAITING_A_PERSON = 48


class _Places:
    """The threads of a lane in one event loop, and who waits for one."""

    def __init__(self, threads: int) -> None:
        self.limiter = CapacityLimiter(threads)
        self.waiting = 0
        self.waiting_of: Counter[object] = Counter()


@dataclass(frozen=True, eq=False)
class Lane:
    """Threads of its own for one kind of work.

    Attributes:
        name: Of the kind of work.
        threads: How many run at the same time.
        most_waiting: How many more may wait.
        patience_seconds: How long one waits for a thread.
        retry_after: After how many seconds somebody who was turned away should try again.
    """

    name: str
    threads: int
    most_waiting: int
    patience_seconds: float = 15.0
    retry_after: int = 3
    _places: "RunVar[_Places]" = field(init=False)

    def __post_init__(self) -> None:
        """A limiter belongs to one event loop, so it is made in the first that asks."""
        object.__setattr__(self, "_places", RunVar(f"colpo_core.web.limits.{self.name}"))

    async def run(self, work: Callable[[], Result], *, person: object = None) -> Result:
        """Run blocking work in a thread of this lane.

        Args:
            work: Takes nothing; see `functools.partial`.
            person: Whose it is: one person cannot take all the places in which one waits.

        Raises:
            Busy: Too many wait already, or none of the threads became free in time.
        """
        places = self._here()
        borrower = object()
        try:
            places.limiter.acquire_on_behalf_of_nowait(borrower)
        except anyio.WouldBlock:
            await self._wait(places, borrower, person)
        try:
            return await to_thread.run_sync(work, limiter=_no_limit())
        finally:
            places.limiter.release_on_behalf_of(borrower)

    async def _wait(self, places: _Places, borrower: object, person: object) -> None:
        of_this = places.waiting_of[person] if person is not None else 0
        if places.waiting >= self.most_waiting or of_this >= MOST_WAITING_A_PERSON:
            raise self._busy()
        places.waiting += 1
        places.waiting_of[person] += 1
        try:
            with anyio.fail_after(self.patience_seconds):
                await places.limiter.acquire_on_behalf_of(borrower)
        except TimeoutError:
            raise self._busy() from None
        finally:
            places.waiting -= 1
            places.waiting_of[person] -= 1
            if not places.waiting_of[person]:
                del places.waiting_of[person]

    def _here(self) -> _Places:
        try:
            return self._places.get()
        except LookupError:
            places = _Places(self.threads)
            self._places.set(places)
            return places

    def _busy(self) -> Busy:
        return Busy(
            "The program has more to do at this moment than it can. Try again in a few seconds.",
            retry_after=self.retry_after,
        )


_UNLIMITED: RunVar[CapacityLimiter] = RunVar("colpo_core.web.limits.unlimited")


def _no_limit() -> CapacityLimiter:
    """Lanes count for themselves; what they let through needs no second count."""
    try:
        return _UNLIMITED.get()
    except LookupError:
        limiter = CapacityLimiter(math.inf)
        _UNLIMITED.set(limiter)
        return limiter


GATE = Lane("gate", threads=4, most_waiting=1000, patience_seconds=10.0)
"""Who is signed in: short reads alone, which wait for nobody."""
HEALTH = Lane("health", threads=1, most_waiting=50, patience_seconds=5.0)
PASSWORDS = Lane("passwords", threads=2, most_waiting=16, patience_seconds=10.0, retry_after=5)
"""Signing in: a hash takes 64 MiB and some tenths of a second."""
ACCOUNTS = Lane("accounts", threads=2, most_waiting=100)
"""The sign-in form itself, and signing out."""
SAVING = Lane("saving", threads=8, most_waiting=200)
"""What waits for the database's writer, such as a stroke."""
READING = Lane("reading", threads=8, most_waiting=400)
"""What reads, decodes and draws."""
NOTING = Lane("noting", threads=1, most_waiting=100, patience_seconds=5.0)
"""What the gate writes down of others' requests."""


async def in_lane(
    lane: Lane, function: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs
) -> Result:
    """Call a blocking function in a lane; see `Lane.run`."""
    return await lane.run(partial(function, *args, **kwargs))


class FailuresByAddress:
    """Failed sign-ins of each address, which fade by themselves.

    An attempt counts as failed until it has succeeded: any number at once get no further than one after another.
    """

    def __init__(
        self,
        *,
        at_once: int = 20,
        seconds_each: float = 3.0,
        most_addresses: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Allow so many failures at once, and one more each time so many seconds have passed."""
        self._at_once = at_once
        self._seconds_each = seconds_each
        self._most_addresses = most_addresses
        self._clock = clock
        # By address the moment at which its last failure will have faded.
        self._faded_at: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, address: str) -> None:
        """Count an attempt before it is looked at.

        Raises:
            Busy: This address has failed too often just now.
        """
        key, now = _network_of(address), self._clock()
        with self._lock:
            faded_at = max(self._faded_at.pop(key, now), now) + self._seconds_each
            wait = faded_at - now - self._at_once * self._seconds_each
            self._faded_at[key] = faded_at if wait <= 0 else faded_at - self._seconds_each
            while len(self._faded_at) > self._most_addresses:
                self._faded_at.popitem(last=False)
        if wait > 0:
            raise Busy(
                "Too many sign-ins from this address have failed. Wait a little, then try again.",
                retry_after=math.ceil(wait),
            )

    def forgive(self, address: str) -> None:
        """Take back what was counted for an attempt that was no failure."""
        key = _network_of(address)
        with self._lock:
            if key in self._faded_at:
                self._faded_at[key] -= self._seconds_each


def _network_of(address: str) -> str:
    """What one machine can choose its address from: of IPv6 a /64, of IPv4 the address alone."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return address if known.version == 4 else str(ip_network(f"{known}/64", strict=False))
