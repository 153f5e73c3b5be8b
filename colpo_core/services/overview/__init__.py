"""What waits and how the clinic stands: the worklist, the dashboard and its figures."""
