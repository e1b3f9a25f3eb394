"""The numbers that operators count on."""

from bff.graphql.limits import Limits
from bff.identity import key_set
from bff.settings import LimitsSettings, Settings, described, load_settings
from bff.settings.values import ASYMMETRIC

OF_A_SERVICE = {
    "URL": "",
    "TIMEOUT_READ_SECONDS": "3",
    "TIMEOUT_WRITE_SECONDS": "10",
    "RETRIES": "3",
    "BULKHEAD__LIMIT": "64",
    "BULKHEAD__QUEUE": "128",
    "BULKHEAD__ADAPTIVE": "off",
    "BREAKER__FAILURE_RATIO": "0.5",
    "BREAKER__MINIMUM_CALLS": "10",
    "BREAKER__WINDOW_SECONDS": "10",
    "BREAKER__CONSECUTIVE": "10",
    "BREAKER__RESET_SECONDS": "30",
    "BREAKER__SLOW_SECONDS": "2.5",
    "BREAKER__SLOW_RATIO": "0.9",
    "HEDGE__OPERATIONS": "",
    "HEDGE__AFTER_SECONDS": "0.5",
    "CACHE__FRESH_SECONDS": "0",
    "CACHE__STALE_SECONDS": "300",
    "API_KEY": "",
    "TLS__CA": "",
    "TLS__CERT": "",
    "TLS__KEY": "",
    "TRANSPORT": "own",
    "PROXY": "",
    "UNIX_SOCKET": "",
}
OF_ONE = {
    "USERS": {},
    "ORDERS": {},
    "PRODUCTS": {"CACHE__FRESH_SECONDS": "5", "CACHE__STALE_SECONDS": "600"},
    "PAYMENTS": {"CACHE__STALE_SECONDS": "60"},
    "NOTIFICATIONS": {},
}
OF_THE_WHOLE = {
    "DEADLINE_SECONDS": "5",
    "MUTATION_DEADLINE_SECONDS": "15",
    "AUTH__JWT_SECRET": "",
    "AUTH__JWKS_URL": "",
    "AUTH__ISSUER": "",
    "AUTH__AUDIENCE": "",
    "AUTH__ALGORITHMS": "",
    "SERVICE_TOKEN__KEY_FILE": "",
    "SERVICE_TOKEN__ISSUER": "bff",
    "SERVICE_TOKEN__TTL_SECONDS": "30",
    "CORS__ORIGINS": "",
    "EXPLORER": "on",
    "INTROSPECTION": "on",
    "ENGINE": "compiled",
    "LIMITS__OPERATIONS": "2048",
    "LIMITS__WAIT_SECONDS": "2.5",
    "LIMITS__BODY_BYTES": "262144",
    "LIMITS__URL_BYTES": "16384",
    "LIMITS__HEADER_BYTES": "65536",
    "LIMITS__HEADERS": "100",
    "LIMITS__DOCUMENT_BYTES": "65536",
    "LIMITS__TOKENS": "2000",
    "LIMITS__DEPTH": "15",
    "LIMITS__ALIASES": "100",
    "LIMITS__FIELDS": "500",
    "LIMITS__DIRECTIVES": "50",
    "LIMITS__ROOT_FIELDS": "50",
    "RESPONSE_CACHE__ENABLED": "on",
    "RESPONSE_CACHE__MAX_BYTES": "33554432",
    "LOG__LEVEL": "info",
    "LOG__FORMAT": "json",
}
DEFAULTS = {
    f"BFF_UPSTREAMS__{service}__{name}": default
    for service, others in OF_ONE.items()
    for name, default in (OF_A_SERVICE | others).items()
} | {f"BFF_{name}": default for name, default in OF_THE_WHOLE.items()}


def test_every_setting_has_the_default_of_the_contract():
    """No setting is missing, none is too many, and each has its number."""
    assert {setting.name: setting.default for setting in described()} == DEFAULTS


def test_nothing_set_is_the_same_as_all_defaults_set():
    """What the reference shows is what is there, and can be written down."""
    written = {name: default for name, default in DEFAULTS.items() if default}
    assert load_settings({}) == load_settings(written) == Settings()


def test_every_setting_says_what_it_takes_and_what_it_is_for():
    """The reference has no empty cell."""
    assert [setting for setting in described() if not setting.takes or not setting.meaning] == []


def test_the_limits_are_those_of_the_view():
    """Two lists of numbers that are one."""
    assert Limits(**LimitsSettings().model_dump()) == Limits()


def test_the_algorithms_are_those_that_keys_are_found_for():
    """An algorithm that could be named but never verified would lock everybody out."""
    assert set(ASYMMETRIC) == set(key_set._FIT)


def test_usual_algorithms():
    """HS256 with a secret, and RS256 and ES256 with a key set."""
    secret = load_settings({"BFF_AUTH__JWT_SECRET": "s" * 32}).auth
    assert (secret.configured, secret.accepted_algorithms) == (True, ("HS256",))
    keys = load_settings(
        {
            "BFF_AUTH__JWKS_URL": "https://login.example.com/keys",
            "BFF_AUTH__ISSUER": "https://login.example.com",
            "BFF_AUTH__AUDIENCE": "bff",
        }
    ).auth
    assert (keys.configured, keys.accepted_algorithms) == (True, ("RS256", "ES256"))
    assert not load_settings({}).auth.configured


def test_a_service_by_name():
    """The name that the wiring uses."""
    settings = load_settings({"BFF_UPSTREAMS__ORDERS__RETRIES": "1"})
    assert settings.upstream("orders") is settings.upstreams.orders
    assert settings.upstream("orders").retries == 1
