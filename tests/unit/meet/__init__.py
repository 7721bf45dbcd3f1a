"""Tests of the rooms service, module by module."""
