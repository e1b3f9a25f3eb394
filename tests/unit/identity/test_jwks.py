"""Keys come from the issuer, seldom, and outlive its bad days."""

import asyncio
import gzip
import json

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm

from bff.identity.jwks import JwksKeys
from bff.identity.keys import KeysUnavailable
from tests.unit.identity.tokens import (
    EC_KEY,
    OTHER_RSA_KEY,
    RSA_KEY,
    Issuer,
    public_jwk,
)
from tests.virtual_time import HandClock, VirtualClock, run

URL = "https://issuer.example/keys"
DOWN = httpx.ConnectError("refused")


@pytest.fixture
def issuer():
    return Issuer(public_jwk(RSA_KEY, "k1"))


@pytest.fixture
def clock():
    return HandClock()


def keys_of(issuer, clock, algorithms=("RS256", "ES256")):
    return JwksKeys(URL, algorithms=algorithms, transport=issuer.transport, clock=clock)


async def settled():
    """Let work in the background come to its end."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_keys_are_asked_for_once(issuer, clock):
    """The first question goes to the issuer, the next ones do not."""
    keys = keys_of(issuer, clock)
    first = await keys.find("RS256", "k1")
    assert first.key_id == "k1"
    assert await keys.find("RS256", "k1") is first
    assert issuer.asked == [URL]


async def test_many_callers_share_one_fetch(issuer, clock):
    """A hundred at once, one question."""
    keys = keys_of(issuer, clock)
    found = await asyncio.gather(*(keys.find("RS256", "k1") for _ in range(100)))
    assert (len(set(found)), len(issuer.asked)) == (1, 1)


async def test_a_caller_who_leaves_ends_nothing_for_the_others(issuer, clock):
    """The fetch is nobody's own."""
    gate = asyncio.Event()
    issuer.wait = gate.wait
    keys = keys_of(issuer, clock)
    leaves, stays = (asyncio.create_task(keys.find("RS256", "k1")) for _ in range(2))
    await settled()
    leaves.cancel()
    await settled()
    gate.set()
    assert (await stays).key_id == "k1"
    assert leaves.cancelled()


async def test_old_keys_serve_while_new_ones_are_fetched(issuer, clock):
    """After ten minutes the next caller starts a fetch and does not wait for it."""
    keys = keys_of(issuer, clock)
    first = await keys.find("RS256", "k1")
    clock.time += 599.9
    assert await keys.find("RS256", "k1") is first
    await settled()
    assert len(issuer.asked) == 1
    clock.time += 0.1
    assert await keys.find("RS256", "k1") is first
    await settled()
    assert len(issuer.asked) == 2
    assert await keys.find("RS256", "k1") is not first


@pytest.mark.parametrize(
    "answer",
    [
        DOWN,
        RuntimeError("a bug in the transport"),
        httpx.Response(500),
        httpx.Response(302, headers={"Location": "https://evil.example"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"keys": {}}),
        httpx.Response(200, content=b'{"keys":[]}'.ljust(512 * 1024 + 1)),
        httpx.Response(
            200,
            stream=httpx.ByteStream(gzip.compress(b'{"keys":[]}')),
            headers={"Content-Encoding": "gzip"},
        ),
    ],
)
async def test_keys_outlive_a_failing_issuer_for_a_day(issuer, clock, answer):
    """What it said last holds, and it is asked again every 30 seconds; then nobody is let in."""
    keys = keys_of(issuer, clock)
    first = await keys.find("RS256", "k1")
    issuer.answer = answer
    for asked, later in [(2, 600), (2, 29), (3, 1), (4, 30), (5, 86_400 - 661)]:
        clock.time += later
        assert await keys.find("RS256", "k1") is first
        await settled()
        assert issuer.asked == [URL] * asked
    clock.time += 1
    with pytest.raises(KeysUnavailable):
        await keys.find("RS256", "k1")


async def test_half_a_mebibyte_of_keys_is_read(issuer, clock):
    """As much as that, and no more (the byte beyond is among the failures above)."""
    body = json.dumps({"keys": issuer.members}).encode()
    issuer.answer = httpx.Response(200, content=body.ljust(512 * 1024))
    assert await keys_of(issuer, clock).find("RS256", "k1")


async def test_without_any_keys_the_issuer_is_asked_once_a_second(issuer, clock):
    """Nobody can be let in, so it is worth asking often; but not for every caller."""
    issuer.answer = DOWN
    keys = keys_of(issuer, clock)
    for asked, later in [(1, 0), (1, 0.9), (2, 0.1)]:
        clock.time += later
        with pytest.raises(KeysUnavailable):
            await keys.find("RS256", "k1")
        assert len(issuer.asked) == asked
    issuer.answer = None
    clock.time += 1
    assert await keys.find("RS256", "k1")


