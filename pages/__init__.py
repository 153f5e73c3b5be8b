"""Screens: one file each, a thin `render()` that asks one service and draws what came back."""
