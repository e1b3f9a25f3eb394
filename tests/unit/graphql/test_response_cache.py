"""Who is given what was kept, and who never."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from bff.app import Serving
from bff.graphql.response_cache import MAX_ITEM_BYTES
from datasources.sourced import Origin
from tests.unit.graphql.kiosk import GRAPHQL, JSON, stand
from tests.virtual_time import run

PAPER = "{ paper { headline } }"
DIARY = "{ diary { text } }"
WRITE = 'mutation { write(text: "today") }'


def story(**kiosk):
    """In virtual time, at a kiosk of its own."""

    def told(tell):
        def test(self):
            async def whole():
                async with stand(**kiosk) as at:
                    await tell(self, at)

            run(whole())

        test.__doc__ = tell.__doc__
        return test

    return told


def kept_for(response):
    return response.headers["cache-control"]


class TestKeeping:
    """For how long."""

    @story()
    async def test_what_may_be_kept_is_asked_once(self, at):
        """Until the time is over that its types give; each answer says what is left of it."""
        first = await at.post(PAPER)
        await asyncio.sleep(3.5)
        second = await at.post(PAPER)
        assert first.content == second.content == b'{"data":{"paper":{"headline":"Rain"}}}'
        assert (kept_for(first), kept_for(second)) == ("public, max-age=10", "public, max-age=6")
        assert second.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
        assert second.headers["vary"] == "Accept, Authorization"
        assert "age" not in second.headers
        assert at.asked == ["paper 1"]
        await asyncio.sleep(6.5)
        await at.post(PAPER)
        assert at.asked == ["paper 1"]

    @pytest.mark.parametrize(
        ("query", "header"),
        [
            ("{ paper { weather } }", "public, max-age=2"),
            ("{ paper { headline price { cents } } }", "public, max-age=10"),
            ("{ paper { headline copiesLeft } }", "private, no-cache"),
            ("{ paper { headline } diary { text } }", "private, max-age=10"),
            ("{ __typename }", "private, no-cache"),
            ("{ paper { headline } __schema { description } }", "private, no-cache"),
            (WRITE, "no-store"),
        ],
    )
    def test_the_least_of_the_parts_counts(self, query, header):
        """For how long, and for whom; also for those who keep answers on the way."""

        async def told():
            async with stand() as at:
                assert kept_for(await at.post(query)) == header

        run(told())

    @story(origin=Origin.CACHE, old=7.0)
    async def test_time_counts_from_when_the_oldest_part_was_said(self, at):
        """What is seven seconds old already is kept for three more, not for ten."""
        assert kept_for(await at.post(PAPER)) == "public, max-age=3"
        await asyncio.sleep(2.5)
        assert kept_for(await at.post(PAPER)) == "public, max-age=0"
        assert at.asked == ["paper 1"]
        await asyncio.sleep(0.6)
        await at.post(PAPER)
        assert at.asked == ["paper 1"]

    @story(takes=4.0)
    async def test_time_counts_from_before_it_was_asked(self, at):
        """Part of a slow answer may have been said at its very beginning."""
        assert kept_for(await at.post(PAPER)) == "public, max-age=6"

    @story(origin=Origin.CACHE, old=12.0)
    async def test_what_is_too_old_already_is_not_kept(self, at):
        """The operator may find old values fresh that the graph does not."""
        assert kept_for(await at.post(PAPER)) == "public, max-age=0"
        await at.post(PAPER)
        assert at.asked == ["paper 1"] * 2

    @story(origin=Origin.STALE, old=1.0)
    async def test_a_stale_value_is_not_kept(self, at):
        """It says so beside the answer, and nobody may keep that."""
        for _ in range(2):
            answer = await at.post(PAPER)
            assert kept_for(answer) == "no-store"
            assert answer.json()["extensions"]["degraded"][0]["served"] == "STALE"
        assert at.asked == ["paper 1"] * 2

    @story(fails=True)
    async def test_an_error_is_not_kept(self, at):
        """The next one may have more luck."""
        failed = await at.post(PAPER)
        assert (kept_for(failed), "etag" in failed.headers) == ("no-store", False)
        at.kiosk.fails = False
        assert "errors" not in (await at.post(PAPER)).json()
        assert at.asked == ["paper 1"] * 2

    @story()
    async def test_a_variable_that_does_not_fit_is_not_kept(self, at):
        """Nothing began, so nothing was asked, and the answer is for this request."""
        query = "query($p: Int!) { paper(page: $p) { headline } }"
        for accept, status in ((GRAPHQL, 400), (JSON, 200)):
            answer = await at.post(query, variables={"p": "x"}, accept=accept)
            assert (answer.status_code, kept_for(answer)) == (status, "no-store")
        assert at.asked == []

    def test_off_keeps_nothing_and_lets_nobody_else(self):
        """The answers say so too."""

        async def told():
            async with stand(Serving(response_bytes=0)) as at:
                answers = await asyncio.gather(*(at.post(PAPER) for _ in range(2)))
                assert {kept_for(answer) for answer in answers} == {"private, no-cache"}
                assert at.asked == ["paper 1"] * 2

        run(told())

    def test_what_is_used_least_goes_first(self):
        """There is room for so many bytes; an answer that was used lately stays."""

        async def told():
            async with stand(Serving(response_bytes=9 * 1_000)) as at:
                query = "query($p: Int!) { paper(page: $p) { headline } }"
                for page in (1, 2, 3, 1, 4, 5, 1, 6, 7, 1, 8, 9, 1, 10, 11, 12, 1):
                    await at.post(query, variables={"p": page})
                assert at.asked.count("paper 1") == 1
                await at.post(query, variables={"p": 2})
                assert at.asked == ["paper 2"]

        run(told())

    def test_a_huge_answer_is_not_kept(self):
        """It would push out hundreds of others."""

        async def told():
            async with stand(headline="x" * MAX_ITEM_BYTES) as at:
                for _ in range(2):
                    await at.post(PAPER)
                assert at.asked == ["paper 1"] * 2

        run(told())


class TestWhose:
    """Whose it is."""

    @story()
    async def test_nobody_sees_what_is_another_s(self, at):
        """A private answer is found by its viewer only."""
        at.kiosk.diaries = {"ann": "A", "bob": "B"}
        for _ in range(2):
            assert (await at.post(DIARY, user="ann")).json()["data"]["diary"]["text"] == "A"
            assert (await at.post(DIARY, user="bob")).json()["data"]["diary"]["text"] == "B"
        assert at.asked == ["diary of ann", "diary of bob"]

    @story(takes=1.0)
    async def test_nobody_waits_for_what_is_another_s(self, at):
        """Also not while it is being asked for."""
        at.kiosk.diaries = {"ann": "A", "bob": "B"}
        answers = await asyncio.gather(*(at.post(DIARY, user=user) for user in ("ann", "bob")))
        assert [answer.json()["data"]["diary"]["text"] for answer in answers] == ["A", "B"]

    @story()
    async def test_a_public_answer_is_for_all_alike(self, at):
        """Those who are signed in, and whose tokens allow the same."""
        for user in ("ann", "bob", "ann"):
            await at.post(PAPER, user=user)
        assert at.asked == ["paper 1"]

    @story()
    async def test_a_public_answer_is_not_for_whom_a_permission_refuses(self, at):
        """An editor has put it there; for others it is not, whoever they are."""
        shown = await at.post("{ draft }", user="ann+editor")
        assert (shown.json()["data"], kept_for(shown)) == (
            {"draft": "secret"},
            "public, max-age=10",
        )
        for user in ("bob", "ann", "bob+reader", "bob+editor reader"):
            answer = await at.post("{ draft }", user=user)
            seen = user == "bob+editor reader"
            assert (answer.json()["data"] is not None) == seen
        assert (await at.post("{ draft }", user="cid+editor")).json()["data"] == {"draft": "secret"}
        assert at.asked == ["draft"] * 2

    @story()
    async def test_a_private_answer_is_not_for_a_lesser_token(self, at):
        """Of the same viewer: it allows him less."""
        assert (await at.post("{ memo }", user="ann+editor")).json()["data"] == {"memo": "mine"}
        assert (await at.post("{ memo }", user="ann")).json()["data"] is None

    @story()
    async def test_nobody_has_nothing_to_himself(self, at):
        """Those without a token are many: what is private is kept for none of them."""
        for _ in range(2):
            assert kept_for(await at.post("{ greeting }", user=None)) == "private, no-cache"
        assert at.asked == ["greeting"] * 2
        for user in (None, None, "ann"):
            await at.post(PAPER, user=user)
        assert at.asked == ["paper 1"] * 2

    @story()
    async def test_a_token_is_looked_at_first(self, at):
        """Who may not ask at all is not answered with what is kept."""
        await at.post(DIARY)
        answer = await at.post(DIARY, user=None)
        assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


class TestWriting:
    """Who writes reads what he has written."""

    @story()
    async def test_a_mutation_ends_what_is_kept_for_its_viewer(self, at):
        """His own answers; nobody else's, and none that are public."""
        for user in ("ann", "bob"):
            await at.post(DIARY, user=user)
            await at.post(PAPER, user=user)
        assert at.asked == ["diary of ann", "paper 1", "diary of bob"]
        await at.post(WRITE, user="ann")
        for user in ("ann", "bob"):
            await at.post(DIARY, user=user)
            await at.post(PAPER, user=user)
        assert at.asked == ["diary of ann"]
        assert (await at.post(DIARY)).json()["data"]["diary"]["text"] == "today"

    @story(takes=2.0)
    async def test_what_was_asked_before_the_mutation_ended_is_not_kept(self, at):
        """It may have been said before; whoever asks now asks anew."""
        writing = asyncio.ensure_future(at.post(WRITE))
        await asyncio.sleep(1.0)
        reading = asyncio.ensure_future(at.post(DIARY))
        await writing
        asked_anew = await at.post(DIARY)
        assert (await reading).json()["data"]["diary"]["text"] == "empty"
        assert kept_for(await reading) == "private, no-cache"
        assert asked_anew.json()["data"]["diary"]["text"] == "today"
        assert at.asked == ["diary of ann"] * 2
        assert (await at.post(DIARY)).json() == asked_anew.json()
        assert at.asked == []

    @story()
    async def test_a_mutation_that_fails_counts_too(self, at):
        """Nobody knows what it has done."""
        await at.post(DIARY)
        await at.post('mutation { a: write(text: "x") b: write(text: null) }')
        await at.post(DIARY)
        assert at.asked == ["diary of ann"]
        assert (await at.post("mutation($t: String!) { write(text: $t) }")).json()["errors"]
        await at.post(DIARY)
        assert at.asked == ["diary of ann"]


