"""Documents that commands are given as files."""

from pathlib import Path

import click

_LARGEST = 64 * 1024 * 1024


def read_file(source: str) -> bytes:
    """Return what is in a file; raise `click.UsageError` if there is none, or it is larger than any feed or page."""
    path = Path(source)
    if not path.is_file():
        raise click.UsageError(f"{source} is neither a file nor a URL")
    if path.stat().st_size > _LARGEST:
        raise click.UsageError(f"{source} is larger than {_LARGEST // 1024**2} MiB")
    return path.read_bytes()
