"""A job's unfinished work and its log among the files that machines share, so that another machine can go on."""

import hashlib
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from colpo_core.errors import FilesUnreachable
from colpo_core.services.jobs.files import LOG_TAIL_BYTES, SharedJobFiles, log_tail, work_dir
from colpo_core.services.jobs.machine import this_machine
from colpo_core.store import Store
from colpo_core.store.shared_files import JOBS, SharedFiles

log = logging.getLogger(__name__)
_SEND_EVERY_SECONDS = 5.0


class SharedWork(SharedJobFiles):
    """The files of jobs below `jobs/` of the shared files."""

    @contextmanager
    def sharing(
        self, store: Store, files: SharedFiles, job_id: int, *, attempt: int, lost: threading.Event
    ) -> Iterator[None]:
        """Begin with the work that an earlier attempt has shared, and share this one's; see `SharedJobFiles`."""
        fetched = fetch_work(store, files, job_id)
        sender = _Sender(store, files, job_id, attempt=attempt, shared=fetched)
        ended = threading.Event()

        def send_now_and_then() -> None:
            while not ended.wait(_SEND_EVERY_SECONDS) and not lost.is_set():
                sender.send()

        thread = threading.Thread(target=send_now_and_then, name=f"sharing-{job_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            # Where they do not answer anyway, whoever waits for this process to end is not kept waiting.
            if not lost.is_set() and sender.is_answered:
                sender.send()

    def delete(self, files: SharedFiles, job_id: int) -> None:
        """Delete what is shared of a job's unfinished work; see `SharedJobFiles`."""
        try:
            files.remove(_shared_work(job_id))
        except FilesUnreachable as error:
            log.warning("job %d: its unfinished work stays among the shared files: %s", job_id, error)

    def read_log(self, files: SharedFiles, job_id: int) -> str:
        """The end of what a job's processes printed, on whatever machine; see `SharedJobFiles`."""
        try:
            # A machine's later attempt has the earlier ones' lines before its own.
            newest = {name.rpartition("-")[2]: name for name in files.names(_shared_log(job_id))}
            parts = [files.read(name) or b"" for name in sorted(newest.values())]
        except FilesUnreachable as error:
            return str(error)
        return b"\n".join(parts)[-LOG_TAIL_BYTES:].decode("utf-8", "replace")


def fetch_work(store: Store, files: SharedFiles, job_id: int) -> list[str]:
    """Put what was shared of a job's work in place of what this machine has of it.

    Returns:
        The files' names within the job's folder of work.

    Raises:
        FilesUnreachable: The shared files do not answer.
    """
    source = _shared_work(job_id)
    names = [name.removeprefix(f"{source}/") for name in files.names(source)]
    folder = work_dir(store, job_id)
    if names:
        shutil.rmtree(folder, ignore_errors=True)
    for name in names:
        files.fetch(f"{source}/{name}", folder / name)
    return names


class _Sender:
    """Sends what has changed since it was sent last, in the order in which it was written."""

    def __init__(self, store: Store, files: SharedFiles, job_id: int, *, attempt: int, shared: list[str]) -> None:
        self._store = store
        self._files = files
        self._job_id = job_id
        machine = hashlib.sha256(this_machine().encode()).hexdigest()[:12]
        self._log_name = f"{_shared_log(job_id)}/{attempt:04d}-{machine}"
        self._sent = {name: facts for name, (_, facts) in self._written().items() if name in shared}
        self._sent_log = b""
        self.is_answered = True

    def send(self) -> None:
        """Send once; what could not be sent is sent the next time."""
        self.is_answered = False
        try:
            self._send_work()
            tail = log_tail(self._store, self._job_id)
            if tail != self._sent_log:
                self._files.write(self._log_name, tail)
                self._sent_log = tail
            self.is_answered = True
        except FilesUnreachable as error:
            log.warning("job %d: its work is not shared for now: %s", self._job_id, error)

    def _send_work(self) -> None:
        written = self._written()
        for name, (path, facts) in sorted(written.items(), key=lambda item: item[1][1]):
            if self._sent.get(name) != facts:
                self._send_file(path, name)
                self._sent[name] = facts
        for name in self._sent.keys() - written.keys():
            self._files.delete(f"{_shared_work(self._job_id)}/{name}")
            del self._sent[name]

    def _written(self) -> dict[str, tuple[Path, tuple[int, int]]]:
        """All files of the job's work that are whole: their places, when they were written, and how long they are."""
        folder = work_dir(self._store, self._job_id)
        written = {}
        for path in folder.rglob("*"):
            try:
                if _is_whole(path, folder):
                    facts = path.stat()
                    written[path.relative_to(folder).as_posix()] = (path, (facts.st_mtime_ns, facts.st_size))
            except FileNotFoundError:  # finished with meanwhile
                continue
        return written

    def _send_file(self, path: Path, name: str) -> None:
        try:
            self._files.send(path, f"{_shared_work(self._job_id)}/{name}")
        except FileNotFoundError:  # finished with meanwhile
            return


def _is_whole(path: Path, folder: Path) -> bool:
    """Whether a file is under its own name: what is being written has an ending or a dot."""
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.suffix not in (".part", ".writing") and path.is_file()


def _shared_work(job_id: int) -> str:
    return f"{JOBS}/{job_id}/work"


def _shared_log(job_id: int) -> str:
    return f"{JOBS}/{job_id}/log"
