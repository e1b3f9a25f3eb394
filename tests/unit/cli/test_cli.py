"""The command line, in this process: what it prints, and how it ends."""

import json
import socket
import sys
from pathlib import Path

import jwt
import pytest

from bff.cli import main
from bff.wiring import SERVICES

SECRET = "a secret of thirty-two characters"


@pytest.fixture
def bff(monkeypatch, capsys):
    """Run `bff` with those words and settings; gives status, stdout and stderr."""

    def run(*words, **environ):
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["bff", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


def test_a_token_is_minted_for_development(bff):
    """Signed with the secret, for that user, for that long."""
    status, out, _ = bff(
        *("token", "--sub", "7", "--ttl", "60", "--scope", "bff.operator"),
        BFF_AUTH__JWT_SECRET=SECRET,
        BFF_AUTH__AUDIENCE="shop",
    )
    claims = jwt.decode(out.strip(), SECRET, algorithms=["HS256"], audience="shop")
    assert status == 0
    assert (claims["sub"], claims["scope"], claims["client_id"]) == ("7", "bff.operator", "web")
    assert claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize(
    ("words", "environ", "says"),
    [
        (["token"], {}, "BFF_AUTH__JWT_SECRET is not set"),
        (["token", "--sub", "a/b"], {"BFF_AUTH__JWT_SECRET": SECRET}, "subject"),
        (
            ["token"],
            {
                "BFF_AUTH__JWKS_URL": "http://127.0.0.1:9/keys",
                "BFF_AUTH__ISSUER": "i",
                "BFF_AUTH__AUDIENCE": "a",
            },
            "BFF_AUTH__JWKS_URL is set",
        ),
        (["token", "--client", "fridge"], {"BFF_AUTH__JWT_SECRET": SECRET}, "fridge"),
        (["serve"], {}, "BFF_AUTH__JWKS_URL or BFF_AUTH__JWT_SECRET"),
        (["serve"], {"BFF_AUTH__JWT_SECRET": SECRET}, "BFF_UPSTREAMS__NOTIFICATIONS__URL"),
        (["check"], {}, "BFF_AUTH__JWKS_URL or BFF_AUTH__JWT_SECRET"),
        (["check"], {"BFF_AUTH__JWT_SECRET": SECRET}, "BFF_UPSTREAMS__USERS__URL"),
        (["serve", "--port", "70000"], {}, "--port"),
        (["serve"], {"BFF_DEADLINE_SECOND": "1"}, "did you mean BFF_DEADLINE_SECONDS?"),
        (["serve"], {"BFF_CONFIG": "/nowhere.toml"}, "BFF_CONFIG"),
        (["demo", "--host", "0.0.0.0"], {}, "for this machine only"),  # noqa: S104 - refused
        (["explain"], {}, "give a query"),
        (["explain", "{ nope }"], {}, "1:3: Cannot query field 'nope'"),
        (["explain", "{ me { id "], {}, "Syntax Error"),
        (["explain", "/nowhere.graphql"], {}, "/nowhere.graphql: cannot be read"),
        (["explain", "{ me { id } }", "--variables", "x"], {}, "--variables: not JSON"),
        (["explain", "{ me { id } }", "--variables", "[]"], {}, "must be a JSON object"),
        (["explain", "{ me { id } }", "--operation", "Nope"], {}, "Name one operation"),
        (["explain", "{ orders(first: 101) { edges { cursor } } }"], {}, "1:3: Argument"),
        (["explain", "{ dashboard { recentOrders(limit: 0) { id } } }"], {}, "from 1 to 100"),
        (["explain", "{a" * 20_000], {}, "nested too deeply"),
        (["schema", "diff", "/nowhere.graphql"], {}, "/nowhere.graphql: cannot be read"),
        (["schema", "export", "-o", "/nowhere/x.graphql"], {}, "cannot be written"),
        (["schema", "export", "--client", "fridge"], {}, "fridge"),
        (["frobnicate"], {}, "frobnicate"),
    ],
)
def test_what_is_wrong_is_told_and_ends_with_two(bff, words, environ, says):
    """A line or a few on standard error, nothing on standard output, no traceback, no secret."""
    status, out, err = bff(*words, **environ)
    assert (status, out) == (2, "")
    assert says in err
    assert "Traceback" not in err
    assert SECRET not in err


def test_a_port_in_use_is_told(bff):
    """Before anything else is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = bff("demo", "--port", str(port), "--once")
    assert (status, err) == (
        2,
        f"cannot listen on 127.0.0.1:{port}: Address already in use\n",
    )


def test_check_says_who_answers(bff):
    """One line for each service; 1 when somebody does not."""
    urls = {f"BFF_UPSTREAMS__{name.upper()}__URL": "http://127.0.0.1:9/" for name in SERVICES}
    status, out, _ = bff("check", BFF_AUTH__JWT_SECRET=SECRET, **urls)
    assert status == 1
    assert len(out.splitlines()) == 5
    assert out.splitlines()[0].startswith("users: http://127.0.0.1:9 cannot be reached: ")
    assert "refused" in out.splitlines()[0].lower()


def test_the_graph_is_exported_as_committed(bff, tmp_path):
    """To standard output and to a file; the JSON is what introspection answers."""
    committed = Path("schema/sdl/web.graphql").read_text()
    assert bff("schema", "export") == (0, committed, "")
    target = tmp_path / "web.graphql"
    assert bff("schema", "export", "--client", "web", "-o", str(target)) == (0, "", "")
    assert target.read_text() == committed
    assert list(tmp_path.iterdir()) == [target]
    _, out, _ = bff("schema", "export", "--format", "json")
    assert json.loads(out)["data"]["__schema"]["queryType"]["name"] == "Query"


def test_a_breaking_change_ends_with_one(bff, tmp_path):
    """Worst first, each with what it means."""
    old, new = tmp_path / "old.graphql", tmp_path / "new.graphql"
    old.write_text("type Query { a: Int b: Int }")
    new.write_text("enum E { X } type Query { a: Int c(d: E): Int }")
    status, out, _ = bff("schema", "diff", str(old), str(new))
    assert status == 1
    assert out.splitlines() == [
        "breaking: Field Query.b was removed.",
        "safe: E was added.",
        "safe: Query.c was added.",
    ]
    status, out, _ = bff("schema", "diff", str(new), str(new))
    assert (status, out) == (0, "")


def test_clients_that_rely_on_null_meaning_an_error_are_told(bff, tmp_path):
    """Taking `@semanticNonNull` away breaks them; giving it, or ruling null out, does not."""
    definition = "directive @semanticNonNull(levels: [Int!]! = [0]) on FIELD_DEFINITION"
    without, marked = tmp_path / "without.graphql", tmp_path / "marked.graphql"
    without.write_text("type Query { a: [Int] b: Int c: Int d: Int @deprecated }")
    fields = "a: [Int] @semanticNonNull(levels: [0, 1]) b: Int @semanticNonNull c: Int d: Int"
    marked.write_text(f"{definition} type Query {{ {fields} }}")
    status, out, _ = bff("schema", "diff", str(without), str(marked))
    assert (status, out.splitlines()) == (
        0,
        [
            "safe: Directive @semanticNonNull was added.",
            "safe: Query.a is null only with an error (level 0).",
            "safe: Query.a is null only with an error (level 1).",
            "safe: Query.b is null only with an error (level 0).",
        ],
    )
    status, out, _ = bff("schema", "diff", str(marked), str(without))
    assert (status, out.splitlines()) == (
        1,
        [
            "breaking: Directive @semanticNonNull was removed.",
            "breaking: Query.a may be null without an error (level 0).",
            "breaking: Query.a may be null without an error (level 1).",
            "breaking: Query.b may be null without an error (level 0).",
        ],
    )
    strict = tmp_path / "strict.graphql"
    strict.write_text(f"{definition} type Query {{ a: [Int!]! b: Int! c: Int d: Int }}")
    assert bff("schema", "diff", str(marked), str(strict)) == (0, "", "")


def test_todays_graph_is_what_an_old_one_is_compared_with(bff):
    """The committed one is it."""
    assert bff("schema", "diff", "schema/sdl/web.graphql") == (0, "", "")


def test_text_that_is_no_schema_is_told(bff, tmp_path):
    """With the file's name."""
    bad = tmp_path / "bad.graphql"
    bad.write_text("type Query {")
    status, _, err = bff("schema", "diff", str(bad))
    assert (status, err.startswith(f"{bad}: no schema")) == (2, True)


def test_the_dashboard_is_two_waves_and_four_calls(bff):
    """As `examples/queries/dashboard.graphql` asks it."""
    status, out, _ = bff("explain", "examples/queries/dashboard.graphql")
    assert status == 0
    assert out.splitlines() == [
        "4 calls in 2 waves",
        "wave 1",
        "  users.by_id: 1 call (users:read)",
        "  orders.recent: 1 call (orders:read)",
        "  notifications.recent: 1 call (notifications:read)",
        "wave 2",
        "  products.by_ids: 1 call for every 100 ids (products:read)",
    ]


def test_the_pipeline_prints_itself(bff):
    """One line for each service, with its numbers."""
    status, out, _ = bff("explain", "--pipeline", BFF_UPSTREAMS__USERS__RETRIES="1")
    assert status == 0
    users, _, products, payments, _ = out.splitlines()
    assert users.startswith("users: Journaling → ReadYourWrites → FreshCache(0 s)")
    assert "Retry(1 of idempotent calls" in users
    assert "FreshCache(5 s)" in products
    assert "StaleFallback(600 s)" in products
    assert "StaleFallback(60 s)" in payments


def test_the_plan_of_an_operation_is_python(bff):
    """That of a graph's own words; what graphql-core executes has none, and says why."""
    status, out, _ = bff("explain", "--plan-source", "{ me { name } }")
    assert status == 0
    compile(out, "plan", "exec")
    assert "# name: String!" in out
    for query, problem in (
        ("{ nothing }", "Cannot query field"),
        ("query A { me { id } } query B { me { id } }", "several operations"),
        ("query($a: Boolean!) { me @skip(if: $a) { id } }", "$a"),
    ):
        status, _, err = bff("explain", "--plan-source", query)
        assert (status, problem in err) == (2, True)


def test_help_names_every_command(bff):
    """On standard output when it is asked for."""
    status, out, _ = bff("--help")
    assert status == 0
    for command in ("demo", "serve", "schema", "token", "check", "explain"):
        assert command in out


def test_the_version(bff):
    """Of the installed package."""
    status, out, _ = bff("--version")
    assert (status, out) == (0, "bff 0.1.0\n")
