"""The mark of a certificate is the beginning of what browsers show."""

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from firstboot.certificates.fingerprint import mark
from tests.unit.firstboot.issuing import CHAIN, LEAF

pytestmark = pytest.mark.unit


def test_it_is_the_first_half_of_the_first_certificates_fingerprint(tmp_path: Path) -> None:
    file = tmp_path / "chain.pem"
    file.write_bytes(CHAIN)
    found = mark(file)
    assert re.fullmatch(r"([0-9A-F]{4} ){7}[0-9A-F]{4}", found)
    whole = LEAF.certificate.fingerprint(hashes.SHA256()).hex().upper()
    assert whole.startswith(found.replace(" ", ""))


@pytest.mark.parametrize("content", [None, "", "no", CHAIN.decode()[:200], "A" + CHAIN.decode()])
def test_where_there_is_no_whole_one_there_is_no_mark(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "chain.pem"
    if content is not None:
        file.write_text(content)
    expected = mark(file)
    # What stands before the first certificate makes no difference.
    assert (expected == "") is (content is None or "END" not in content)
