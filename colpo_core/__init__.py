"""ColpoDesk's core: everything that is not a screen. It never imports streamlit."""

__version__ = "0.1.0"
