"""Masks of findings: drafts, versions, what they start from, and who may see whose."""
