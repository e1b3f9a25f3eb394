"""Variables, a file, and both."""

import pytest
from pydantic import ValidationError

from bff.settings import load_settings


def test_a_variable_wins_over_the_file(toml):
    """What both set is the variable's; what only one sets is that one's."""
    file = toml('deadline_seconds = 2\n[upstreams.users]\nurl = "http://users"\nretries = 1\n')
    settings = load_settings(
        file | {"BFF_DEADLINE_SECONDS": "4", "BFF_UPSTREAMS__USERS__RETRIES": "2"}
    )
    assert settings.deadline_seconds == 4
    assert (settings.upstreams.users.url, settings.upstreams.users.retries) == ("http://users", 2)


@pytest.mark.parametrize(
    ("text", "variables", "limit", "queue"),
    [
        ("", {"BULKHEAD": "5"}, 5, 128),
        ("bulkhead = 5", {}, 5, 128),
        ("bulkhead.limit = 5", {}, 5, 128),
        ("bulkhead = 5", {"BULKHEAD__QUEUE": "7"}, 5, 7),
        ("bulkhead = 5", {"BULKHEAD__LIMIT": "6"}, 6, 128),
        ("bulkhead.queue = 9", {"BULKHEAD": "5"}, 5, 9),
        ("bulkhead.limit = 9", {"BULKHEAD": "5"}, 5, 128),
        ("", {"BULKHEAD": "5", "BULKHEAD__QUEUE": "7"}, 5, 7),
    ],
)
def test_a_bare_bulkhead_is_its_limit(toml, text, variables, limit, queue):
    """It takes nothing away that is said about the queue, wherever that is said."""
    environ = {f"BFF_UPSTREAMS__USERS__{name}": value for name, value in variables.items()}
    settings = load_settings(toml(f"[upstreams.users]\n{text}") | environ)
    bulkhead = settings.upstreams.users.bulkhead
    assert (bulkhead.limit, bulkhead.queue) == (limit, queue)


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("BFF_EXPLORER", "Off", lambda settings: not settings.explorer),
        ("BFF_EXPLORER", "true", lambda settings: settings.explorer),
        ("BFF_LOG__LEVEL", "WARNING", lambda settings: settings.log.level == "warning"),
        ("BFF_LOG__FORMAT", "Console", lambda settings: settings.log.format == "console"),
        ("BFF_CORS__ORIGINS", "*", lambda settings: settings.cors.origins == ("*",)),
        (
            "BFF_CORS__ORIGINS",
            "https://a.example, http://localhost:3000",
            lambda settings: settings.cors.origins == ("https://a.example", "http://localhost:3000"),
        ),
        (
            "BFF_UPSTREAMS__USERS__URL",
            "HTTPS://users.internal:8443/v1/",
            lambda settings: settings.upstreams.users.url == "https://users.internal:8443/v1",
        ),
        (
            "BFF_UPSTREAMS__USERS__URL",
            "http://[::1]:8080",
            lambda settings: settings.upstreams.users.url == "http://[::1]:8080",
        ),
        ("BFF_EVENTS_URL", "memory://", lambda settings: True),
        ("BFF_TRUSTED_DOCUMENTS", "off", lambda settings: True),
        ("NOT_OURS", "", lambda settings: True),
    ],
)  # fmt: skip
def test_ways_to_write_it(name, value, read):
    """Case does not matter where a word is meant, nor a slash at the end of a base URL."""
    assert read(load_settings({name: value}))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("DEADLINE_SECONDS", ("0.01", "3600")),
        ("UPSTREAMS__USERS__RETRIES", ("0", "10")),
        ("UPSTREAMS__USERS__BULKHEAD__LIMIT", ("1", "100000")),
        ("UPSTREAMS__USERS__BULKHEAD__QUEUE", ("0", "100000")),
        ("UPSTREAMS__USERS__BREAKER__FAILURE_RATIO", ("0.001", "1")),
        ("UPSTREAMS__USERS__CACHE__STALE_SECONDS", ("0", "604800")),
        ("UPSTREAMS__USERS__URL", ("http://x:1", "http://x:65535")),
        ("UPSTREAMS__USERS__TLS__CA", (__file__,)),
        ("SERVICE_TOKEN__TTL_SECONDS", ("1", "30")),
        ("SERVICE_TOKEN__ISSUER", ("b", "b" * 256)),
        ("AUTH__JWT_SECRET", ("s" * 32, "é" * 16)),
        ("LIMITS__BODY_BYTES", ("1", "1073741824")),
    ],
)
def test_the_ends_of_a_range_are_in_it(name, values):
    """The least and the most that the reference shows; a certificate may come before its URL."""
    for value in values:
        load_settings({f"BFF_{name}": value})


def test_nothing_changes_afterwards():
    """Whoever has read a setting need not read it again."""
    settings = load_settings({})
    for part, name in [(settings, "explorer"), (settings.upstreams.users.cache, "stale_seconds")]:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(part, name, 0)


def test_a_key_set_may_have_a_query():
    """Some issuers put the name of a policy there; the rest of the URL stays as it is, too."""
    url = "https://login.example.com/keys/?p=b2c"
    settings = load_settings(
        {"BFF_AUTH__JWKS_URL": url, "BFF_AUTH__ISSUER": "i", "BFF_AUTH__AUDIENCE": "a"}
    )
    assert settings.auth.jwks_url == url


def test_what_a_file_can_say_better_than_a_variable(toml):
    """Lists and switches in TOML's own words."""
    settings = load_settings(
        toml('explorer = false\n[cors]\norigins = ["https://a.example", "https://b.example"]')
    )
    assert not settings.explorer
    assert settings.cors.origins == ("https://a.example", "https://b.example")
