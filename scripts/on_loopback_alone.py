"""Run a command in a network of its own that has nothing but loopback, where the system allows that.

    python scripts/on_loopback_alone.py COMMAND ...

Some servers listen on all interfaces whatever they are told. Without the right to make such a network the command runs
in this one, and a line says so.
"""

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

_INSIDE = "COLPO_LOOPBACK_ALONE"
_SET_FLAGS, _UP, _RUNNING = 0x8914, 0x1, 0x40


def main() -> None:
    """Run the command of the command line, in a network of its own where that can be made."""
    command = sys.argv[1:]
    if os.environ.get(_INSIDE):
        with socket.socket() as any_socket:
            fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", _UP | _RUNNING))
        os.execvp(command[0], command)  # noqa: S606 - the caller's own command
    unshare = shutil.which("unshare")
    if unshare and subprocess.run([unshare, "--net", "true"], check=False, capture_output=True).returncode == 0:  # noqa: S603
        os.environ[_INSIDE] = "1"
        os.execv(unshare, [unshare, "--net", sys.executable, __file__, *command])  # noqa: S606
    sys.stderr.write("A network of its own needs root: servers of these proofs may be seen from outside meanwhile.\n")
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
