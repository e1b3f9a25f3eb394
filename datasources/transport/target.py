"""Where a request goes, percent-encoded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

import httpx

_AS_IT_IS = re.compile(r"/[A-Za-z0-9/_-]*")
"""Paths in which there is nothing to encode, and no "." to be taken for another folder."""


def target_of(path: str, params: Mapping[str, str]) -> bytes:
    """Path and query, as `httpx.URL(path, params=params)` gives them.

    Args:
        path: Begins with a slash.
        params: Of the query, in their order; empty for none.
    """
    if not _AS_IT_IS.fullmatch(path):
        return httpx.URL("http://service" + path, params=params or None).raw_path
    if not params:
        return path.encode("ascii")
    return f"{path}?{urlencode(params)}".encode("ascii")
