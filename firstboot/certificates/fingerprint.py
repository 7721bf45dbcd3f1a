"""The mark by which a person knows a certificate again: the beginning of its SHA-256, in groups.

Half of the fingerprint, 128 bits, is enough: to find another certificate with the same beginning is
out of anybody's reach, and 32 characters are what somebody compares who is asked to.
"""

import base64
import hashlib
from pathlib import Path

GROUPS, LENGTH = 8, 4
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def mark(file: Path) -> str:
    """Of the first certificate in a PEM file, such as `3F9A 0B12 …`; empty where there is none."""
    try:
        _, found, rest = file.read_text().partition(BEGIN)
        body, ended, _ = rest.partition(END)
        content = base64.b64decode("".join(body.split()), validate=True)
    except (OSError, ValueError):
        return ""
    if not (found and ended and content):
        return ""
    digits = hashlib.sha256(content).hexdigest().upper()
    return " ".join(digits[n * LENGTH :][:LENGTH] for n in range(GROUPS))
