"""The screens, one file each: a thin `render()` that calls one service and draws what it returns."""
