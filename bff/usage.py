"""What is wrong with how a command was called."""

from __future__ import annotations


class UsageError(Exception):
    """The command cannot do what it was asked; its message is for the person who called it.

    The command line prints it and exits with 2.
    """
