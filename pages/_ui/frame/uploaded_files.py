"""Files that browsers have sent and no page has taken yet: they wait in Streamlit's memory."""

from collections.abc import Collection

from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager


class WaitingFiles:
    """What waits in the memory of this process; see `colpo_core.web.browser_sessions.UploadedFiles`."""

    def bytes_of(self, session_ids: Collection[str] | None) -> int:
        """How many bytes wait in some sessions; in all for None."""
        waiting = _manager().file_storage
        chosen = list(waiting) if session_ids is None else [session for session in session_ids if session in waiting]
        return sum(len(file.data) for session in chosen for file in list(waiting[session].values()))

    def forget_left(self, session_ids: Collection[str]) -> None:
        """Drop what waits in those of the sessions whose page is closed."""
        manager, running = _manager(), runtime.get_instance()
        for session in session_ids:
            if not running.is_active_session(session):
                manager.remove_session_files(session)


def _manager() -> MemoryUploadedFileManager:
    manager = runtime.get_instance().uploaded_file_mgr
    if not isinstance(manager, MemoryUploadedFileManager):
        raise TypeError(f"Streamlit keeps uploaded files in {type(manager).__name__}, which is not known here")
    return manager
