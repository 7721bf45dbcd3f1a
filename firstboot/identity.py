"""At the first start: make the stack's secrets, which must never be in an image.

Power may go at any moment: the mark is written last, and without it all is made anew. The box's
certificates are made beside its addresses, by firstboot.names.address.
"""

import os
import subprocess
from pathlib import Path

from firstboot.access import code
from firstboot.stack import Stack

SECRETS = Path("/var/lib/ratssaal/secrets")
MARK = SECRETS / "complete"


def main() -> None:
    """Let the stack make its secrets."""
    program = Stack.read().secrets
    if program:
        folder = SECRETS / "stack"
        folder.mkdir(mode=0o700, exist_ok=True)
        subprocess.run([program, folder], check=True)
    if code.read() is None:
        code.renew()
    # The mark must not reach the disk before what it stands for.
    os.sync()
    MARK.touch(mode=0o600)


if __name__ == "__main__":
    main()
