"""The explorer in a real browser, on the real demo, under its real content security policy."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from graphql import OperationDefinitionNode, build_schema, get_variable_values, parse, validate
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from schema.clients import web

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "bff" / "static"
QUERIES = ROOT / "examples" / "queries"
DASHBOARD = (QUERIES / "dashboard.graphql").read_text()

CHROMIUM = shutil.which("chromium")
QUIET = (  # Chromium speaks to its makers unless told not to
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)
START_SECONDS = 60

ANSWER = """() => {
    const models = globalThis.__MONACO.editor.getModels();
    const text = models.find((model) => model.uri.path.endsWith("response.json")).getValue();
    return text === "" ? null : text;
}"""
"""The whole answer; the page itself only holds the lines in sight."""

WRITE = """(query) => {
    const models = globalThis.__MONACO.editor.getModels();
    models.find((model) => model.uri.path.endsWith("operation.graphql")).setValue(query);
}"""
"""Typing would have the editor close each bracket once more."""

ONE_ASKED_BEFORE_AND_TWO_NEVER = """{
    dashboard { notifications(unread: true) { id } }
    three: notifications(first: 3) { edges { cursor } }
    four: notifications(first: 4) { edges { cursor } }
}"""

SECOND_TAB_IS_STORED = """() => {
    const key = Object.keys(localStorage).find((key) => key.endsWith(":tabState"));
    return key && JSON.parse(localStorage[key]).activeTabIndex === 1;
}"""

in_a_browser = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
]


@contextmanager
def running_demo(port: int = 0) -> Iterator[Mapping[str, str]]:
    """What `bff demo` prints until it is ready, while it runs."""
    command = [str(Path(sys.executable).with_name("bff")), "demo", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        too_late = threading.Timer(START_SECONDS, process.kill)
        too_late.start()
        printed: dict[str, str] = {}
        for line in process.stdout:
            name, _, value = line.strip().partition(": ")
            printed[name] = value
            if name == "ready":
                break
        too_late.cancel()
        try:
            assert "ready" in printed, f"bff demo ended or hung after printing {printed}"
            yield printed
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def demo() -> Iterator[Mapping[str, str]]:
    with running_demo() as printed:
        yield printed


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@dataclass
class Explorer:
    """The explorer in one tab of a browser that has never seen it.

    Attributes:
        asked: The URL of every request the page made.
        complaints: What the browser had to say: errors, warnings, violations of the policy.
    """

    page: Page
    url: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self) -> None:
        self.page.goto(self.url)
        expect(self.page.locator(".graphiql-query-editor .view-line").first).to_be_visible()

    def choose(self, tab: str) -> None:
        self.page.get_by_role("tab", name=tab, exact=True).click()

    def write(self, query: str) -> None:
        self.page.evaluate(WRITE, query)

    def run(self) -> dict[str, object]:
        self.page.get_by_role("button", name="Execute query").click()
        return json.loads(self.page.wait_for_function(ANSWER).json_value())


@contextmanager
def new_explorer(browser: Browser, url: str) -> Iterator[Explorer]:
    """Whatever a test does, the page must stay on its own origin."""
    context = browser.new_context()
    context.set_default_timeout(20_000)
    explorer = Explorer(context.new_page(), url)
    explorer.page.on("request", lambda request: explorer.asked.append(request.url))
    explorer.page.on("pageerror", lambda error: explorer.complaints.append(str(error)))
    explorer.page.on(
        "console",
        lambda message: (
            explorer.complaints.append(message.text)
            if message.type in {"error", "warning"}
            else None
        ),
    )
    explorer.open()
    yield explorer
    origin = str(httpx.URL(url).join("/"))
    context.close()
    assert [url for url in explorer.asked if not url.startswith((origin, "data:"))] == []


@pytest.fixture
def explorer(browser, demo) -> Iterator[Explorer]:
    """The browser must have nothing to say."""
    with new_explorer(browser, demo["explorer"]) as explorer:
        yield explorer
    assert explorer.complaints == []


def top(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["y"]


def bottom(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["y"] + box["height"]


class TestInABrowser:
    pytestmark = in_a_browser

    def test_the_dashboard_is_answered(self, explorer, demo):
        """The run button shows what a program would get, without anything to fill in."""
        shown = explorer.run()
        answer = httpx.post(
            demo["graphql"],
            json={"query": DASHBOARD},
            headers={"Authorization": f"Bearer {demo['token']}"},
        ).json()
        assert shown == answer
        dashboard = answer["data"]["dashboard"]
        assert len(dashboard["recentOrders"]) == 5
        assert dashboard["notifications"]
        pane = explorer.page.get_by_role("region", name="Result Window")
        expect(pane).to_contain_text(dashboard["user"]["name"])
        expect(pane).to_contain_text(dashboard["recentOrders"][0]["id"])

    def test_the_page_has_a_title(self, explorer):
        """A browser with twenty tabs shows which one is the explorer."""
        assert explorer.page.title() == "bff explorer"

    @pytest.mark.parametrize(
        ("tab", "field_name"),
        [
            ("Order", "order"),
            ("Products", "products"),
            ("Notifications", "notifications"),
            ("CreateOrder", "createOrder"),
        ],
    )
    def test_each_example_is_answered(self, explorer, tab, field_name):
        """An example that gives an error, or nothing, teaches the wrong thing."""
        explorer.choose(tab)
        expect(explorer.page.locator(".graphiql-query-editor")).to_contain_text(field_name)
        answer = explorer.run()
        assert "errors" not in answer
        assert answer["data"][field_name]

    def test_the_created_order_is_one_order(self, explorer):
        """The example says that its key makes it safe to ask again."""
        explorer.choose("CreateOrder")
        first = explorer.run()
        assert first["data"]["createOrder"]["__typename"] == "OrderCreated"
        assert explorer.run() == first

    def test_the_variables_are_in_sight(self, explorer):
        """An example with `$input` shows what it is; the token needs no looking at."""
        explorer.choose("CreateOrder")
        expect(explorer.page.get_by_role("region", name="Variables")).to_contain_text("explorer-1")
        expect(explorer.page.get_by_role("region", name="Headers")).to_be_hidden()

    def test_a_full_answer_has_no_notice(self, explorer):
        """What is always there is soon overlooked."""
        assert "extensions" not in explorer.run()
        expect(explorer.page.get_by_role("status")).to_have_text("")

    def test_the_notice_counts_what_is_old_and_what_is_missing(self, browser):
        """It stands above the answer to which it belongs: another tab's has none."""
        with (
            running_demo() as demo,
            new_explorer(browser, demo["explorer"]) as explorer,
        ):
            httpx.put(f"{demo['service notifications']}/faults", json={"errorRate": 1})
            explorer.write(ONE_ASKED_BEFORE_AND_TWO_NEVER)
            explorer.run()
            notice = explorer.page.get_by_role("status")
            expect(notice).to_have_text(
                "Degraded: 1 part is old, 2 are missing. See extensions.degraded."
            )
            result = explorer.page.get_by_role("region", name="Result Window")
            assert bottom(notice) <= top(result)
            explorer.choose("Order")
            expect(notice).to_have_text("")
        assert explorer.complaints == []

    def test_a_page_that_outlives_its_demo_says_what_to_do(self, browser):
        """The next demo has another key; a reload brings its token."""
        with ExitStack() as page:
            with running_demo() as demo:
                explorer = page.enter_context(new_explorer(browser, demo["explorer"]))
                assert "errors" not in explorer.run()
            with running_demo(httpx.URL(demo["explorer"]).port):
                refused = explorer.run()
                explorer.open()
                assert "errors" not in explorer.run()
        assert [error["message"] for error in refused["errors"]] == [
            "The token is not valid. Reload the page: the demo was restarted."
        ]

    def test_the_editors_follow_the_theme_of_the_system(self, explorer):
        """Evening comes while the page is open."""
        editor = explorer.page.locator(".graphiql-query-editor .monaco-editor").first
        explorer.page.emulate_media(color_scheme="light")
        expect(editor).to_have_class(re.compile(r"\bvs\b(?!-)"))
        explorer.page.emulate_media(color_scheme="dark")
        expect(editor).to_have_class(re.compile(r"\bvs-dark\b"))

    def test_the_documentation_lists_the_query_type(self, explorer):
        """The schema was read, and a reader can walk from the root to a field."""
        explorer.page.get_by_role("button", name="Show Documentation Explorer").click()
        explorer.page.get_by_role("link", name="Query", exact=True).first.click()
        expect(explorer.page.get_by_role("link", name="dashboard", exact=True)).to_be_visible()

    def test_the_token_is_not_stored(self, explorer, demo):
        """A token on disk outlives the demo: it would be sent to the next one, and refused."""
        explorer.run()
        explorer.page.wait_for_function(
            "() => Object.keys(localStorage).some((key) => key.endsWith(':queries'))"
        )
        stored = explorer.page.evaluate("() => JSON.stringify(localStorage)")
        assert "query Dashboard" in stored
        assert demo["token"] not in stored

    def test_a_reload_keeps_the_tabs_and_the_token(self, explorer):
        """What was open is open again, once, and works at once."""
        tabs = explorer.page.locator(".graphiql-tab-button")
        before = tabs.all_inner_texts()
        explorer.choose("Order")
        explorer.page.wait_for_function(SECOND_TAB_IS_STORED)
        explorer.open()
        assert tabs.all_inner_texts() == before
        expect(explorer.page.locator(".graphiql-query-editor")).to_contain_text("query Order")
        assert explorer.run()["data"]["order"]


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.graphql")), ids=lambda path: path.stem)
def test_the_examples_fit_the_graph(path):
    """Each is valid, and so are the variables that come with it."""
    graph = build_schema(web.build_schema().as_str())
    document = parse(path.read_text())
    assert validate(graph, document) == []
    variables = path.with_suffix(".variables.json")
    given = json.loads(variables.read_text()) if variables.exists() else {}
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    coerced = get_variable_values(graph, operation.variable_definitions or (), given)
    assert not isinstance(coerced, list), coerced


