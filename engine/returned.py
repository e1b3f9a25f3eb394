"""Errors that resolvers return."""

from __future__ import annotations


class Returned(Exception):
    """Carries an error that a resolver has returned to where it is shown.

    Raised itself, an error would know the frames that hold it as a value: only the cyclic garbage
    collector could free them.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


def carried(error: Exception) -> Exception:
    """The error that is shown."""
    return error.error if isinstance(error, Returned) else error
