"""Names that operators have written down somewhere: none may vanish or be spelled otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from bff.settings import SettingsError, load_settings

FILE = str(Path(__file__).resolve())

OF_A_SERVICE = {
    "URL": "https://service.internal",
    "TIMEOUT_READ_SECONDS": "2.5",
    "TIMEOUT_WRITE_SECONDS": "9",
    "RETRIES": "2",
    "BULKHEAD": "32",
    "BREAKER__FAILURE_RATIO": "0.4",
    "BREAKER__MINIMUM_CALLS": "20",
    "BREAKER__WINDOW_SECONDS": "20",
    "BREAKER__CONSECUTIVE": "5",
    "BREAKER__RESET_SECONDS": "15",
    "CACHE__FRESH_SECONDS": "1",
    "CACHE__STALE_SECONDS": "60",
    "API_KEY": "made-up-for-this-test",
    "TLS__CA": FILE,
    "TLS__CERT": FILE,
    "TLS__KEY": FILE,
}
OF_THE_WHOLE = {
    "DEADLINE_SECONDS": "4",
    "MUTATION_DEADLINE_SECONDS": "12",
    "SERVICE_TOKEN__KEY_FILE": FILE,
    "SERVICE_TOKEN__ISSUER": "gateway",
    "SERVICE_TOKEN__TTL_SECONDS": "20",
    "CORS__ORIGINS": "https://app.example.com",
    "EXPLORER": "off",
    "INTROSPECTION": "off",
    "LIMITS__DEPTH": "10",
    "LOG__LEVEL": "debug",
    "LOG__FORMAT": "console",
    "EVENTS_URL": "memory://",
    "TRUSTED_DOCUMENTS": "off",
}
BY_SECRET = {"AUTH__JWT_SECRET": "made up, and long enough for HS256", "AUTH__ALGORITHMS": "HS256"}
BY_KEY_SET = {
    "AUTH__JWKS_URL": "https://login.example.com/keys",
    "AUTH__ISSUER": "https://login.example.com",
    "AUTH__AUDIENCE": "bff",
    "AUTH__ALGORITHMS": "ES256,RS256",
}
OF_A_LATER_VERSION = {
    "REDIS_URL": "redis://127.0.0.1",
    "TRUSTED_DOCUMENTS_FILE": FILE,
    "ADMIN_PORT": "9000",
    "OTLP_ENDPOINT": "http://127.0.0.1:4318",
}


def environment(*groups: dict[str, str]) -> dict[str, str]:
    """The variables for the settings of those groups."""
    return {f"BFF_{name}": value for group in groups for name, value in group.items()}


@pytest.mark.parametrize("auth", [BY_SECRET, BY_KEY_SET], ids=["secret", "key-set"])
def test_the_settings_of_the_whole_keep_their_names(auth: dict[str, str]) -> None:
    """What is in somebody's deployment is accepted, and does what it says."""
    settings = load_settings(environment(OF_THE_WHOLE, auth))
    assert (settings.deadline_seconds, settings.mutation_deadline_seconds) == (4, 12)
    assert (settings.explorer, settings.introspection) == (False, False)
    assert settings.service_token.issuer == "gateway"
    assert settings.auth.configured


@pytest.mark.parametrize("service", ["users", "orders", "products", "payments", "notifications"])
def test_the_settings_of_a_service_keep_their_names(service: str) -> None:
    """All five services have the same ones."""
    prefix = f"UPSTREAMS__{service.upper()}__"
    wanted = {prefix + name: value for name, value in OF_A_SERVICE.items()}
    settings = load_settings(environment(wanted))
    upstream = settings.upstream(service)
    assert (upstream.timeout_read_seconds, upstream.timeout_write_seconds) == (2.5, 9)
    assert (upstream.bulkhead.limit, upstream.retries) == (32, 2)
    assert (upstream.breaker.failure_ratio, upstream.breaker.minimum_calls) == (0.4, 20)
    assert (upstream.breaker.consecutive, upstream.breaker.reset_seconds) == (5, 15)
    assert (upstream.cache.fresh_seconds, upstream.cache.stale_seconds) == (1, 60)


@pytest.mark.parametrize("name", OF_A_LATER_VERSION)
def test_a_setting_of_a_later_version_is_not_ignored(name: str) -> None:
    """Nobody believes that something is on which is not there."""
    with pytest.raises(SettingsError, match=f"BFF_{name}: .* yet"):
        load_settings({f"BFF_{name}": OF_A_LATER_VERSION[name]})
