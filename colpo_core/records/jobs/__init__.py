"""Background jobs: what one is to do, where it stands, what it made."""
