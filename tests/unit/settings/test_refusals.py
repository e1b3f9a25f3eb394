"""Each bad setting, and exactly what is said about it."""

from pathlib import Path

import pytest

from bff.settings import SettingsError, load_settings

HERE = str(Path(__file__).resolve())
USERS = "BFF_UPSTREAMS__USERS__"
SECRET = "s" * 32
KEY_SET = {"BFF_AUTH__JWKS_URL": "https://i/keys", "BFF_AUTH__ISSUER": "i"}
KEY_SET |= {"BFF_AUTH__AUDIENCE": "a"}

FILE = "must be the path of a file that can be read"
SECONDS = "must be a number of seconds from 0.01 to 3600"
AGE = "must be a number of seconds from 0 to 604800"
SIZE = "must be a whole number from 1 to 1073741824"
VISIBLE = "must be at most 256 visible ASCII characters"
EMPTY = "is empty; leave it out for the default"
LATER = "not in this version yet"
OPERATIONS = "names of operations such as by_id, separated by commas"
ALGORITHMS = "must be some of HS256, RS256, PS256, ES256, EdDSA"
ORIGINS = "must be origins in lower case, without a path"
USUAL_PORT = "must be origins as browsers send them, without the usual port"
ASCII_URL = "must be a URL of ASCII characters, others percent-encoded"
HTTP_URL = "must begin with http:// or https:// and name a host"
HOST = "must name a host that can be one"
PORT = "must have a port from 1 to 65535, or none"
USER = "must not hold a user name or a password"
NO_SECRET = "must not be HS256 with BFF_AUTH__JWKS_URL: public keys are no secret"
NO_VALUE = "Expected '=' after a key in a key/value pair (at end of document)"
NO_USE = "is of no use without https:// in URL"


def unknown(nearest):
    return f"there is no such setting; did you mean {nearest}?"


