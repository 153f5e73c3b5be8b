"""ColpoDesk's core: everything that is not a screen. It never imports streamlit."""

import os

__version__ = "0.1.0"

# Threads that wait for each other must sleep, not spin: where other programs want the same cores, a spinning step
# takes tens of times as long. The variable is read when torch is first loaded, and torch is loaded by the core alone.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
