"""What the way to the house's directory has to know, as a file for root alone.

systemd hands it as a credential to the unit that asks the directory; without the file that unit
does not start, and nothing on the box asks outside for it.
"""

import json
from pathlib import Path

from firstboot.files import write_whole
from firstboot.settings import Settings

FILE = Path("/var/lib/ratssaal/secrets/openid.json")
# Where the directory sends people back: its administrator enters this address there.
BACK = "https://{host_name}/api/staff/directory/back"


def publish(settings: Settings, file: Path = FILE) -> None:
    """Keep directory and proxy, the secret too, where staff may sign in by one; else nothing."""
    wanted = settings.cluster.administration.openid
    if wanted is None:
        file.unlink(missing_ok=True)
        return
    network = settings.box.network
    content = {
        "directory": wanted.model_dump(mode="json"),
        "proxy": network.proxy,
        "proxy_authority": network.proxy_authority,
    }
    write_whole(file, json.dumps(content) + "\n", mode=0o600)
