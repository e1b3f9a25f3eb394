"""Everything an operator can set, read once.

Environment variables (`BFF_`, parts joined by `__`) and, named by `BFF_CONFIG`, a TOML file with
the same parts as tables; the environment wins. A name that nobody knows is an error, and so is a
setting whose feature this version does not have: nothing is ignored in silence.
"""

from __future__ import annotations

from bff.settings.described import Described, described
from bff.settings.loading import SettingsError, load_settings
from bff.settings.model import (
    AuthSettings,
    CorsSettings,
    LimitsSettings,
    LogSettings,
    ResponseCacheSettings,
    ServiceTokenSettings,
    Settings,
)
from bff.settings.upstreams import UpstreamSettings

__all__ = [
    "AuthSettings",
    "CorsSettings",
    "Described",
    "LimitsSettings",
    "LogSettings",
    "ResponseCacheSettings",
    "ServiceTokenSettings",
    "Settings",
    "SettingsError",
    "UpstreamSettings",
    "described",
    "load_settings",
]
