"""The tables of a checkpoint's card in words, the same on a page and in the card's file; no figure without interval."""
