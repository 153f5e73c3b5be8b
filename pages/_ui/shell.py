"""The script that Streamlit runs: who is here, what they may open, and the page they opened.

No `pages/` folder may ever stand beside this file (see `app.py`).
"""

from pages._ui.frame.frame import draw

draw()
