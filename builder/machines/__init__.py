"""Boxes that run here: whole in QEMU, or their services in a container, on a stage of their own."""
