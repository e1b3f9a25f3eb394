"""What else a caller may say in headers: how long he waits, what his request is called."""

from __future__ import annotations

import math
import re

from bff.graphql.refusal import Refusal
from bff.graphql.request import Headers

_POSITIVE = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_GRPC = re.compile(r"([0-9]{1,8})([HMSmun])", re.ASCII)
_GRPC_SECONDS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_IDEMPOTENCY_KEY = re.compile(r'"?([A-Za-z0-9_-]{1,128})"?', re.ASCII)


def patience(headers: Headers) -> float:
    """For how long the caller waits (seconds); infinite when he does not say.

    X-Request-Timeout-Ms is written by the caller, so a bad one is an error that he can mend.
    `grpc-timeout` and `x-envoy-expected-rq-timeout-ms` are written by proxies: a bad one is
    ignored, as is Envoy's 0, which means "no limit".

    Raises:
        Refusal: X-Request-Timeout-Ms is not a positive integer of at most nine digits.
    """
    limit = math.inf
    own = headers.get(b"x-request-timeout-ms")
    if own is not None:
        if not _POSITIVE.fullmatch(own):
            raise Refusal(400, "X-Request-Timeout-Ms must be a positive number of milliseconds.")
        limit = int(own) / 1000
    grpc = headers.get(b"grpc-timeout")
    if grpc is not None and (read := _GRPC.fullmatch(grpc)):
        limit = min(limit, int(read[1]) * _GRPC_SECONDS[read[2]])
    envoy = headers.get(b"x-envoy-expected-rq-timeout-ms")
    if envoy is not None and _POSITIVE.fullmatch(envoy):
        limit = min(limit, int(envoy) / 1000)
    return limit


def traceparent(headers: Headers) -> str | None:
    """The W3C trace context to pass on; None for none, or for a bad one, as the standard says."""
    given = headers.get(b"traceparent")
    return given if given and _TRACEPARENT.fullmatch(given) else None


def idempotency_key(headers: Headers) -> str | None:
    """Under which a mutation happens at most once.

    Raises:
        Refusal: It is not 1 to 128 letters, digits, _ or -; with quotes around them, as drafts
            of the IETF have it, or without.
    """
    given = headers.get(b"idempotency-key")
    if given is None:
        return None
    key = _IDEMPOTENCY_KEY.fullmatch(given)
    if key is None:
        raise Refusal(400, "Idempotency-Key must be 1 to 128 letters, digits, _ or -.")
    return key[1]
