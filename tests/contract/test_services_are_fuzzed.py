"""schemathesis tries, on each reference service, what its OpenAPI file allows and what it forbids.

Every check that schemathesis has applies: statuses, media types, headers and bodies as documented;
what is valid is accepted, what is not is refused; no method that is not there, no missing header,
no missing or wrong token gets through; never a 500.
"""

from pathlib import Path

import hypothesis
import pytest
import schemathesis
from schemathesis.core.parameters import ParameterLocation

from tests.unit.upstreams.shop import SCOPES

FOLDER = Path(__file__).parent / "openapi"

pytestmark = pytest.mark.slow

bounded = hypothesis.settings(
    max_examples=15,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


def document(name):
    config = schemathesis.Config.from_dict(
        {
            # Orders are refused for good reasons that no schema can know.
            "checks": {
                "positive_data_acceptance": {
                    "expected-statuses": ["2xx", "401", "402", "403", "404", "409", "422"]
                }
            },
            # A cursor is opaque: any other than a given one is refused.
            "parameters": {"query.after": "", "query.userId": "1"} if name == "orders" else {},
        }
    )
    schema = schemathesis.openapi.from_path(FOLDER / f"{name}.yaml", config=config)
    # Any plan would break the service for the tests that follow.
    schema = schema.exclude(path="/faults", method="PUT")
    # What all five have in common needs to be tried on one.
    return schema if name == "users" else schema.exclude(path=["/livez", "/faults", "/requests"])


def at_home(case):
    """*case*, for the user of the token, and for products that there are, if it is valid."""
    mode = case.meta.generation.mode if case.meta else None
    if mode is schemathesis.GenerationMode.POSITIVE and isinstance(case.body, dict):
        if "userId" in case.body:
            case.body["userId"] = "1"
        for nth, item in enumerate(case.body.get("items", []), 1):
            item["productId"] = f"p-{nth}"
    return case


def fuzz(served, name, case):
    token = served.bff.token(name, SCOPES, subject="1")
    headers = {} if lacks_headers(case) else {"Authorization": f"Bearer {token}"}
    at_home(case).call_and_validate(base_url=served.urls[name], headers=headers)


def lacks_headers(case):
    """Whether *case* is wrong in its headers: then a token would put it right."""
    made = case.meta.components.get(ParameterLocation.HEADER) if case.meta else None
    return made is not None and made.mode is schemathesis.GenerationMode.NEGATIVE


def fuzzed(name):
    @document(name).parametrize()
    @bounded
    def test(case, served):
        fuzz(served, name, case)

    return test


test_users = fuzzed("users")
test_orders = fuzzed("orders")
test_products = fuzzed("products")
test_payments = fuzzed("payments")
test_notifications = fuzzed("notifications")
