"""Annotation tasks: who annotates which images, and in what order."""
