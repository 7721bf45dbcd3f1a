"""Certificates: the box's own, asked for, uploaded, requested; each rehearsed before it serves."""