def refused(environ):
    with pytest.raises(SettingsError) as wrong:
        load_settings(environ)
    assert str(wrong.value) == "\n".join(wrong.value.lines)
    return wrong.value.lines


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("BFF_DEADLINE_SECONDS", "0", SECONDS),
        ("BFF_DEADLINE_SECONDS", "3601", SECONDS),
        ("BFF_DEADLINE_SECONDS", "nan", SECONDS),
        ("BFF_DEADLINE_SECONDS", "inf", SECONDS),
        ("BFF_DEADLINE_SECONDS", "5s", SECONDS),
        ("BFF_DEADLINE_SECONDS", "9" * 5000, SECONDS),
        ("BFF_DEADLINE_SECONDS", " ", EMPTY),
        ("BFF_MUTATION_DEADLINE_SECONDS", "-1", SECONDS),
        (USERS + "TIMEOUT_READ_SECONDS", "0", SECONDS),
        (USERS + "TIMEOUT_WRITE_SECONDS", "0", SECONDS),
        (USERS + "RETRIES", "11", "must be a whole number from 0 to 10"),
        (USERS + "RETRIES", "-1", "must be a whole number from 0 to 10"),
        (USERS + "RETRIES", "1.5", "must be a whole number from 0 to 10"),
        (USERS + "RETRIES", "9" * 5000, "must be a whole number from 0 to 10"),
        (USERS + "BULKHEAD__QUEUE", "-1", "must be a whole number from 0 to 100000"),
        (USERS + "BULKHEAD__QUEUE", "100001", "must be a whole number from 0 to 100000"),
        (USERS + "BULKHEAD__LIMIT", "0", "must be a whole number from 1 to 100000"),
        (USERS + "BULKHEAD__LIMIT", "100001", "must be a whole number from 1 to 100000"),
        (USERS + "CACHE__STALE_SECONDS", "604801", AGE),
        (USERS + "BREAKER__FAILURE_RATIO", "0", "must be a number above 0 and up to 1"),
        (USERS + "BREAKER__FAILURE_RATIO", "1.1", "must be a number above 0 and up to 1"),
        (USERS + "BREAKER__MINIMUM_CALLS", "0", "must be a whole number from 1 to 100000"),
        (USERS + "BREAKER__WINDOW_SECONDS", "0", SECONDS),
        (USERS + "BREAKER__CONSECUTIVE", "0", "must be a whole number from 1 to 100000"),
        (USERS + "BREAKER__RESET_SECONDS", "0", SECONDS),
        (USERS + "BREAKER__SLOW_SECONDS", "0", SECONDS),
        (USERS + "BREAKER__SLOW_RATIO", "0", "must be a number above 0 and up to 1"),
        (USERS + "BULKHEAD__ADAPTIVE", "maybe", "must be on or off"),
        (USERS + "HEDGE__OPERATIONS", "by_id,", f"must be {OPERATIONS}"),
        (USERS + "HEDGE__OPERATIONS", "By-Id", f"must be {OPERATIONS}"),
        (USERS + "HEDGE__AFTER_SECONDS", "0", SECONDS),
        (USERS + "CACHE__FRESH_SECONDS", "-1", AGE),
        (USERS + "API_KEY", "a\r\nX: y", "must be visible ASCII characters without spaces"),
        (USERS + "API_KEY", "a b", "must be visible ASCII characters without spaces"),
        (USERS + "API_KEY", "é", "must be visible ASCII characters without spaces"),
        (USERS + "URL", "http://u:p@x/", USER),
        (USERS + "URL", "http://@x", USER),
        (USERS + "URL", "http://@x/?#", "must not have a query or a fragment"),
        (USERS + "URL", "http://x/?", "must not have a query or a fragment"),
        (USERS + "URL", "http://x\r\nHost: y/", ASCII_URL),
        (USERS + "URL", "http://x\udcff", ASCII_URL),
        (USERS + "URL", "http://x\\y", ASCII_URL),
        (USERS + "URL", "ftp://x", HTTP_URL),
        (USERS + "URL", "users:8080", HTTP_URL),
        (USERS + "URL", "http://:80", HTTP_URL),
        (USERS + "URL", "http://[::1", "must be a URL"),
        (USERS + "URL", "http://a..b", HOST),
        (USERS + "URL", "http://a%20b", HOST),
        (USERS + "URL", "http://1.2.3.999", HOST),
        (USERS + "URL", "http://x:65536", PORT),
        (USERS + "URL", "http://x:0", PORT),
        (USERS + "URL", "http://x:http", PORT),
        (USERS + "TLS__CA", "/nowhere", FILE),
        (USERS + "TLS__CA", "a\0b", FILE),
        (USERS + "TLS__CA", "/", FILE),
        (USERS + "TLS__CA", "a" * 5000, FILE),
        ("BFF_AUTH__JWT_SECRET", "s" * 31, "must have at least 32 bytes"),
        ("BFF_AUTH__JWT_SECRET", "\udcff" * 32, "must be UTF-8"),
        ("BFF_AUTH__JWKS_URL", "https://i/#keys", "must not have a fragment"),
        ("BFF_AUTH__ISSUER", "", EMPTY),
        ("BFF_AUTH__ISSUER", "a\nb", VISIBLE),
        ("BFF_AUTH__AUDIENCE", "a" * 257, VISIBLE),
        ("BFF_AUTH__ALGORITHMS", "none", ALGORITHMS),
        ("BFF_AUTH__ALGORITHMS", "RS512", ALGORITHMS),
        ("BFF_AUTH__ALGORITHMS", "ES256,", ALGORITHMS),
        ("BFF_SERVICE_TOKEN__KEY_FILE", "/", FILE),
        ("BFF_SERVICE_TOKEN__KEY_FILE", "a\0b", FILE),
        ("BFF_SERVICE_TOKEN__ISSUER", "b f f", VISIBLE),
        ("BFF_SERVICE_TOKEN__TTL_SECONDS", "31", "must be a whole number of seconds from 1 to 30"),
        ("BFF_SERVICE_TOKEN__TTL_SECONDS", "0", "must be a whole number of seconds from 1 to 30"),
        ("BFF_CORS__ORIGINS", "https://a/", ORIGINS),
        ("BFF_CORS__ORIGINS", "https://A", ORIGINS),
        ("BFF_CORS__ORIGINS", "https://a,javascript:x", HTTP_URL),
        ("BFF_CORS__ORIGINS", "https://a,*", HTTP_URL),
        ("BFF_CORS__ORIGINS", "null", HTTP_URL),
        ("BFF_CORS__ORIGINS", "https://u@a", USER),
        ("BFF_CORS__ORIGINS", "https://a:443", USUAL_PORT),
        ("BFF_CORS__ORIGINS", "http://a:80", USUAL_PORT),
        ("BFF_CORS__ORIGINS", "http://a:", USUAL_PORT),
        ("BFF_EXPLORER", "maybe", "must be on or off"),
        ("BFF_INTROSPECTION", "2", "must be on or off"),
        ("BFF_ENGINE", "fast", "must be compiled or reference"),
        ("BFF_LOG__LEVEL", "loud", "must be debug, info, warning or error"),
        ("BFF_LOG__FORMAT", "xml", "must be json or console"),
        ("BFF_LIMITS__DEPTH", "0", SIZE),
        ("BFF_LIMITS__BODY_BYTES", "1073741825", SIZE),
        ("BFF_REDIS_URL", "redis://cache", LATER),
        ("BFF_EVENTS_URL", "amqp://queue", LATER),
        ("BFF_TRUSTED_DOCUMENTS", "only", LATER),
        ("BFF_TRUSTED_DOCUMENTS_FILE", HERE, LATER),
        ("BFF_ADMIN_PORT", "9000", LATER),
        ("BFF_OTLP_ENDPOINT", "http://traces", LATER),
        ("BFF_UPSTREAMS", "3", "is a group of settings, not one of them"),
        ("BFF_AUTH", "x", "is a group of settings, not one of them"),
        ("BFF_DEADLIN_SECONDS", "1", unknown("BFF_DEADLINE_SECONDS")),
        ("BFF_UPSTREAMS__USER__URL", "http://x", unknown(USERS + "URL")),
        (USERS, "x", unknown(USERS + "URL")),
        ("bff_explorer", "off", unknown("BFF_EXPLORER")),
        ("Bff_Explorer", "off", unknown("BFF_EXPLORER")),
        ("BFF_ZZZ", "1", unknown("BFF_ENGINE")),
    ],
)
def test_one_bad_variable(name, value, message):
    """One line, with the name of that variable."""
    assert refused({name: value}) == [f"{name}: {message}"]