class TestTheSameOperation:
    """Which requests ask the same."""

    PAGE = "query A($p: Int = 1, $w: Wish) { paper(page: $p, wish: $w) { headline } }"

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ({"variables": None}, {}, True),
            ({"variables": {}}, {}, True),
            ({"variables": {"w": None}}, {}, False),
            ({"variables": {"p": 1}}, {}, False),
            ({"variables": {"p": 2, "w": None}}, {"variables": {"w": None, "p": 2}}, True),
            (
                {"variables": {"w": {"size": 2, "colour": "red"}}},
                {"variables": {"w": {"colour": "red", "size": 2}}},
                True,
            ),
            ({"variables": {"w": {"size": 2}}}, {"variables": {"w": {"size": 3}}}, False),
            ({"onError": None}, {"onError": "PROPAGATE"}, True),
            ({"onError": "NULL"}, {}, False),
            ({"operationName": ""}, {"operationName": None}, True),
            ({"extensions": {"any": 1}}, {}, True),
        ],
    )
    def test_spelled_differently(self, one, other, same):
        """The order of variables says nothing; whether one is null or absent does."""

        async def told():
            async with stand() as at:
                await at.post(self.PAGE, **one)
                await at.post(self.PAGE, **other)
                assert len(at.asked) == 2 - same

        run(told())

    @story()
    async def test_two_operations_of_a_document(self, at):
        """Each has its own policy and its own answer."""
        document = f"query A {PAPER} query B {DIARY} query C {{ paper(page: 2) {{ headline }} }}"
        for _ in range(2):
            a, b, _c = [await at.post(document, operationName=name) for name in "ABC"]
            assert (list(a.json()["data"]), list(b.json()["data"])) == (["paper"], ["diary"])
            assert (kept_for(a), kept_for(b)) == ("public, max-age=10", "private, max-age=60")
        assert at.asked == ["paper 1", "diary of ann", "paper 2"]

    @story()
    async def test_get_and_post_share(self, at):
        """And both media types, which are told apart all the same."""
        await at.post(PAPER)
        got = await at.get(PAPER, variables="{}")
        json = await at.get(PAPER, accept=JSON)
        assert got.content == json.content
        assert json.headers["content-type"] == f"{JSON}; charset=utf-8"
        assert got.headers["etag"] != json.headers["etag"]
        assert at.asked == ["paper 1"]

    @story()
    async def test_a_get_that_a_page_could_have_sent_is_refused_all_the_same(self, at):
        """What is kept is not given to it either."""
        await at.get(PAPER)
        refused = await at.get(PAPER, accept="*/*")
        assert (refused.status_code, kept_for(refused)) == (403, "no-store")

    @story()
    async def test_what_is_no_request_is_none_all_the_same(self, at):
        """Also when the same bytes were one in a URL."""
        got = await at.get(PAPER)
        query = got.request.url.query
        for body in (query, b"?" + query):
            answer = await at.client.post(
                "/graphql",
                content=body,
                headers={"content-type": JSON, "accept": GRAPHQL, "authorization": "Bearer ann"},
            )
            assert answer.status_code == 400

    @story()
    async def test_variables_too_deep_to_be_written_down(self, at):
        """Whoever sends them is answered, and nothing is kept."""
        deep: object = 1
        for _ in range(400):
            deep = [deep]
        for _ in range(2):
            assert (await at.post(PAPER, variables={"d": deep})).status_code == 200
        assert at.asked == ["paper 1"] * 2

    @story()
    async def test_headers_are_checked_all_the_same(self, at):
        """A header that cannot be meant is an error, also where the answer is there."""
        await at.post(PAPER)
        for name, value in (
            ("x-request-timeout-ms", "soon"),
            ("idempotency-key", "?"),
            ("bff-explain", "all"),
        ):
            assert (await at.post(PAPER, headers={name: value})).status_code == 400
        assert (await at.post(PAPER, headers={"bff-explain": "plan"})).status_code == 403

    @story()
    async def test_what_is_explained_is_neither_kept_nor_taken_from_what_is(self, at):
        """It tells of its own making."""
        explained = {"user": "ann+bff.operator", "headers": {"bff-explain": "analyze"}}
        plain = {"user": "ann+bff.operator"}
        assert kept_for(await at.post(PAPER, **explained)) == "no-store"
        assert at.asked == ["paper 1"]
        assert "extensions" not in (await at.post(PAPER, **plain)).json()
        assert at.asked == ["paper 1"]
        assert "explain" in (await at.post(PAPER, **explained)).json()["extensions"]
        assert at.asked == ["paper 1"]


