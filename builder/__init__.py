"""Runs on the engineer's machine: makes, signs, starts, checks and measures the image."""
