"""Blinded reading studies: plans, conduct, what readers see, results, reports."""
