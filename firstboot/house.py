"""What guests see of the house: its picture and its colour, as files that the web server serves.

Both come from the settings and are written here, never by Ansible's templates.
"""

import base64
from pathlib import Path

from firstboot.files import write_whole, write_whole_bytes
from firstboot.settings import House

FOLDER = Path("/var/lib/ratssaal/house")
PNG = b"\x89PNG\r\n\x1a\n"
LEAST_CONTRAST = 4.5  # WCAG 2.1, success criterion 1.4.3
STYLE = """/* Written by Ratssaal from its settings. */
html[data-kern-theme] {{ --kern-color-action-default: {colour}; --house-colour: {colour}; }}
"""
PICTURE = """.house-picture {{ display: block; background-image: url("/house/{name}"); }}
"""


def kind(picture: bytes) -> str:
    """The ending of a picture's name: png, or svg for all else."""
    return "png" if picture.startswith(PNG) else "svg"


def _light(colour: str) -> float:
    """The relative luminance of a colour such as #0b4f8a, 0 to 1 (WCAG 2.1)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast_with_white(colour: str) -> float:
    """How well white can be told from `colour`, 1 to 21 (WCAG 2.1)."""
    return 1.05 / (_light(colour) + 0.05)


def publish(house: House, folder: Path = FOLDER) -> None:
    """Put colour and picture where the web server has them; a picture of before goes."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    # A colour of an answers file was not looked at by the wizard: nobody must be unable to read.
    readable = contrast_with_white(house.colour) >= LEAST_CONTRAST
    style = STYLE.format(colour=house.colour if readable else House().colour)
    wanted = ""
    if house.logo:
        picture = base64.b64decode(house.logo)
        wanted = f"logo.{kind(picture)}"
        write_whole_bytes(folder / wanted, picture)
        style += PICTURE.format(name=wanted)
    write_whole(folder / "house.css", style)
    for name in {"logo.png", "logo.svg"} - {wanted}:
        (folder / name).unlink(missing_ok=True)
