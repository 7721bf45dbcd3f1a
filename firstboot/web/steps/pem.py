"""Certificates that somebody pastes into a field."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from firstboot.web.forms import Answers, FieldError

LENGTH = 50_000


def pasted(answers: Answers, name: str) -> str | None:
    """The certificates in the field `name` as PEM (RFC 7468), None where it is empty.

    Raises FieldError where there is something else in it, such as half of one.
    """
    text = answers.get(name, "").strip()
    if not text:
        return None
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise FieldError(name, "setup.not_pem") from error
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in found)
