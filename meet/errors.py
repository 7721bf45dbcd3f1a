"""What the service refuses: a word that the page puts into the person's own language."""

from collections.abc import Mapping


class RefusedError(Exception):
    """Raised for what somebody asked for and does not get.

    `key` is one of STATUS, `values` what the page's sentence needs beside it.
    """

    def __init__(self, key: str, **values: str | int) -> None:
        super().__init__(key)
        self.key = key
        self.values: Mapping[str, str | int] = values

    @property
    def status(self) -> int:
        """The HTTP status (RFC 9110) that goes with it."""
        return STATUS[self.key]


STATUS = {
    # The request itself.
    "malformed": 422,
    "too_large": 413,
    "no_such_address": 404,
    "wrong_method": 405,
    "slow": 429,
    "forged": 403,
    # Who asks.
    "not_signed_in": 401,
    "sign_in_wrong": 403,
    # Said by the web server: nobody signs in from this network.
    "elsewhere": 403,
    "no_directory": 404,
    "directory_away": 503,
    "directory_wrong": 403,
    "directory_person": 403,
    "directory_denied": 403,
    "directory_again": 403,
    "not_allowed": 403,
    "moderators_only": 403,
    # The link or code, and the way in.
    "wrong_invitation": 403,
    "wrong_code": 404,
    "early": 403,
    "over": 410,
    "ended": 410,
    "removed": 403,
    "declined": 403,
    "locked": 403,
    "full": 403,
    "notice": 403,
    "guests": 403,
    "name": 422,
    "name_long": 422,
    # In the room.
    "no_such_person": 404,
    "policy": 403,
    # Booking.
    "no_such_room": 404,
    "no_time": 409,
    "times": 422,
    "times_without_account": 422,
    "too_many_rooms": 409,
    # What stands behind the service.
    "store": 503,
    "media": 503,
    "busy": 503,
}
