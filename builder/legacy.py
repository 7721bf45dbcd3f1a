"""What a computer shows that starts a stick by its old BIOS: one sentence instead of nothing.

The box starts by UEFI alone. A BIOS runs the first 440 bytes of a disk, which UEFI leaves to it in
the protective master boot record (UEFI specification 2.10, section 5.2.3); they say what to do.
"""

from pathlib import Path

# Of the record's 512 bytes, those before the disk's signature and the table of partitions.
ROOM_BYTES = 440
# No more than the 80 letters of a line, and no sign that is not in every computer's own font.
SENTENCES = (
    "Ratssaal startet nur mit UEFI; hier hat das alte BIOS den Stick gestartet.",
    "Bitte im Firmware-Menue UEFI einschalten (CSM/Legacy aus) und neu starten.",
    "",
    "Ratssaal starts by UEFI only; here the legacy BIOS has started the stick.",
    "Please turn on UEFI in the firmware's menu (CSM/legacy off) and start again.",
)
# 16-bit code at 0000:7c00, where a BIOS puts it. Int 10h, function 00h sets the text mode, which
# wipes the screen; function 0eh writes a letter.
CODE = bytes.fromhex(
    "fc"  # letters are read forwards
    "31c0 8ed8 8ed0 bc007c"  # ax, ds and ss are 0; the stack grows down from here
    "fb"  # a BIOS may write when its clock ticks: let it
    "b80300 cd10"  # text, 80 times 25
    "be 247c"  # si is the first letter
    "ac 08c0 7409"  # the next one; behind the last one, on to the halt
    "b40e bb0700 cd10 ebf2"  # write it, go back for another
    "f4 ebfd"  # halt, for ever
)
PROGRAM = CODE + "".join(f" {one}\r\n" if one else "\r\n" for one in SENTENCES).encode() + b"\0"


def mark(image: Path) -> None:
    """Write the program into the raw image's first bytes; nothing of its partitions changes."""
    with image.open("r+b") as disk:
        disk.write(PROGRAM)
