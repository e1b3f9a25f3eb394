"""What nobody may read in a log."""

import traceback

import pytest
from pydantic import ValidationError

from bff.settings import Settings, SettingsError, load_settings

SECRET = "hunter2-hunter2-hunter2-hunter2-hunter2"


def test_secrets_are_not_in_what_settings_print():
    """Neither for people nor for programmers."""
    settings = load_settings(
        {"BFF_AUTH__JWT_SECRET": SECRET, "BFF_UPSTREAMS__USERS__API_KEY": SECRET}
    )
    assert settings.auth.jwt_secret.get_secret_value() == SECRET
    assert settings.upstreams.users.api_key.get_secret_value() == SECRET
    printed = (repr(settings), str(settings), str(settings.model_dump()), f"{settings.auth!r}")
    assert [text for text in (*printed, settings.model_dump_json()) if "hunter2" in text] == []


def test_settings_made_without_loading_are_silent_too():
    """The demo and tests make them from values; pydantic's own error shows none."""
    with pytest.raises(ValidationError) as wrong:
        Settings.model_validate({"auth": {"jwt_secret": "hunter2"}, "log": {"level": "hunter2"}})
    assert "hunter2" not in f"{wrong.value} {wrong.value!r}"


@pytest.mark.parametrize(
    "environ",
    [
        {"BFF_AUTH__JWT_SECRET": "hunter2"},
        {"BFF_AUTH__JWT_SECRET": SECRET + "\udcff"},
        {"BFF_AUTH__JWT_SECRET": SECRET, "BFF_AUTH__ALGORITHMS": "hunter2"},
        {"BFF_AUTH__JWT_SECRT": SECRET},
        {"BFF_AUTH": SECRET},
        {"BFF_UPSTREAMS__USERS__API_KEY": f"{SECRET}\r\nX: y"},
        {"BFF_UPSTREAMS__USERS__URL": "http://u:hunter2@users"},
        {"BFF_UPSTREAMS__USERS__URL": "http://[hunter2"},
        {"BFF_UPSTREAMS__USERS__URL": "http://users:hunter2"},
        {"BFF_UPSTREAMS__USERS__URL": "http://users?key=hunter2"},
        {"BFF_UPSTREAMS__USERS__RETRIES": "hunter2"},
        {"BFF_UPSTREAMS__USERS__TLS__KEY": "hunter2"},
        {"BFF_LOG__LEVEL": "hunter2"},
        {"BFF_CORS__ORIGINS": "hunter2"},
        {"BFF_REDIS_URL": "redis://u:hunter2@cache"},
    ],
)
def test_no_error_repeats_a_value(environ):
    """Not in its lines, and not in whatever a debugger or a log finds behind it."""
    with pytest.raises(SettingsError) as wrong:
        load_settings(environ)
    assert_silent(wrong.value)


@pytest.mark.parametrize(
    "text",
    [
        "[auth]\njwt_secret = hunter2",
        '[auth]\njwt_secret = "hunter2',
        '[auth]\njwt_secret = ["hunter2"]',
        '[auth.jwt_secret]\nvalue = "hunter2"',
        '[auht]\njwt_secret = "hunter2"',
        b'[auth]\njwt_secret = "hunter2\xff"',
        '[auth]\njwt_secret = "hunter2"\njwt_secret = "hunter2"',
    ],
)
def test_no_error_repeats_what_the_file_says(toml, text):
    """Also where the file is broken just there."""
    with pytest.raises(SettingsError) as wrong:
        load_settings(toml(text))
    assert_silent(wrong.value)


def assert_silent(error):
    """No text of *error* tells the secret, and no other error stands behind it."""
    assert error.__context__ is error.__cause__ is None
    texts = [str(error), repr(error), *error.lines, *traceback.format_exception_only(error)]
    assert [text for text in texts if "hunter2" in text] == []
