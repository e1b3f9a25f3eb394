"""Which media type an answer has (RFC 9110 §12.5.1, GraphQL over HTTP §6.1)."""

from __future__ import annotations

import re
from functools import lru_cache

from bff.graphql.refusal import GRAPHQL, JSON, Refusal

HTML = "text/html"

_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)
_LONGEST = 1_000
_ABSENT = (0.0, -1)


@lru_cache(maxsize=128)
def response_type(accept: str) -> str | None:
    """The media type to answer in; None when the client takes neither of ours.

    The higher quality wins; then the type that is named over the one that only a wildcard lets
    in; then `application/graphql-response+json` when both are named, and `application/json`,
    which older clients expect, when neither is.
    """
    if not accept:
        return JSON
    ranges = _ranges(accept)
    as_json = _weight(ranges, JSON)
    as_graphql = _weight(ranges, GRAPHQL)
    if max(as_json, as_graphql) <= _ABSENT or not max(as_json[0], as_graphql[0]):
        return None
    if as_graphql > as_json:
        return GRAPHQL
    both_named = as_graphql == as_json and as_graphql[1] == _NAMED
    return GRAPHQL if both_named else JSON


def acceptable(accept: str) -> str:
    """The media type to answer in; raises `Refusal` when the client takes neither of ours."""
    media_type = response_type(accept)
    if media_type is None:
        raise Refusal(406, f"The answer can be {GRAPHQL} or {JSON}.")
    return media_type


@lru_cache(maxsize=128)
def wants_page(accept: str) -> bool:
    """Whether a person is looking: HTML is asked for by name and liked at least as well as JSON."""
    ranges = _ranges(accept)
    quality, specificity = _weight(ranges, HTML)
    if specificity != _NAMED or not quality:
        return False
    return quality >= max(_weight(ranges, JSON)[0], _weight(ranges, GRAPHQL)[0])


@lru_cache(maxsize=128)
def names_json(accept: str) -> bool:
    """Whether one of our media types is asked for by name."""
    ranges = _ranges(accept)
    return any(_weight(ranges, kind)[1] == _NAMED for kind in (JSON, GRAPHQL))


_NAMED = 2


def _ranges(accept: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in accept[:_LONGEST].split(","):
        media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                quality = float(value) if _QUALITY.fullmatch(value.strip()) else 0.0
        found[media_range] = max(quality, found.get(media_range, 0.0))
    return found


def _weight(ranges: dict[str, float], media_type: str) -> tuple[float, int]:
    """Quality and specificity; the most specific range decides, whatever its quality."""
    family = media_type.split("/", 1)[0] + "/*"
    for specificity, media_range in ((_NAMED, media_type), (1, family), (0, "*/*")):
        if media_range in ranges:
            return ranges[media_range], specificity
    return _ABSENT
