"""What the value of a setting may look like.

A message here never repeats the value: it may be a secret, or a URL with a password in it.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

SYMMETRIC = ("HS256",)
"""Signatures that are verified with a secret."""

ASYMMETRIC = ("RS256", "PS256", "ES256", "EdDSA")
"""Signatures that are verified with a public key; those that `bff.identity.key_set` can find."""

SECRET_BYTES = 32
"""RFC 7518 §3.2: a key of HS256 must not be shorter than its hash."""

_VISIBLE = re.compile(r"[\x21-\x7e]+")
_IN_URL = re.compile(r"[A-Za-z0-9._~:/@!$&'()*+,;=%?#\[\]-]+")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]|\.(?!\.))*")
_OPERATION = re.compile(r"[a-z][a-z_]*")
_DOTTED_NUMBERS = re.compile(r"[0-9.]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_DIGITS = 30


class Takes(str):
    """What a setting takes, in words that go behind "must be"."""

    __slots__ = ()


def _split_url(value: str) -> SplitResult:
    if _IN_URL.fullmatch(value) is None:
        raise ValueError("must be a URL of ASCII characters, others percent-encoded")
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        raise ValueError("must be a URL") from None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ValueError("must begin with http:// or https:// and name a host")
    if "@" in parts.netloc:
        raise ValueError("must not hold a user name or a password")
    if not _is_host(host):
        raise ValueError("must name a host that can be one")
    if not _has_port(parts):
        raise ValueError("must have a port from 1 to 65535, or none")
    return parts


def _is_host(host: str) -> bool:
    try:
        if ":" in host:
            ipaddress.IPv6Address(host)
        elif _DOTTED_NUMBERS.fullmatch(host):
            ipaddress.IPv4Address(host)
    except ValueError:
        return False
    return ":" in host or _HOST.fullmatch(host) is not None


def _has_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _base_url(value: str) -> str:
    if "?" in value or "#" in value:
        raise ValueError("must not have a query or a fragment")
    return _key_url(value).rstrip("/")


def _key_url(value: str) -> str:
    if "#" in value:
        raise ValueError("must not have a fragment")
    scheme = _split_url(value).scheme
    return scheme + value[len(scheme) :]  # in lower case: whoever looks for https: finds it


def _origin(value: str) -> str:
    parts = _split_url(value)
    if value != f"{parts.scheme}://{parts.netloc}" or value != value.lower():
        raise ValueError("must be origins in lower case, without a path")
    if parts.netloc.endswith(":") or parts.port == _DEFAULT_PORTS[parts.scheme]:
        raise ValueError("must be origins as browsers send them, without the usual port")
    return value


def _origins(values: tuple[str, ...]) -> tuple[str, ...]:
    return values if values == ("*",) else tuple(_origin(value) for value in values)


def _algorithms(values: tuple[str, ...]) -> tuple[str, ...]:
    if not {*SYMMETRIC, *ASYMMETRIC}.issuperset(values):
        raise PydanticCustomError("algorithm", "unknown")
    return values


def _operations(values: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_OPERATION.fullmatch(value) for value in values):
        raise PydanticCustomError("operations", "no names")
    return values


def _listed(value: object) -> object:
    """Environment variables are text: commas separate entries."""
    return tuple(entry.strip() for entry in value.split(",")) if isinstance(value, str) else value


def _number(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, str) and len(value) > _DIGITS):
        raise PydanticCustomError("number", "no number")
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _switch(value: object) -> object:
    word = {"on": True, "true": True, "off": False, "false": False}.get(str(value).lower())
    if word is None:
        raise PydanticCustomError("switch", "neither on nor off")
    return word


def _secret(value: SecretStr) -> SecretStr:
    try:
        size = len(value.get_secret_value().encode())
    except UnicodeEncodeError:
        raise ValueError("must be UTF-8") from None
    if size < SECRET_BYTES:
        raise ValueError(f"must have at least {SECRET_BYTES} bytes")
    return value


def _header_value(value: SecretStr) -> SecretStr:
    _name(value.get_secret_value())
    return value


def _name(value: str) -> str:
    if _VISIBLE.fullmatch(value) is None:
        raise PydanticCustomError("name", "invisible characters")
    return value


def _file(value: Path) -> Path:
    try:
        if value.is_file():
            value.open("rb").close()
            return value
    except (OSError, ValueError):
        pass
    raise PydanticCustomError("file", "not readable")


_Float = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
_Int = Annotated[int, BeforeValidator(_number)]

Seconds = Annotated[_Float, Field(ge=0.01, le=3600), Takes("a number of seconds from 0.01 to 3600")]
"""A limit of time: 10 ms to an hour."""

Age = Annotated[_Float, Field(ge=0, le=604_800), Takes("a number of seconds from 0 to 604800")]
"""How old something may be: up to a week."""

Ratio = Annotated[_Float, Field(gt=0, le=1), Takes("a number above 0 and up to 1")]
Count = Annotated[_Int, Field(ge=1, le=100_000), Takes("a whole number from 1 to 100000")]
QueueLength = Annotated[_Int, Field(ge=0, le=100_000), Takes("a whole number from 0 to 100000")]
Retries = Annotated[_Int, Field(ge=0, le=10), Takes("a whole number from 0 to 10")]
TokenSeconds = Annotated[_Int, Field(ge=1, le=30), Takes("a whole number of seconds from 1 to 30")]
Size = Annotated[_Int, Field(ge=1, le=1 << 30), Takes("a whole number from 1 to 1073741824")]
Switch = Annotated[bool, BeforeValidator(_switch), Takes("on or off")]
File = Annotated[Path, AfterValidator(_file), Takes("the path of a file that can be read")]
Name = Annotated[
    str,
    Field(max_length=256),
    AfterValidator(_name),
    Takes("at most 256 visible ASCII characters"),
]
BaseUrl = Annotated[
    str, AfterValidator(_base_url), Takes("an http:// or https:// URL without a query")
]
KeyUrl = Annotated[str, AfterValidator(_key_url), Takes("an http:// or https:// URL")]
Secret = Annotated[
    SecretStr, AfterValidator(_secret), Takes(f"text of at least {SECRET_BYTES} bytes")
]
HeaderSecret = Annotated[
    SecretStr, AfterValidator(_header_value), Takes("visible ASCII characters without spaces")
]
Algorithms = Annotated[
    tuple[str, ...],
    BeforeValidator(_listed),
    AfterValidator(_algorithms),
    Takes(f"some of {', '.join((*SYMMETRIC, *ASYMMETRIC))}"),
]
Origins = Annotated[
    tuple[str, ...],
    BeforeValidator(_listed),
    AfterValidator(_origins),
    Takes("origins such as https://app.example.com, or * for all"),
]
Operations = Annotated[
    tuple[str, ...],
    BeforeValidator(_listed),
    AfterValidator(_operations),
    Takes("names of operations such as by_id, separated by commas"),
]
SocketPath = Annotated[Path, Takes("the path of a Unix socket")]
Carrier = Annotated[
    Literal["own", "httpx", "http2"], BeforeValidator(_lower), Takes("own, httpx or http2")
]
Level = Annotated[
    Literal["debug", "info", "warning", "error"],
    BeforeValidator(_lower),
    Takes("debug, info, warning or error"),
]
Format = Annotated[Literal["json", "console"], BeforeValidator(_lower), Takes("json or console")]
Engine = Annotated[
    Literal["compiled", "reference"], BeforeValidator(_lower), Takes("compiled or reference")
]
