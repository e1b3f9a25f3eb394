"""The settings, with their defaults and meanings."""

from __future__ import annotations

from typing import cast

from pydantic import ValidationInfo, field_validator

from bff.settings.part import Part
from bff.settings.upstreams import UpstreamSettings, UpstreamsSettings
from bff.settings.values import (
    SYMMETRIC,
    Algorithms,
    Count,
    Engine,
    File,
    Format,
    KeyUrl,
    Level,
    Name,
    Origins,
    Seconds,
    Secret,
    Size,
    Switch,
    TokenSeconds,
)

_USUAL_OF_A_KEY_SET = ("RS256", "ES256")


class AuthSettings(Part, frozen=True):
    """Whose tokens prove who is asking: signed with one secret, or with an issuer's keys."""

    jwt_secret: Secret | None = None
    """Shared secret for HS256; in place of `JWKS_URL`."""
    jwks_url: KeyUrl | None = None
    """Where the issuer's public keys are; in place of `JWT_SECRET`."""
    issuer: Name | None = None
    """Required `iss`; needed with `JWKS_URL`."""
    audience: Name | None = None
    """Required `aud`; needed with `JWKS_URL`."""
    algorithms: Algorithms = ()
    """Accepted ones, by default HS256 with `JWT_SECRET` and RS256,ES256 with `JWKS_URL`."""

    @property
    def configured(self) -> bool:
        """Whether any token can be verified."""
        return self.jwks_url is not None or self.jwt_secret is not None

    @property
    def accepted_algorithms(self) -> tuple[str, ...]:
        """Those that a token may be signed with."""
        return self.algorithms or (SYMMETRIC if self.jwks_url is None else _USUAL_OF_A_KEY_SET)

    @field_validator("jwks_url")
    @classmethod
    def _one_source(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("jwt_secret") is not None:
            raise ValueError("excludes BFF_AUTH__JWT_SECRET; give one of them")
        return value

    @field_validator("issuer", "audience")
    @classmethod
    def _named_with_key_set(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("jwks_url") is not None:
            raise ValueError("is needed with BFF_AUTH__JWKS_URL")
        return value

    @field_validator("algorithms")
    @classmethod
    def _fitting(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "jwt_secret" not in info.data or "jwks_url" not in info.data:
            return value
        if info.data["jwt_secret"] is not None and not set(SYMMETRIC).issuperset(value):
            raise ValueError("must be HS256, the only one for BFF_AUTH__JWT_SECRET")
        if info.data["jwks_url"] is not None and not set(SYMMETRIC).isdisjoint(value):
            raise ValueError("must not be HS256 with BFF_AUTH__JWKS_URL: public keys are no secret")
        return value


class ServiceTokenSettings(Part, frozen=True):
    """How we prove to services who is asking."""

    key_file: File | None = None
    """PEM file of a P-256 private key; one is made at start without it."""
    issuer: Name = "bff"
    """`iss` of our tokens."""
    ttl_seconds: TokenSeconds = 30
    """How long one is valid."""


class CorsSettings(Part, frozen=True):
    """Whose pages may ask from a browser."""

    origins: Origins = ()
    """Separated by commas in a variable; a list in the file."""


class LogSettings(Part, frozen=True):
    """What is logged."""

    level: Level = "info"
    """Least level."""
    format: Format = "json"
    """For machines or for people."""


class LimitsSettings(Part, frozen=True):
    """How much is taken on, and how big a request may be: `bff.graphql.limits.Limits`."""

    operations: Count = 2_048
    """Operations under way at once in a process; a sixteenth is kept for writes."""
    wait_seconds: Seconds = 2.5
    """Longest wait to begin when the processor is busy; two fifths of it when it stays so."""
    body_bytes: Size = 262_144
    """Body of a request."""
    url_bytes: Size = 16_384
    """Path and query string."""
    header_bytes: Size = 65_536
    """Names and values of all header lines together."""
    headers: Size = 100
    """Header lines."""
    document_bytes: Size = 65_536
    """Text of one GraphQL document."""
    tokens: Size = 2_000
    """Tokens of a document."""
    depth: Size = 15
    """Nesting of fields."""
    aliases: Size = 100
    """Aliases in an operation, fragments spread out, as all that follow."""
    fields: Size = 500
    """Fields in an operation."""
    directives: Size = 50
    """Directives in an operation."""
    root_fields: Size = 50
    """Fields of the root type in an operation."""


class ResponseCacheSettings(Part, frozen=True):
    """Whole answers that are kept, where the graph allows it (`@cacheControl`)."""

    enabled: Switch = True
    """Keep them; off also tells others to keep none."""
    max_bytes: Size = 33_554_432
    """All of them in a process, the requests that lead to them included."""


class Settings(Part, frozen=True):
    """All of them."""

    upstreams: UpstreamsSettings = UpstreamsSettings()
    deadline_seconds: Seconds = 5.0
    """Time for a query."""
    mutation_deadline_seconds: Seconds = 15.0
    """Time for a mutation."""
    auth: AuthSettings = AuthSettings()
    service_token: ServiceTokenSettings = ServiceTokenSettings()
    cors: CorsSettings = CorsSettings()
    explorer: Switch = True
    """Serve the explorer to browsers."""
    introspection: Switch = True
    """Answer questions about the schema."""
    engine: Engine = "compiled"
    """What executes operations: plans of their own, or graphql-core for all of them."""
    limits: LimitsSettings = LimitsSettings()
    response_cache: ResponseCacheSettings = ResponseCacheSettings()
    log: LogSettings = LogSettings()

    def upstream(self, name: str) -> UpstreamSettings:
        """One service by name, such as "orders"."""
        return cast("UpstreamSettings", getattr(self.upstreams, name))