def test_the_page_holds_no_script_and_one_place_for_its_configuration():
    """The policy forbids inline scripts; the server replaces exactly this element."""
    page = (STATIC / "index.html").read_text()
    assert re.findall(r"<script[^>]*>(.*?)</script>", page) == [""]
    assert page.count('<meta name="bff-explorer" content="{}">') == 1


def test_the_page_names_only_its_own_server():
    """No content network, no fonts from elsewhere."""
    page = (STATIC / "index.html").read_text()
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert addresses
    assert all(address.startswith("/static/") for address in addresses)


def test_the_built_files_are_named_after_their_content():
    """They are served as immutable; and nobody needs source maps of other people's code."""
    files = [path.name for path in (STATIC / "assets").iterdir()]
    assert files
    assert [name for name in files if not re.search(r"-[\w-]{8}\.\w+$", name)] == []
    assert [name for name in files if name.endswith(".map")] == []


def test_the_licences_of_others_are_shipped():
    """Their terms ask for it, and the bundler strips most notices."""
    text = (STATIC / "licenses.txt").read_text()
    for name in ("graphiql", "monaco-editor", "react", "graphql", "Fira Code", "Roboto", "Codicon"):
        assert re.search(rf"^{re.escape(name)}\b", text, re.MULTILINE), name
