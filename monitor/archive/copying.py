"""A copy of the archive's file while others read and write it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from monitor.errors import ArchiveError


def copy_sqlite(source: Path, target: Path) -> None:
    """Write what the archive in `source` holds at one instant to `target`, a new file. Blocks."""
    try:
        with closing(sqlite3.connect(source, isolation_level=None)) as db:
            db.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise ArchiveError(f"the archive in {source} cannot be copied: {error}") from error
