"""Tests on the host, within seconds: no image, no root shell, no network."""