class TestValidators:
    """Whoever has the answer is not sent it again."""

    @story()
    async def test_a_get_of_what_the_client_has(self, at):
        """304 without a body, and with all that it needs to go on."""
        first = await at.get(PAPER)
        await asyncio.sleep(4.0)
        tag = first.headers["etag"]
        again = await at.get(PAPER, headers={"if-none-match": tag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert kept_for(again) == "public, max-age=6"
        assert again.headers["vary"] == "Accept, Authorization"
        assert "content-type" not in again.headers
        assert "content-length" not in again.headers

    @pytest.mark.parametrize(
        ("given", "known"),
        [
            ("{tag}", True),
            ("W/{tag}", True),
            ('"other", {tag}', True),
            ('W/"other",W/{tag} , "more"', True),
            ("*", True),
            (" * ", True),
            ('"other"', False),
            ("", False),
            ("{bare}", False),
        ],
    )
    @pytest.mark.parametrize("query", [PAPER, "{ paper { copiesLeft } }"])
    def test_if_none_match(self, query, given, known):
        """Weak comparison, lists, and any; also of what is not kept here."""

        async def told():
            async with stand() as at:
                tag = (await at.get(query)).headers["etag"]
                given_tag = given.format(tag=tag, bare=tag.strip('"'))
                answer = await at.get(query, headers={"if-none-match": given_tag})
                assert answer.status_code == (304 if known else 200)

        run(told())

    @story()
    async def test_another_body_has_another_tag(self, at):
        """Whoever has the old one is sent the new one."""
        tag = (await at.get(PAPER)).headers["etag"]
        await asyncio.sleep(10.0)
        at.kiosk.headline = "Sun"
        answer = await at.get(PAPER, headers={"if-none-match": tag})
        assert answer.json()["data"]["paper"]["headline"] == "Sun"

    @story()
    async def test_a_post_is_always_answered(self, at):
        """Only a GET can be told that nothing has changed."""
        tag = (await at.post(PAPER)).headers["etag"]
        for given in (tag, "*"):
            assert (await at.post(PAPER, headers={"if-none-match": given})).status_code == 200
        assert "etag" not in (await at.post("{ paper { copiesLeft } }")).headers

    @story(fails=True)
    async def test_an_error_is_always_told(self, at):
        """Whatever the client has."""
        answer = await at.get(PAPER, headers={"if-none-match": "*"})
        assert (answer.status_code, "etag" in answer.headers) == (200, False)


class TestTogether:
    """Who asks the same at the same time."""

    @story(takes=1.0)
    async def test_it_is_executed_once(self, at):
        """For all who may see it."""
        users = ("ann", "bob", "cid", "ann")
        answers = await asyncio.gather(*(at.post(PAPER, user=user) for user in users))
        assert len({answer.content for answer in answers}) == 1
        assert at.asked == ["paper 1"]

    @story(takes=1.0, fails=True)
    async def test_a_failure_is_nobody_else_s(self, at):
        """Each who has waited for it asks for himself."""
        answers = await asyncio.gather(*(at.post(PAPER) for _ in range(3)))
        assert {answer.json()["errors"][0]["extensions"]["code"] for answer in answers} == {
            "UPSTREAM_UNAVAILABLE"
        }
        assert at.asked == ["paper 1"] * 3

    @pytest.mark.parametrize("leaves", [0, 1, 2])
    def test_who_leaves_harms_nobody(self, leaves):
        """Whether he began it or joined."""

        async def told():
            async with stand(takes=1.0) as at:
                asking = [asyncio.ensure_future(at.post(PAPER)) for _ in range(3)]
                await asyncio.sleep(0.5)
                asking[leaves].cancel()
                answers = await asyncio.gather(*asking, return_exceptions=True)
                went = [isinstance(answer, asyncio.CancelledError) for answer in answers]
                assert went == [number == leaves for number in range(3)]
                assert (at.asked, at.kiosk.cancelled) == (["paper 1"], 0)
                await at.post(PAPER)
                assert at.asked == []

        run(told())

    @story(takes=1.0)
    async def test_when_all_have_left_it_is_stopped(self, at):
        """And whoever comes next begins anew."""
        asking = [asyncio.ensure_future(at.post(PAPER)) for _ in range(2)]
        await asyncio.sleep(0.5)
        for one in asking:
            one.cancel()
        await asyncio.wait(asking)
        assert at.kiosk.cancelled == 1
        assert (await at.post(PAPER)).status_code == 200
        assert at.asked == ["paper 1"] * 2

    @story(takes=1.0)
    async def test_who_is_due_earlier_does_not_wait_for_others(self, at):
        """He asks for himself; who is due later joins the first."""
        asking = [
            asyncio.ensure_future(at.post(PAPER, headers={"x-request-timeout-ms": str(ms)}))
            for ms in (3000, 2000, 4000)
        ]
        await asyncio.wait(asking)
        assert at.asked == ["paper 1"] * 2

    @story(takes=2.0)
    async def test_who_has_written_does_not_join_what_was_asked_before(self, at):
        """He would be told what he has just changed."""
        reading = asyncio.ensure_future(at.post(DIARY))
        await asyncio.sleep(0.5)
        at.kiosk.takes = 0.0
        await at.post(WRITE)
        now = asyncio.get_running_loop().time()
        assert (await at.post(DIARY)).json()["data"]["diary"]["text"] == "today"
        assert asyncio.get_running_loop().time() == now
        assert (await reading).json()["data"]["diary"]["text"] == "empty"
        assert (await at.post(DIARY)).json()["data"]["diary"]["text"] == "today"

    @story(takes=3.0)
    async def test_who_joins_late_is_told_nothing_too_old(self, at):
        """An answer that took longer than it may be kept is only for who has asked first."""
        query = "{ paper { weather headline } }"
        first = asyncio.ensure_future(at.post(query))
        await asyncio.sleep(1.0)
        late = asyncio.ensure_future(at.post(query))
        await asyncio.wait([first, late])
        assert at.asked == ["paper 1"] * 2
        assert kept_for(await late) == "public, max-age=0"


def test_a_hit_looks_like_a_miss():
    """What a client sees of a hit is what it sees of a miss, but for the time that is left."""

    async def told():
        async with stand() as at:
            miss, hit = [await at.post(PAPER) for _ in range(2)]
            assert isinstance(hit, httpx.Response)
            differing = {"x-request-id"}
            assert {
                name: value for name, value in miss.headers.items() if name not in differing
            } == {name: value for name, value in hit.headers.items() if name not in differing}

    run(told())
