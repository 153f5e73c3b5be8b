"""The ASGI application: `streamlit run app.py`, or any ASGI server.

The script lies in `pages/_ui/`, where no `pages/` folder stands beside it: beside one, Streamlit would serve every
page file by its name before the script has run once, past the sign-in.
"""

import logging
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

import pages._ui.frame.frame  # noqa: F401 - all pages are imported before the first visitor comes
from colpo_core.errors import ColpoError
from colpo_core.services.common.store_access import open_store
from colpo_core.settings import keep_files_private
from colpo_core.web.browser_sessions import Uploads
from colpo_core.web.gate import Gate
from colpo_core.web.lifespan import lifespan_of
from colpo_core.web.refused_store import RefusedStore
from colpo_core.web.routes import routes
from colpo_core.web.scripts import script_routes
from pages._ui.components import scripts
from pages._ui.frame.uploaded_files import WaitingFiles
from pages._ui.shared.errors import on_script_error

SCRIPT = Path(__file__).resolve().parent / "pages" / "_ui" / "shell.py"

keep_files_private()


def _parts() -> dict[str, Any]:
    """What the application is made of; where the store cannot be opened, the reason and nothing else."""
    try:
        store = open_store()
    except ColpoError as error:
        logging.getLogger(__name__).error("%s", error)
        return {"middleware": [Middleware(RefusedStore, sentence=str(error))]}
    return {
        "routes": [*routes(store), *script_routes(scripts.VERSION, scripts.MODULES)],
        "middleware": [Middleware(Gate, store=store, uploads=Uploads(WaitingFiles()))],
        "lifespan": lifespan_of(store),
        "on_script_error": on_script_error,
    }


app = st.App(SCRIPT, **_parts())
