"""The page on settings, written from the settings themselves: `make docs`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from bff.settings.described import Described, described
from tests.docs.pages import PROJECT

PAGE = PROJECT / "docs/reference/settings.md"

_HEAD = """# Settings

<!-- Written by `make docs` from the descriptions in bff/settings; do not edit. -->

Every setting is an environment variable. It can also stand in a TOML file that `BFF_CONFIG` names,
where `__` becomes a level (`BFF_AUTH__ISSUER` is `issuer` in `[auth]`); variables win. A name that
nobody knows is an error. Secrets are never printed. `bff check` says what is wrong, one line for
each problem. `BFF_UPSTREAMS__<NAME>__BULKHEAD` alone is its limit.

What is not listed does not exist yet: a setting that names a later feature is refused, not ignored.
"""

_SERVICES = """
## Each service
`<NAME>` is one of {names}.

"""

_REST = """
## Everything else

"""

_COLUMNS = "| Variable | Takes | Default | |\n|---|---|---|---|\n"

_OF_A_SERVICE = re.compile(r"BFF_UPSTREAMS__([A-Z]+)__(.+)")


def page() -> str:
    """The whole page."""
    everything = list(described())
    services: dict[str, list[Described]] = defaultdict(list)
    rest: list[Described] = []
    for setting in everything:
        match = _OF_A_SERVICE.fullmatch(setting.name)
        if match is None:
            rest.append(setting)
        else:
            services[match[1]].append(setting._replace(name=f"BFF_UPSTREAMS__<NAME>__{match[2]}"))
    names = ", ".join(f"`{name}`" for name in services)
    return "".join(
        (
            *(_HEAD, _SERVICES.format(names=names), _COLUMNS, *_in_common(services)),
            *(_REST, _COLUMNS, *(_row(each, _code(each.default)) for each in rest)),
        )
    )


def _in_common(services: Mapping[str, list[Described]]) -> Iterator[str]:
    """Rows of what all services have, with the defaults that differ."""
    for same in zip(*services.values(), strict=True):
        defaults = [each.default for each in same]
        usual = max(defaults, key=defaults.count)
        others = [
            f"{name.lower()} {_code(default)}"
            for name, default in zip(services, defaults, strict=True)
            if default != usual
        ]
        yield _row(same[0], "; ".join([_code(usual), *others]))


def _row(setting: Described, default: str) -> str:
    return f"| `{setting.name}` | {setting.takes} | {default} | {setting.meaning} |\n"


def _code(default: str) -> str:
    return f"`{default}`" if default else ""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
