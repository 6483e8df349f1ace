"""Signatures of Standard Webhooks 1.0 (https://www.standardwebhooks.com), symmetric keys."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from monitor.core.secret import Secret

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64


class Signer:
    """Signs messages with one key, or with several while a receiver moves from the old to the new."""

    def __init__(self, secrets: Sequence[Secret]) -> None:
        """Take the secrets, newest first; raise `ValueError` for one that is not `whsec_` and 24 to 64 bytes."""
        # Made once for all messages: a key is taken in two steps, of which this is the longer.
        self._keyed = [hmac.new(_key(secret), digestmod=hashlib.sha256) for secret in secrets]

    def sign(self, message_id: str, timestamp: int, body: bytes) -> str:
        """Return the value of the header `webhook-signature`: one signature a key, newest first."""
        signed = b".".join((message_id.encode(), b"%d" % timestamp, body))
        return " ".join([f"v1,{_digest(keyed, signed)}" for keyed in self._keyed])


def _digest(keyed: hmac.HMAC, signed: bytes) -> str:
    made = keyed.copy()
    made.update(signed)
    return base64.b64encode(made.digest()).decode()


def _key(secret: Secret) -> bytes:
    text = secret.reveal()
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith(_PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ValueError(
            f"a webhook secret is '{_PREFIX}' and {_SHORTEST} to {_LONGEST} random bytes in base64; make one with:"
            f" echo {_PREFIX}$(openssl rand -base64 32)"
        )
    return key
