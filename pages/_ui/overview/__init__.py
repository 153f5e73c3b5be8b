"""The parts of the dashboard."""
