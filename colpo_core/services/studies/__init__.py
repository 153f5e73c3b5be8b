"""Blinded reading studies: design, conduct, readings, results and reports."""
