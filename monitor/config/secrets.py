"""Fetches secrets from where the configuration says they are: a file or the environment."""

import base64
import re
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from monitor.config.section import Section
from monitor.config.values import WrongValueError, address
from monitor.core.links import SHORTEST_KEY
from monitor.core.secret import Secret

_LONGEST = 8192
_SIGNING_BYTES = range(24, 65)


class SecretSource:
    """The files and the environment of this process. Errors name the source, never the secret."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        """Read files relative to `directory`."""
        self._directory = directory
        self._environ = environ

    def get(
        self, section: Section, name: str, check: Callable[[str], object] = str
    ) -> Secret | None:
        """Return the secret `name` of a section, or None if the section names no source for it.

        `check` raises `WrongValueError` for a text that cannot be used.
        """
        for key, fetch in (
            (f"{name}_file", self._from_file),
            (f"{name}_env", self._from_environment),
        ):
            source = getattr(section, key, None)
            if source:
                try:
                    text = fetch(source)
                    check(text)
                except WrongValueError as error:
                    raise WrongValueError(error.message, error.hint, key) from None
                return Secret(text)
        return None

    def require(self, section: Section, name: str, check: Callable[[str], object]) -> Secret:
        """Return a secret for which the schema has made sure that there is a source."""
        secret = self.get(section, name, check)
        if secret is None:
            raise WrongValueError(f"missing key '{name}_file' or '{name}_env'")
        return secret

    def _from_file(self, path: str) -> str:
        try:
            with (self._directory / path).open("rb") as file:
                text = file.read(_LONGEST + 1).decode()
        except OSError as error:
            raise WrongValueError(f"the file cannot be read: {error.strerror}") from None
        except ValueError:  # not UTF-8, or a NUL in the path
            raise WrongValueError("the file is not a text in UTF-8") from None
        return _one_line(text.removesuffix("\n").removesuffix("\r"), "the file")

    def _from_environment(self, variable: str) -> str:
        if variable not in self._environ:
            raise WrongValueError(f"the environment has no variable {variable}")
        return _one_line(self._environ[variable], f"the variable {variable}")


def check_web_address(text: str) -> None:
    """Raise unless the secret is an address to send to."""
    try:
        address("http", "https")(text)
    except WrongValueError:
        raise WrongValueError("the secret is not an address that begins with https://") from None


def check_token(text: str) -> None:
    """Raise unless the secret can stand in a header or in the path of an address."""
    if not re.fullmatch(r"[!-~]+", text) or set(text) & set("/?#%"):
        raise WrongValueError("the secret is not a token: it has characters that no token has")


def check_topic(text: str) -> None:
    """Raise unless the secret is the name of a topic of ntfy."""
    if not re.fullmatch(r"[-_A-Za-z0-9]{1,64}", text):
        raise WrongValueError(
            "the secret is not the name of a topic: up to 64 of a-z, A-Z, 0-9, '-' and '_'"
        )


def check_apprise_address(text: str) -> None:
    """Raise unless the secret looks like an address of Apprise, and Apprise is there."""
    if not re.match(r"[a-z0-9]{2,20}://", text):
        raise WrongValueError("the secret is not an address of Apprise, such as `service://…`")
    if find_spec("apprise") is None:
        raise WrongValueError(
            "Apprise is not installed here", "run: pip install 'monitor[apprise]'"
        )
    if import_module("apprise").Apprise.instantiate(text) is None:
        raise WrongValueError("Apprise does not know such an address", "see its list of services")


def check_link_key(text: str) -> None:
    """Raise unless the secret is long enough to sign links."""
    if len(text.encode()) < SHORTEST_KEY:
        raise WrongValueError(
            f"the secret has fewer than {SHORTEST_KEY} characters",
            "make one with: openssl rand -base64 32",
        )


def check_store_address(text: str) -> None:
    """Raise unless the secret is the address of a server, which may have credentials."""
    bare = re.sub(r"//[^/]*@", "//", text, count=1)
    try:
        address("redis", "rediss", "unix", "redis+cluster")(bare)
    except WrongValueError:
        message = (
            "expected an address that begins with redis://, rediss://, unix:// or redis+cluster://"
        )
        raise WrongValueError(message) from None


def check_signing_key(text: str) -> None:
    """Raise unless the secret is a key of Standard Webhooks."""
    try:
        signing = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:  # binascii's, and that of a text that is not ASCII
        signing = b""
    if not text.startswith("whsec_") or len(signing) not in _SIGNING_BYTES:
        raise WrongValueError(
            "the secret is not 'whsec_' and 24 to 64 random bytes in base64",
            "make one with: echo whsec_$(openssl rand -base64 32)",
        )


def _one_line(text: str, source: str) -> str:
    if not text:
        raise WrongValueError(f"{source} is empty")
    if len(text) > _LONGEST or not text.isprintable():
        raise WrongValueError(f"{source} is not one line of at most {_LONGEST} characters")
    return text
