"""Feeds that are pushed (WebSub): what stands behind the services, where a public address is configured."""

import hmac
import secrets
from hashlib import sha256

from monitor.app.linkkey import key_of
from monitor.config.settings import Settings
from monitor.core.secret import Secret
from monitor.services.websub import Capability
from monitor.web.websub import PATH

_TOKEN_BYTES = 24


def capability_of(settings: Settings) -> Capability | None:
    """Return what makes our addresses for hubs ours; None where hubs could not reach us."""
    if settings.web.public_url is None:
        return None
    return capability(settings.web.public_url, key_of(settings))


def capability(public_url: str, key: Secret) -> Capability:
    """Make addresses under `public_url`. Their secrets follow from the key, so that the store holds none."""
    base = public_url.rstrip("/") + PATH

    def secret(token: str) -> str:
        return hmac.new(key.reveal().encode(), f"websub {token}".encode(), sha256).hexdigest()

    return Capability(
        new_token=lambda: secrets.token_urlsafe(_TOKEN_BYTES),
        callback=lambda feed_id, token: f"{base}{feed_id}/{token}",
        secret=secret,
    )
