"""One SQLite file for one service.

One connection, used from the event loop: every statement here takes microseconds, and so no two
transactions ever overlap within a process. `synchronous=NORMAL` survives a killed process; only a
power cut may take the last commits.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Generator
from pathlib import Path


class Store:
    """An open file."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.execute("PRAGMA busy_timeout = 2000")

    def one(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row, or None."""
        row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Every row."""
        return self._connection.execute(sql, values).fetchall()

    @contextlib.contextmanager
    def transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """All or nothing; whatever is raised inside undoes it.

        Never await inside: another task would write into this transaction.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def open_store(path: Path, tables: str, fill: Callable[[sqlite3.Connection], None]) -> Store:
    """Open *path*; make its tables and fill them, in one transaction, when it is new.

    Args:
        path: The file; its folder exists.
        tables: `CREATE …` statements, each ended by a semicolon.
        fill: Writes what the service knows from the beginning.
    """
    store = Store(path)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(store.close)
        with store.transaction() as writing:
            (version,) = writing.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in tables.split(";"):
                    writing.execute(statement)
                fill(writing)
                writing.execute("PRAGMA user_version = 1")
        on_failure.pop_all()
    return store
