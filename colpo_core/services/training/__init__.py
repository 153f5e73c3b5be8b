"""What is asked before and around a training: its start, preflight, disk, and training by rule."""