async def test_an_unknown_key_is_looked_for_every_30_seconds_at_most(issuer, clock):
    """A new key is found when it first signs; made-up names cost the issuer nothing."""
    keys = keys_of(issuer, clock)
    assert await keys.find("RS256", "made up") is None
    clock.time += 29.9
    issuer.members.append(public_jwk(OTHER_RSA_KEY, "k2"))
    assert await keys.find("RS256", "k2") is None
    assert len(issuer.asked) == 1
    clock.time += 0.1
    assert (await keys.find("RS256", "k2")).key_id == "k2"
    assert [await keys.find("RS256", f"made up {number}") for number in range(50)] == [None] * 50
    assert len(issuer.asked) == 2


async def test_a_withdrawn_key_is_gone(issuer, clock):
    """An empty set is an answer, not a failure."""
    keys = keys_of(issuer, clock)
    assert await keys.find("RS256", "k1")
    issuer.members.clear()
    clock.time += 600
    await keys.find("RS256", "k1")
    await settled()
    assert await keys.find("RS256", "k1") is None


def test_an_issuer_that_hangs_is_given_three_seconds():
    """No caller waits longer, and the next one is not told to wait again at once."""

    async def story():
        issuer = Issuer()
        issuer.wait = asyncio.Event().wait
        clock = VirtualClock()
        keys = keys_of(issuer, clock)
        started = clock.monotonic()
        with pytest.raises(KeysUnavailable):
            await keys.find("RS256", "k1")
        return clock.monotonic() - started

    assert run(story()) == pytest.approx(3.0)


def test_closing_ends_a_fetch_and_the_transport():
    """Nothing is left over; `run` would complain of the task."""

    class Transport(httpx.AsyncBaseTransport):
        closed = False

        async def handle_async_request(self, request):
            await asyncio.Event().wait()

        async def aclose(self):
            self.closed = True

    async def story():
        transport = Transport()
        keys = JwksKeys(URL, algorithms=["RS256"], transport=transport, clock=VirtualClock())
        waiting = asyncio.create_task(keys.find("RS256", "k1"))
        await settled()
        await keys.aclose()
        with pytest.raises(KeysUnavailable):
            await waiting
        return transport.closed

    assert run(story())


PRIVATE = RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True)
P384_KEY = ec.generate_private_key(ec.SECP384R1())
SHORT_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is the point


@pytest.mark.parametrize(
    "member",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "k1"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "k1", "alg": "RS256"},
        {**PRIVATE, "kid": "k1", "key_ops": ["verify"]},
        public_jwk(RSA_KEY, use="enc"),
        public_jwk(RSA_KEY, alg="RS512"),
        public_jwk(RSA_KEY, alg="PS256"),
        public_jwk(RSA_KEY, key_ops=["encrypt"]),
        public_jwk(RSA_KEY, key_ops="verify"),
        public_jwk(RSA_KEY, kid=1),
        public_jwk(RSA_KEY, kty=["RSA"]),
        public_jwk(RSA_KEY, n="!"),
        public_jwk(RSA_KEY, n=1),
        public_jwk(RSA_KEY, n=None),
        public_jwk(SHORT_KEY),
        public_jwk(EC_KEY),
        "k1",
        None,
    ],
)
async def test_keys_that_do_not_fit_are_passed_over(issuer, clock, member):
    """And the good one beside them is found."""
    issuer.members = [member, public_jwk(RSA_KEY, "k2")]
    keys = keys_of(issuer, clock)
    assert await keys.find("RS256", "k1") is None
    assert await keys.find("RS256", "k2")


@pytest.mark.parametrize(
    "member",
    [
        public_jwk(P384_KEY),
        public_jwk(EC_KEY, crv="P-384"),
        public_jwk(EC_KEY, crv=None),
        public_jwk(EC_KEY, x="AAAA"),
    ],
)
async def test_es256_takes_a_point_on_p256(issuer, clock, member):
    """Another curve, another name for it, none, or no point at all."""
    issuer.members = [member]
    assert await keys_of(issuer, clock).find("ES256", "k1") is None


async def test_a_token_that_names_no_key_gets_the_only_one(issuer, clock):
    """One RSA key and one EC key: no choice for either; with two RSA keys there is one."""
    issuer.members = [public_jwk(RSA_KEY, kid=None), public_jwk(EC_KEY, "e1")]
    keys = keys_of(issuer, clock)
    assert await keys.find("RS256", None)
    assert (await keys.find("ES256", None)).key_id == "e1"
    for _ in range(2):
        issuer.members.append(public_jwk(OTHER_RSA_KEY, "k2"))
        assert await keys_of(issuer, clock).find("RS256", None) is None


async def test_only_wanted_algorithms_get_keys(issuer, clock):
    """The operator accepts ES256; the issuer's RSA key is of no use."""
    keys = keys_of(issuer, clock, algorithms=["ES256"])
    assert await keys.find("RS256", "k1") is None
