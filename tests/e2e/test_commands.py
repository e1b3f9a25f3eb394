"""`bff demo` and `bff serve` as people run them."""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import bff

pytestmark = pytest.mark.slow

SECRET = "a secret of thirty-two characters"
DASHBOARD = Path("examples/queries/dashboard.graphql").read_text()
NAMES = ("users", "orders", "products", "payments", "notifications")


def folders():
    return set(Path(tempfile.gettempdir()).glob("bff-demo-*"))


def ask(url, token, query=DASHBOARD):
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(url, json={"query": query}, headers=headers, trust_env=False).json()


def test_the_demo_answers_once():
    """The lines of the contract, in their order; status 0, and nothing is left behind."""
    before = folders()
    with bff("demo", "--once", "--port", "0") as demo:
        status, err = demo.end()
    assert (status, err) == (0, "")
    starts = [line.split(": ")[0] for line in demo.lines]
    addresses = dict(line.split(": ", 1) for line in demo.lines[:3])
    assert addresses["graphql"] == f"{addresses['page']}graphql"
    assert starts == [
        "page",
        "explorer",
        "graphql",
        "token",
        *(f"service {name}" for name in NAMES),
        "answer",
        "ready",
    ]
    answer = json.loads(demo.lines[-2].removeprefix("answer: "))
    dashboard = answer["data"]["dashboard"]
    assert "errors" not in answer
    assert dashboard["user"]["id"] == "1"
    assert len(dashboard["recentOrders"]) == 5
    assert all(item["product"] for order in dashboard["recentOrders"] for item in order["items"])
    assert dashboard["notifications"]
    assert folders() == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_demo_runs_until_it_is_stopped(number):
    """Answers with its token; a broken service is marked, or missing with its error; exits 0."""
    before = folders()
    with bff("demo", "--port", "0") as demo:
        url = demo.until("graphql:")
        token = demo.until("token:")
        users = demo.until("service users:")
        demo.until("ready")
        query = "{ me { name freshness { origin reason } } }"
        live = ask(url, token, query)["data"]["me"]
        assert live["freshness"] == {"origin": "LIVE", "reason": None}
        faults = {"errorRate": 1.0, "status": 503}
        assert httpx.put(f"{users}/faults", json=faults, trust_env=False).is_success
        stale = ask(url, token, query)
        assert stale["data"]["me"]["name"] == live["name"]
        assert stale["data"]["me"]["freshness"]["origin"] == "STALE"
        assert stale["extensions"]["degraded"][0]["path"] == ["me"]
        status, err = demo.stop(number)
    assert status == 0
    assert "Traceback" not in err
    assert folders() == before


def test_a_hanging_service_does_not_hold_up_the_end():
    """Stopped in the middle of a question."""
    with bff("demo", "--port", "0") as demo:
        url = demo.until("graphql:")
        token = demo.until("token:")
        users = demo.until("service users:")
        demo.until("ready")
        httpx.put(f"{users}/faults", json={"hang": True}, trust_env=False)
        started = time.monotonic()
        assert ask(url, token, "{ me { id } }")["data"]["me"]["id"] == "1"
        status, _ = demo.stop(signal.SIGTERM)
    assert status == 0
    assert time.monotonic() - started < 25


def test_serve_over_the_demos_services(tmp_path):
    """Two workers, one key; the services take our tokens; health and keys are there."""
    key = tmp_path / "key.pem"
    subprocess.run(
        [sys.executable, "-c", KEY_SCRIPT, str(key)],
        check=True,
    )
    urls = {f"BFF_UPSTREAMS__{name.upper()}__URL": "http://127.0.0.1:9" for name in NAMES}
    settings = urls | {
        "BFF_AUTH__JWT_SECRET": SECRET,
        "BFF_SERVICE_TOKEN__KEY_FILE": str(key),
    }
    with bff("token", "--sub", "7", BFF_AUTH__JWT_SECRET=SECRET) as minting:
        minting.end()
    with bff("serve", "--port", "0", "--workers", "2", **settings) as serving:
        url = serving.until("graphql:")
        base = url.removesuffix("/graphql")
        wait_for(f"{base}/livez")
        [public] = httpx.get(f"{base}/.well-known/jwks.json", trust_env=False).json()["keys"]
        assert (public["crv"], "d" in public) == ("P-256", False)
        assert httpx.get(f"{base}/readyz", trust_env=False).status_code == 200
        for only_in_the_demo in ("/", "/demo/services", "/dashboard/main.js"):
            assert httpx.get(f"{base}{only_in_the_demo}", trust_env=False).status_code == 404
        answer = ask(url, minting.lines[-1], "{ me { id } }")
        [error] = answer["errors"]
        assert error["extensions"] == {
            "code": "UPSTREAM_UNAVAILABLE",
            "service": "users",
            "retryable": True,
        }
        health = httpx.get(f"{base}/healthz", trust_env=False).json()
        assert [service["name"] for service in health["services"]] == list(NAMES)
        status, err = serving.stop(signal.SIGTERM)
    assert status == 0
    assert "Traceback" not in err
    for line in err.splitlines():
        assert SECRET not in line
        json.loads(line)


KEY_SCRIPT = """
import sys
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
pem = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
open(sys.argv[1], "wb").write(pem)
"""


def wait_for(url, seconds=30.0):
    deadline = time.monotonic() + seconds
    while True:
        try:
            return httpx.get(url, trust_env=False, timeout=5)
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_a_client_that_hangs_up_is_noticed_down_to_the_service():
    """The question to a hanging service ends with the client's connection, cold."""
    with bff("demo", "--port", "0") as demo:
        url = httpx.URL(demo.until("graphql:"))
        token = demo.until("token:")
        orders = demo.until("service orders:")
        demo.until("ready")
        httpx.put(f"{orders}/faults", json={"hang": True}, trust_env=False)
        body = json.dumps({"query": '{ order(id: "o-1-1") { id } }'}).encode()
        head = (
            f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection((url.host, url.port)) as client:
            client.sendall(head.encode() + body)
            until(lambda: "/orders/o-1-1" in httpx.get(f"{orders}/requests", trust_env=False).text)
            assert connections(orders) >= 1
        until(lambda: connections(orders) == 0, seconds=1.5)
        demo.stop(signal.SIGTERM)


def connections(base):
    """Established connections to the service at *base*, by the kernel's own list."""
    port = f"{httpx.URL(base).port:04X}"
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = [row.split() for row in rows]
    return sum(row[1].endswith(f":{port}") and row[3] == "01" for row in fields)


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_isolated_python_runs_it_from_anywhere(tmp_path):
    """`python -Im bff`, where a folder of the same name lies in the way."""
    (tmp_path / "bff").mkdir()
    (tmp_path / "bff" / "__init__.py").write_text("raise RuntimeError")
    shown = subprocess.run(
        [sys.executable, "-Im", "bff", "--version"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        text=True,
    )
    assert shown.stdout == "bff 0.1.0\n"