@pytest.mark.parametrize(
    ("environ", "lines"),
    [
        (
            {"BFF_DEADLIN_SECONDS": "1", "BFF_DEADLINE_SECONDS": "0", "BFF_ADMIN_PORT": "1"},
            [
                f"BFF_DEADLIN_SECONDS: {unknown('BFF_DEADLINE_SECONDS')}",
                f"BFF_ADMIN_PORT: {LATER}",
                f"BFF_DEADLINE_SECONDS: {SECONDS}",
            ],
        ),
        (
            {"BFF_AUTH__JWKS_URL": "https://i/keys", "BFF_AUTH__ALGORITHMS": "HS256"},
            [
                "BFF_AUTH__ISSUER: is needed with BFF_AUTH__JWKS_URL",
                "BFF_AUTH__AUDIENCE: is needed with BFF_AUTH__JWKS_URL",
                f"BFF_AUTH__ALGORITHMS: {NO_SECRET}",
            ],
        ),
        (
            KEY_SET | {"BFF_AUTH__JWT_SECRET": SECRET},
            ["BFF_AUTH__JWKS_URL: excludes BFF_AUTH__JWT_SECRET; give one of them"],
        ),
        (
            {"BFF_AUTH__JWT_SECRET": SECRET, "BFF_AUTH__ALGORITHMS": "HS256,ES256"},
            ["BFF_AUTH__ALGORITHMS: must be HS256, the only one for BFF_AUTH__JWT_SECRET"],
        ),
        (
            {"BFF_AUTH__JWT_SECRET": "short", "BFF_AUTH__ISSUER": "a b"},
            [
                "BFF_AUTH__JWT_SECRET: must have at least 32 bytes",
                f"BFF_AUTH__ISSUER: {VISIBLE}",
            ],
        ),
        (
            {USERS + "CACHE__FRESH_SECONDS": "301"},
            [f"{USERS}CACHE__STALE_SECONDS: must not be less than FRESH_SECONDS"],
        ),
        (
            {"BFF_UPSTREAMS__PAYMENTS__CACHE__FRESH_SECONDS": "61"},
            ["BFF_UPSTREAMS__PAYMENTS__CACHE__STALE_SECONDS: must not be less than FRESH_SECONDS"],
        ),
        ({USERS + "TLS__CERT": HERE}, [f"{USERS}TLS__KEY: CERT and KEY go together"]),
        ({USERS + "TLS__KEY": HERE}, [f"{USERS}TLS__KEY: CERT and KEY go together"]),
        (
            {
                USERS + "URL": "http://x",
                USERS + "TLS__CA": HERE,
                USERS + "TLS__CERT": HERE,
                USERS + "TLS__KEY": HERE,
            },
            [
                f"{USERS}TLS__CA: {NO_USE}",
                f"{USERS}TLS__CERT: {NO_USE}",
                f"{USERS}TLS__KEY: {NO_USE}",
            ],
        ),
        (
            {USERS + "BULKHEAD": "many"},
            [f"{USERS}BULKHEAD__LIMIT: must be a whole number from 1 to 100000"],
        ),
        (
            {USERS + "BULKHEAD": "5", USERS + "BULKHEAD__LIMIT": "6"},
            [f"{USERS}BULKHEAD__LIMIT: is set twice, the other time without __LIMIT"],
        ),
        (
            {"BFF_X\nBFF_Y": "1", "BFF_\udcff": "1"},
            [
                f"BFF_X?BFF_Y: {unknown('BFF_CONFIG')}",
                f"BFF_?: {unknown('BFF_ENGINE')}",
            ],
        ),
        ({"BFF_" + "X" * 5000: "1"}, [f"BFF_{'X' * 96}…: {unknown('BFF_EXPLORER')}"]),
    ],
)
def test_several_things_at_once(environ, lines):
    """Every problem is told, each where it can be mended."""
    assert refused(environ) == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("deadline_seconds = true", [f"BFF_DEADLINE_SECONDS: {SECONDS}"]),
        ("deadline_seconds = nan", [f"BFF_DEADLINE_SECONDS: {SECONDS}"]),
        (f"deadline_seconds = {'9' * 4000}", [f"BFF_DEADLINE_SECONDS: {SECONDS}"]),
        ("deadline_seconds.x = 1", [f"BFF_DEADLINE_SECONDS: {SECONDS}"]),
        (
            "deadlin_seconds = 1",
            ["BFF_DEADLIN_SECONDS: there is no deadlin_seconds; did you mean deadline_seconds?"],
        ),
        (
            "Explorer = true",
            ["BFF_EXPLORER: there is no Explorer; did you mean explorer?"],
        ),
        (
            "[upstreams.user]\nurl = 'http://x'",
            ["BFF_UPSTREAMS__USER: there is no upstreams.user; did you mean upstreams.users?"],
        ),
        ('"a\\nb" = 1', ["BFF_A?B: there is no a?b; did you mean limits.header_bytes?"]),
        ("upstreams = 3", ["BFF_UPSTREAMS: is a group of settings, not one of them"]),
        ("[upstreams]\nusers = []", [
            "BFF_UPSTREAMS__USERS: is a group of settings, not one of them"
        ]),
        ("[upstreams.users]\nbulkhead = true", [
            f"{USERS}BULKHEAD__LIMIT: must be a whole number from 1 to 100000"
        ]),
        ("[upstreams.users]\nurl = 3", [
            f"{USERS}URL: must be an http:// or https:// URL without a query"
        ]),
        ("[auth]\njwt_secret = 12345678", [
            "BFF_AUTH__JWT_SECRET: must be text of at least 32 bytes"
        ]),
        ("[auth]\nissuer = ''", [f"BFF_AUTH__ISSUER: {EMPTY}"]),
        ("[auth]\nalgorithms = [1]", [f"BFF_AUTH__ALGORITHMS: {ALGORITHMS}"]),
        ("[cors]\norigins = [1]", [
            "BFF_CORS__ORIGINS: must be origins such as https://app.example.com, or * for all"
        ]),
        ("explorer = 1", ["BFF_EXPLORER: must be on or off"]),
        ("admin_port = 9000", [f"BFF_ADMIN_PORT: {LATER}"]),
        ("x", [
            f"BFF_CONFIG: the file is not TOML: {NO_VALUE}"
        ]),
        ("a = " + "[" * 20_000, [
            "BFF_CONFIG: the file is not TOML: a number too long, or too deep"
        ]),
        (f"deadline_seconds = {'9' * 5000}", [
            "BFF_CONFIG: the file is not TOML: a number too long, or too deep"
        ]),
        (b"a = '\xff'", ["BFF_CONFIG: the file is not UTF-8"]),
    ],
)  # fmt: skip
def test_a_bad_file(toml, text, lines):
    """As for variables, under the name that the variable would have."""
    assert refused(toml(text)) == lines


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/nowhere", "the file cannot be read: No such file or directory"),
        ("/", "the file cannot be read: Is a directory"),
        ("a\0b", "the file cannot be read: No such file or directory"),
        ("a" * 5000, "the file cannot be read: File name too long"),
        ("", "is empty; leave it out for none"),
    ],
)
def test_no_file(path, message):
    """What it should say is not guessed."""
    assert refused({"BFF_CONFIG": path}) == [f"BFF_CONFIG: {message}"]


def test_a_group_in_the_file_and_a_variable_in_it(toml):
    """The one that is wrong is blamed."""
    file = toml("upstreams = 3")
    assert refused(file | {USERS + "URL": "http://x"}) == [
        "BFF_UPSTREAMS: is a group of settings, not one of them"
    ]
