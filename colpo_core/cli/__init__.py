"""The same services without a screen: python -m colpo_core."""
