"""How we prove to a service who is asking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Credentials(Protocol):
    """Headers that prove it; asked for anew at every attempt, so they must be cheap."""

    def headers(self, service: str, scope: str, subject: str) -> Mapping[str, str]:
        """What to send along.

        Args:
            service: Who must accept it, and nobody else.
            scope: What it must allow, such as "orders:read".
            subject: On whose behalf; "" for ourselves.
        """
        ...


class ApiKey:
    """A fixed key, for a service that knows no tokens."""

    def __init__(self, key: str) -> None:
        self._headers = {"X-API-Key": key}

    def headers(self, service: str, scope: str, subject: str) -> Mapping[str, str]:
        """See `Credentials`."""
        return self._headers
