"""Background jobs: their rows, leases, places and processes. What they compute is in `colpo_core.workers`."""
