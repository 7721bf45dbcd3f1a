"""The screen and the keys of the box itself, on its terminals."""
