"""Settings of the services behind the graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from bff.settings.part import Part
from bff.settings.values import (
    Age,
    BaseUrl,
    Carrier,
    Count,
    File,
    HeaderSecret,
    Operations,
    QueueLength,
    Ratio,
    Retries,
    Seconds,
    SocketPath,
    Switch,
)


class BulkheadSettings(Part, frozen=True):
    """How many calls to one service there may be at once."""

    limit: Count = 64
    """Most calls in flight."""
    queue: QueueLength = 128
    """Most calls that wait for a slot."""
    adaptive: Switch = False
    """Lower the limit, down to 4, while the service answers more slowly the more it is asked."""


class BreakerSettings(Part, frozen=True):
    """When a service is left alone, and for how long."""

    failure_ratio: Ratio = 0.5
    """Share of failed calls in the window that opens the breaker."""
    minimum_calls: Count = 10
    """Fewest calls in the window for that share to count."""
    window_seconds: Seconds = 10.0
    """Length of the rolling window."""
    consecutive: Count = 10
    """Failures in a row that open it, whatever the share."""
    reset_seconds: Seconds = 30.0
    """Time open before one call probes the service."""
    slow_seconds: Seconds = 2.5
    """From when on an answer to a read is slow; at most 5/6 of the limit of an attempt."""
    slow_ratio: Ratio = 0.9
    """Share of slow answers, among as many as MINIMUM_CALLS, that opens it."""


class HedgeSettings(Part, frozen=True):
    """Which reads are asked a second time when the first answer is long in coming."""

    operations: Operations = ()
    """Reads of the service that are asked a second time when an answer is long in coming."""
    after_seconds: Seconds = 0.5
    """How long the first attempt has for itself."""


class CacheSettings(Part, frozen=True):
    """How long answers of a service are kept."""

    fresh_seconds: Age = 0.0
    """Age up to which nobody asks again."""
    stale_seconds: Age = 300.0
    """Age up to which an old answer, marked as such, beats none."""

    @field_validator("stale_seconds")
    @classmethod
    def _not_before_fresh(cls, value: float, info: ValidationInfo) -> float:
        if value < info.data.get("fresh_seconds", 0.0):
            raise ValueError("must not be less than FRESH_SECONDS")
        return value


class ProductsCacheSettings(CacheSettings, frozen=True):
    """Products change rarely and are everybody's."""

    fresh_seconds: Age = 5.0
    """Age up to which nobody asks again."""
    stale_seconds: Age = 600.0
    """Age up to which an old answer, marked as such, beats none."""


class PaymentsCacheSettings(CacheSettings, frozen=True):
    """An old payment status misleads soon."""

    stale_seconds: Age = 60.0
    """Age up to which an old answer, marked as such, beats none."""


class TlsSettings(Part, frozen=True):
    """How we and a service know each other."""

    ca: File | None = None
    """PEM file of the authorities to trust, in place of the machine's own."""
    cert: File | None = None
    """PEM file of our certificate, for a service that wants one."""
    key: File | None = None
    """PEM file of its private key, not encrypted."""

    @field_validator("key")
    @classmethod
    def _with_certificate(cls, value: object, info: ValidationInfo) -> object:
        if "cert" in info.data and (value is None) != (info.data["cert"] is None):
            raise ValueError("CERT and KEY go together")
        return value


class UpstreamSettings(Part, frozen=True):
    """One service, and how it is asked."""

    url: BaseUrl | None = None
    """Where it is; `bff serve` wants one for every service."""
    timeout_read_seconds: Seconds = 3.0
    """Limit of one attempt to read."""
    timeout_write_seconds: Seconds = 10.0
    """Limit of one attempt to write."""
    retries: Retries = 3
    """Most repeats of an idempotent call."""
    bulkhead: BulkheadSettings = BulkheadSettings()
    breaker: BreakerSettings = BreakerSettings()
    hedge: HedgeSettings = HedgeSettings()
    cache: CacheSettings = CacheSettings()
    api_key: HeaderSecret | None = None
    """Sent as `X-API-Key` instead of a service token."""
    tls: TlsSettings = TlsSettings()
    transport: Carrier = "own"
    """What carries requests: our own HTTP/1.1, or httpx with HTTP/1.1 or HTTP/2."""
    proxy: BaseUrl | None = None
    """Proxy on the way to the service; only httpx and http2 can use one."""
    unix_socket: SocketPath | None = None
    """Socket to connect to in place of the URL's host and port."""

    @field_validator("proxy")
    @classmethod
    def _only_through_httpx(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("transport") == "own":
            raise ValueError("is of no use without TRANSPORT httpx or http2")
        return value

    @field_validator("unix_socket")
    @classmethod
    def _not_behind_a_proxy(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("proxy") is not None:
            raise ValueError("is of no use with PROXY")
        return value

    @field_validator("tls")
    @classmethod
    def _only_over_https(cls, value: TlsSettings, info: ValidationInfo) -> TlsSettings:
        url: str | None = info.data.get("url")
        if url is not None and not url.startswith("https:"):
            given = [name for name, path in value if path is not None]
            _refuse(given, "is of no use without https:// in URL")
        return value


def _refuse(names: Sequence[str], message: str) -> None:
    """Raise an error at each of *names*, not at the group that they are in."""
    if names:
        problem = PydanticCustomError("value_error", "{error}", {"error": message})
        details = [InitErrorDetails(type=problem, loc=(name,), input=None) for name in names]
        raise ValidationError.from_exception_data("settings", details)


class ProductsSettings(UpstreamSettings, frozen=True):
    """The products service."""

    cache: ProductsCacheSettings = ProductsCacheSettings()


class PaymentsSettings(UpstreamSettings, frozen=True):
    """The payments service."""

    cache: PaymentsCacheSettings = PaymentsCacheSettings()


class UpstreamsSettings(Part, frozen=True):
    """The services behind the graph."""

    users: UpstreamSettings = UpstreamSettings()
    orders: UpstreamSettings = UpstreamSettings()
    products: ProductsSettings = ProductsSettings()
    payments: PaymentsSettings = PaymentsSettings()
    notifications: UpstreamSettings = UpstreamSettings()
