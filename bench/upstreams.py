"""Five services that answer at once, from memory, for timing what stands before them.

Run as a process of its own, it prints one line of JSON: the port of each service, and of "control".
The control port takes `POST /<service>/<fault>` with a fault of `FAULTS`, and answers `GET /log`
with the instants at which each service was asked (monotonic seconds; all processes of a machine
have the same clock).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import cast
from urllib.parse import parse_qs, urlsplit

import uvloop

SERVICES = ("users", "orders", "products", "payments", "notifications")
FAULTS = ("none", "error", "hang")
"""Answers; answers 503; answers once that is over."""

_PRODUCTS = 300
_AT = "2026-01-02T03:04:05Z"


def _money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def _order(user: str, number: int) -> dict[str, object]:
    products = [(int(user) * 7 + number * 3 + line) % _PRODUCTS for line in range(3)]
    return {
        "id": f"{user}-{number}",
        "userId": user,
        "status": "PAID",
        "total": _money("29.97"),
        "createdAt": _AT,
        "items": [
            {"productId": str(product), "quantity": 1, "unitPrice": _money("9.99")}
            for product in products
        ],
    }


def _user(path: list[str], _: dict[str, str]) -> object:
    name = f"User {path[1]}"
    return {"id": path[1], "name": name, "email": f"u{path[1]}@example.org", "createdAt": _AT}


def _orders(_: list[str], query: dict[str, str]) -> object:
    return [_order(query["userId"], number) for number in range(int(query.get("limit", "5")))]


def _products(_: list[str], query: dict[str, str]) -> object:
    return [
        {"id": key, "name": f"Product {key}", "price": _money("9.99"), "stock": 7}
        for key in query["ids"].split(",")
    ]


def _payment(path: list[str], _: dict[str, str]) -> object:
    return {"id": f"p{path[1]}", "orderId": path[1], "status": "CAPTURED", "method": "card"}


def _notifications(_: list[str], query: dict[str, str]) -> object:
    user = query["userId"]
    return [
        {
            "id": f"{user}-{number}",
            "userId": user,
            "message": "Hello",
            "read": False,
            "createdAt": _AT,
        }
        for number in range(int(query.get("limit", "10")))
    ]


_ANSWERS: dict[str, Callable[[list[str], dict[str, str]], object]] = {
    "users": _user,
    "orders": _orders,
    "products": _products,
    "payments": _payment,
    "notifications": _notifications,
}


class Service:
    """What one service does now, and when it was asked."""

    def __init__(self, name: str) -> None:
        self._answer = _ANSWERS[name]
        self._bodies: dict[str, bytes] = {}
        self.fault = "none"
        self.asked: list[float] = []
        self.held: list[tuple[asyncio.Transport, bytes]] = []

    def answer(self, target: str, connection: asyncio.Transport) -> None:
        """Answer the question for *target*, or do what the fault says."""
        self.asked.append(time.monotonic())
        if self.fault == "error":
            connection.write(_response("503 Service Unavailable", b"{}"))
            return
        body = self._bodies.get(target)
        if body is None:
            where = urlsplit(target)
            query = {name: values[0] for name, values in parse_qs(where.query).items()}
            value = self._answer(where.path.strip("/").split("/"), query)
            body = self._bodies[target] = _response("200 OK", json.dumps(value).encode())
        if self.fault == "hang":
            self.held.append((connection, body))
        else:
            connection.write(body)

    def become(self, fault: str) -> None:
        """From now on; who was held is answered when it no longer hangs."""
        self.fault = fault
        if fault != "hang":
            for connection, body in self.held:
                connection.write(body)
            self.held.clear()


def _response(status: str, body: bytes) -> bytes:
    fields = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
    return f"HTTP/1.1 {status}\r\n{fields}\r\n\r\n".encode() + body


class Connection(asyncio.Protocol):
    """Reads requests without bodies and has each answered."""

    def __init__(self, answer: Callable[[str, asyncio.Transport], None]) -> None:
        self._answer = answer
        self._left = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._left += data
        while (end := self._left.find(b"\r\n\r\n")) >= 0:
            line = self._left[: self._left.index(b"\r\n")].decode("ascii")
            self._left = self._left[end + 4 :]
            self._answer(line.split(" ")[1], self._transport)


class Control:
    """The control port."""

    def __init__(self, services: dict[str, Service]) -> None:
        self._services = services

    def answer(self, target: str, connection: asyncio.Transport) -> None:
        """Change a service, or tell when each was asked."""
        log: dict[str, list[float]] = {}
        if target == "/log":
            log = {name: service.asked for name, service in self._services.items()}
        else:
            _, name, fault = target.split("/")
            self._services[name].become(FAULTS[FAULTS.index(fault)])
        connection.write(_response("200 OK", json.dumps(log).encode()))


async def _serve() -> None:
    services = {name: Service(name) for name in SERVICES}
    answers = {name: service.answer for name, service in services.items()}
    answers["control"] = Control(services).answer
    loop = asyncio.get_running_loop()
    ports: dict[str, int] = {}
    for name, answer in answers.items():
        server = await loop.create_server(lambda a=answer: Connection(a), "127.0.0.1", 0)
        ports[name] = server.sockets[0].getsockname()[1]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await loop.create_future()


if __name__ == "__main__":
    uvloop.run(_serve())
