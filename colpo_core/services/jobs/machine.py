"""This machine, by a name that no other has: where process ids and GPU locks mean something."""

import socket
from contextlib import suppress
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PROCESSES = Path("/proc/self/ns/pid")


@cache
def this_machine() -> str:
    """Name of the machine; where the system tells, with its boot and its space of process ids.

    Two containers may share a name, and after a restart a process id belongs to another program.
    """
    parts = [socket.gethostname()]
    with suppress(OSError):  # where it is not Linux the name has to do
        parts += [_BOOT_ID.read_text(encoding="ascii").strip()[:8], str(_PROCESSES.readlink()).strip("pid:[]")]
    return "/".join(parts)[:120]
