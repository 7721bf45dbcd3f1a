"""What the firmware says of this box: who made it, Secure Boot, TPM."""

from pathlib import Path

# UEFI Specification 2.10, section 3.3: four bytes of attributes, then 1 where it is on.
SECURE_BOOT = Path("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c")
TPM = Path("/sys/class/tpm/tpm0/tpm_version_major")
DMI = Path("/sys/class/dmi/id")


def secure_boot(variable: Path = SECURE_BOOT) -> bool | None:
    """Whether the firmware verifies what starts; None where there is no such firmware."""
    try:
        return variable.read_bytes()[-1:] == b"\x01"
    except OSError:
        return None


def has_tpm(version: Path = TPM) -> bool:
    """Whether there is a TPM 2; an older one is of no use here."""
    try:
        return version.read_text().strip() == "2"
    except OSError:
        return False


def named(*fields: str, folder: Path = DMI) -> str:
    """Fields of the firmware's description (SMBIOS), such as sys_vendor; of those that it has."""
    found = []
    for one in fields:
        try:
            found.append(" ".join((folder / one).read_text(errors="replace").split()))
        except OSError:
            continue
    return " ".join(filter(None, found))
