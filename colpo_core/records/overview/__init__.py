"""The worklist and the dashboard."""
