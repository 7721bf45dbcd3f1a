"""Measuring: speed and size, each beside a floor taken in the same run."""
