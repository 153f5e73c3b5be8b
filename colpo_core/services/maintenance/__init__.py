"""The store as a whole: how much it holds, back-ups."""
