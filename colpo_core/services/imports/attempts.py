"""Importing one file after another: what the machine refuses in the middle ends the import, and not its report."""

from collections.abc import Callable

from colpo_core.records.cases.cases import ImportOutcome, ImportStatus
from colpo_core.services.common.machine_errors import machine_error


class Attempts:
    """The files of one import. Once the disk or the database refuses one, none of those after it is tried."""

    def __init__(self) -> None:
        self._refusal = ""

    def outcome(self, name: str, attempt: Callable[[], ImportOutcome]) -> ImportOutcome:
        """What became of one file.

        Args:
            name: The file's.
            attempt: Imports it, whole or not at all.
        """
        if not self._refusal:
            try:
                return attempt()
            except Exception as error:
                known = machine_error(error)
                if known is None:
                    raise
                self._refusal = str(known)
        return ImportOutcome(name, ImportStatus.REFUSED, self._refusal)
