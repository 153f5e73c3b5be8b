"""The web process's log: a file in the store's folder that does not grow without end, and no patient data in it."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from colpo_core.services.common.incidents import describe

_MAX_BYTES = 1_000_000
_KEPT = 5
# Streamlit and the server write what they did not catch with its text; ours are written by `incidents`.
_FOREIGN = ("streamlit.error_util", "uvicorn.error", "asyncio", "streamlit.runtime.scriptrunner.script_runner")


class WithoutTexts(logging.Filter):
    """Replaces a caught error in a log line by its kind and place: its text may hold a patient's data."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through, without the texts of errors."""
        if record.exc_info and record.exc_info[1] is not None:
            record.msg = f"{record.getMessage()}\n{describe(record.exc_info[1])}"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


def write_logs(folder: Path) -> None:
    """Send the program's log to `web.log` in a folder, once a process.

    Args:
        folder: Made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ours = logging.getLogger("colpo_core")
    path = str((folder / "web.log").resolve())
    if not any(getattr(handler, "baseFilename", None) == path for handler in ours.handlers):
        handler = RotatingFileHandler(path, maxBytes=_MAX_BYTES, backupCount=_KEPT, encoding="utf-8", delay=True)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        handler.addFilter(WithoutTexts())
        ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    for name in _FOREIGN:
        logger = logging.getLogger(name)
        if not any(isinstance(known, WithoutTexts) for known in logger.filters):
            logger.addFilter(WithoutTexts())
