"""What httpx has no word for."""

from __future__ import annotations

import httpx


class ResponseTooLarge(httpx.RemoteProtocolError):
    """The response outgrew a limit of ours: bytes or number of its fields, or bytes of its body."""
