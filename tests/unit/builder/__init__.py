"""Tests of the programs on the engineer's machine."""
