"""Tests of the programs on the box."""
