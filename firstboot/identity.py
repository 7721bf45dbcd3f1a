"""At the first start: make what is this box's own and must never be in an image.

Power may go at any moment: the mark is written last, and without it all is made anew.
"""

import os
import subprocess
from pathlib import Path

from firstboot import certificates
from firstboot.settings import Settings
from firstboot.stack import Stack

SECRETS = Path("/var/lib/ratssaal/secrets")
MARK = SECRETS / "complete"


def main() -> None:
    """Make certificate authority, certificate and the stack's secrets."""
    certificates.make_authority()
    settings = Settings()
    (certificates.SERVED / "fullchain.pem").unlink(missing_ok=True)
    certificates.ensure_leaf([settings.host_name, settings.turn_name], [])
    program = Stack.read().secrets
    if program:
        folder = SECRETS / "stack"
        folder.mkdir(mode=0o700, exist_ok=True)
        subprocess.run([program, folder], check=True)
    # The mark must not reach the disk before what it stands for.
    os.sync()
    MARK.touch(mode=0o600)


if __name__ == "__main__":
    main()
