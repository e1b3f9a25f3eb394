"""The demo's page in a real browser: what a person sees while services break and heal."""

import re
import signal
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from tests.e2e.chromium import CHROMIUM, QUIET, in_a_browser
from tests.e2e.processes import bff

pytestmark = in_a_browser

NAMES = ("users", "orders", "products", "payments", "notifications")
SOON = 7_000
"""Milliseconds: the query's deadline, and the pause before the next question."""
RECOVERED = 20_000
"""Milliseconds: as long as the breaker stays open at most, and what `SOON` says."""

DASHBOARD = "query Dashboard"

TEXTS_TOO_PALE = """() => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => {
        const part = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * part(r / 255) + 0.7152 * part(g / 255) + 0.0722 * part(b / 255);
    };
    const behind = (element) => {
        for (let each = element; each; each = each.parentElement) {
            const color = rgba(getComputedStyle(each).backgroundColor);
            if (color[3] === 255) return color;
        }
        return [255, 255, 255, 255];
    };
    const pale = [];
    for (const element of document.querySelectorAll("body *")) {
        const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        if (!own || element.closest(".unseen, noscript, [hidden], option")) continue;
        const [one, other] = [light(rgba(getComputedStyle(element).color)), light(behind(element))];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        if (ratio < 4.5) pale.push(`${element.outerHTML}: ${ratio.toFixed(2)}`);
    }
    return pale;
}"""
"""WCAG 2.2, 1.4.3: every text has a contrast of at least 4.5 to 1."""


@dataclass
class Visit:
    """The page in one tab of a browser that has never seen it.

    Attributes:
        lines: What the demo printed, by name.
        asked: Every request of the page.
        complaints: What the browser had to say: errors, warnings, violations of the policy.
    """

    demo: object
    page: object
    lines: dict
    asked: list = field(default_factory=list)
    complaints: list = field(default_factory=list)

    def open(self):
        self.page.goto(self.lines["page"])
        expect(self.marks("user")).to_have_text("Live", timeout=SOON)

    def remember(self, request):
        self.asked.append(request)

    def marks(self, section):
        return self.page.locator(f"#{section} .verdict")

    def mark(self, section, name):
        return self.marks(section).filter(has_text=name)

    def note(self, section):
        return self.page.locator(f"#{section} > .note")

    def service(self, name):
        return self.page.get_by_role("region", name=name, exact=True)

    def switch(self, name, label):
        group = self.page.get_by_role("group", name=f"Break {name}")
        return group.get_by_role("button", name=label, exact=label != "Mend")

    def faults(self, name):
        return httpx.get(f"{self.lines[f'service {name}']}/faults", trust_env=False).json()

    def questions(self):
        return [each for each in self.asked if DASHBOARD in (each.post_data or "")]


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@contextmanager
def running():
    """A demo, and what it printed by name."""
    with bff("demo", "--port", "0") as demo:
        demo.until("ready")
        yield demo, dict(line.split(": ", 1) for line in demo.lines if ": " in line)


@contextmanager
def visiting(browser, demo, lines, **how):
    context = browser.new_context(**how)
    visit = Visit(demo, context.new_page(), lines)
    visit.page.on("request", visit.remember)
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    visit.page.on(
        "console",
        lambda said: (
            visit.complaints.append(said.text) if said.type in {"error", "warning"} else None
        ),
    )
    yield visit
    context.close()


@contextmanager
def without_complaints(browser, demo, lines):
    """Whatever a test does, the page stays on its own origin and gives no reason to complain."""
    with visiting(browser, demo, lines) as visit:
        visit.open()
        yield visit
        assert all(each.url.startswith(lines["page"]) for each in visit.asked)
        assert visit.complaints == []


@pytest.fixture
def visit(browser):
    with running() as (demo, lines), without_complaints(browser, demo, lines) as visit:
        yield visit


@pytest.fixture(scope="module")
def kept_running():
    with running() as started:
        yield started


@pytest.fixture
def calm(browser, kept_running):
    """A visit to a demo that others visit too: nothing is broken there."""
    with without_complaints(browser, *kept_running) as visit:
        yield visit


def test_an_outage_as_it_is_seen(visit):
    """Live, old and marked within a deadline, not asked for any more, and live again."""
    expect(visit.mark("orders", "Orders:")).to_have_text("Orders: live")
    shown = visit.page.locator("#orders .items").all_inner_texts()
    visit.switch("orders", "Fail").click()
    expect(visit.mark("orders", "Orders:")).to_have_text(
        re.compile(r"Orders: as of \d\d:\d\d"), timeout=SOON
    )
    expect(visit.note("orders")).to_contain_text("The orders service")
    assert visit.page.locator("#orders .items").all_inner_texts() == shown
    expect(visit.service("orders")).to_contain_text("breaker open", timeout=RECOVERED)
    expect(visit.service("orders")).to_contain_text(re.compile(r"Not asked now; again in \d+ s"))
    expect(visit.service("orders")).to_contain_text("Old values stand in for it.")
    expect(visit.note("orders")).to_contain_text(
        "The orders service keeps failing and is not asked for now.", timeout=SOON
    )
    for section in ("user", "notifications"):
        expect(visit.marks(section)).to_have_text("Live")
    visit.switch("orders", "Mend").click()
    expect(visit.note("orders")).to_contain_text("is mended, and asked again")
    expect(visit.service("orders")).to_contain_text("Mended.")
    expect(visit.mark("orders", "Orders:")).to_have_text("Orders: live", timeout=RECOVERED)
    expect(visit.note("orders")).to_have_text("")
    expect(visit.service("orders")).to_contain_text("breaker closed")


@pytest.mark.parametrize(
    ("label", "fault", "words"),
    [
        ("Slow", {"latencySeconds": 0.6}, "A newer answer was asked for, and has not come yet."),
        ("Fail", {"errorRate": 1.0}, "The notifications service is failing."),
        ("Hang", {"hang": True}, "A newer answer was asked for, and has not come yet."),
        ("Garble", {"garbage": True}, "gives answers that make no sense."),
        ("Reset", {"reset": True}, "The notifications service cannot be reached."),
    ],
)
def test_a_switch_does_what_it_says(visit, label, fault, words):
    """The service is told so, the dashboard says why, and switching back mends it."""
    well = visit.faults("notifications")
    switch = visit.switch("notifications", label)
    expect(switch).to_have_attribute("aria-pressed", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    assert visit.faults("notifications") == well | fault
    expect(visit.note("notifications")).to_contain_text(words, timeout=RECOVERED)
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    assert visit.faults("notifications") == well
    expect(visit.marks("notifications")).to_have_text("Live", timeout=RECOVERED)


def test_a_stopped_service_is_not_there(visit):
    """Its port refuses; started, it answers at the same one."""
    url = f"{visit.lines['service users']}/livez"
    visit.switch("users", "Stop").click()
    expect(visit.service("users")).to_contain_text("Stopped.")
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)
    expect(visit.note("user")).to_contain_text("cannot be reached", timeout=SOON)
    visit.switch("users", "Stop").click()
    expect(visit.marks("user")).to_have_text("Live", timeout=RECOVERED)
    assert httpx.get(url, trust_env=False).is_success


def test_mend_all_mends_all(visit):
    """Faults, and stopped services too; it cannot be used while nothing is broken."""
    mend_all = visit.page.get_by_role("button", name="Mend all")
    expect(mend_all).to_have_attribute("aria-disabled", "true")
    visit.switch("users", "Stop").click()
    visit.switch("payments", "Garble").click()
    expect(visit.switch("payments", "Garble")).to_have_attribute("aria-pressed", "true")
    mend_all.click()
    for name, label in (("users", "Stop"), ("payments", "Garble")):
        expect(visit.switch(name, label)).to_have_attribute("aria-pressed", "false")
    expect(mend_all).to_have_attribute("aria-disabled", "true")


def test_the_last_calls_are_listed(visit):
    """When, what, how it ended and how long it took, newest first."""
    visit.switch("users", "Fail").click()
    row = visit.service("users").get_by_role("row").filter(has_text="failed").first
    expect(row).to_have_text(
        re.compile(r"^\d\d:\d\d:\d\dby id(, try \d)?failed\d+(\.\d+)? ms$"), timeout=SOON
    )


def test_an_order_is_placed(calm):
    """It is told in words, and shown with the others, with its notification."""
    calm.page.get_by_label("Product", exact=True).select_option(label="Oak Tray, €32.37")
    calm.page.get_by_label("Quantity", exact=True).fill("2")
    calm.page.get_by_role("button", name="Place the order").click()
    outcome = calm.page.locator("#outcome-text")
    expect(outcome).to_have_text(re.compile(r"^Ordered and paid: \S+, €64\.74\.$"))
    number = outcome.inner_text().split(" ")[3].rstrip(",")
    first = calm.page.locator("#orders li").first
    expect(first).to_contain_text(number, timeout=SOON)
    expect(first).to_contain_text("2\u00a0\u00d7\u00a0Oak Tray")
    expect(first).to_contain_text("paid · card")
    message = f"Your order {number} has been placed"
    expect(calm.page.locator("#notifications li").first).to_contain_text(message, timeout=SOON)


def test_a_refused_order_says_why(calm):
    """What is sold out is not ordered; the form is free for another."""
    calm.page.get_by_label("Product", exact=True).select_option("p-3")
    calm.page.get_by_role("button", name="Place the order").click()
    expect(calm.page.locator("#outcome-text")).to_have_text(
        "Nothing was ordered. There is not enough of a product of this order."
    )
    expect(calm.page.get_by_label("Product", exact=True)).to_be_enabled()


def test_a_payment_that_waits_is_told(visit):
    """Payments are down: the order is placed, and charged when they are back; then that is told."""
    visit.switch("payments", "Stop").click()
    expect(visit.service("payments")).to_contain_text("Stopped.")
    visit.page.get_by_role("button", name="Place the order").click()
    outcome = visit.page.locator("#outcome-text")
    expect(outcome).to_contain_text("will be charged later, once.")
    visit.switch("payments", "Mend").click()
    expect(outcome).to_contain_text("Ordered and paid: o-", timeout=2 * RECOVERED)


def test_an_order_in_doubt_is_asked_for_again_under_its_key(visit):
    """Also after a reload; once the service is mended there is one order, and its key is spent."""
    before = visit.page.locator("#orders li").all_inner_texts()
    visit.switch("orders", "Reset").click()
    expect(visit.switch("orders", "Reset")).to_have_attribute("aria-pressed", "true")
    visit.page.get_by_role("button", name="Place the order").click()
    again = visit.page.get_by_role("button", name="Ask again")
    expect(again).to_be_visible(timeout=RECOVERED)
    expect(visit.page.locator("#outcome-text")).to_contain_text("is not placed twice")
    expect(visit.page.get_by_label("Product", exact=True)).to_be_disabled()
    visit.switch("orders", "Mend").click()
    expect(visit.switch("orders", "Reset")).to_have_attribute("aria-pressed", "false")
    visit.page.reload()
    expect(visit.mark("orders", "Orders:")).to_have_text("Orders: live", timeout=RECOVERED)
    again.click()
    expect(visit.page.locator("#outcome-text")).to_contain_text("Ordered and paid", timeout=SOON)
    expect(visit.page.locator("#orders li").nth(1)).to_have_text(
        re.compile(before[0].split("\n")[0].replace("\u00a0", ".")), timeout=SOON
    )
    placing = [each for each in visit.asked if "PlaceOrder" in (each.post_data or "")]
    keys = {each.post_data_json["variables"]["input"]["idempotencyKey"] for each in placing}
    assert len(placing) == 2
    assert len(keys) == 1
    assert visit.page.evaluate("() => sessionStorage.length") == 0


KEPT = "() => JSON.parse(sessionStorage.getItem('bff-demo-order'))?.key"
"""The key of the order whose fate is not known."""

IN_DOUBT = {"data": {"createOrder": {"__typename": "OutcomeUnknown", "message": "Not confirmed."}}}
CONFLICT = {"__typename": "OrderRejected", "reason": "IDEMPOTENCY_CONFLICT", "message": "Used."}
DECLINED = {"__typename": "OrderRejected", "reason": "PAYMENT_DECLINED", "message": "Declined."}


def answering_with(visit, mutation, answer):
    """From now on the graph says that to every such mutation; all else is asked for truly."""

    def reply(route):
        if mutation in (route.request.post_data or ""):
            route.fulfill(json=answer)
        else:
            route.continue_()

    visit.page.unroute_all()
    visit.page.route("**/graphql", reply)


def in_doubt(visit, product, quantity):
    """Place an order, and learn nothing of it; the page, and what it says."""
    answering_with(visit, "PlaceOrder", IN_DOUBT)
    visit.page.get_by_label("Product", exact=True).select_option(product)
    visit.page.get_by_label("Quantity", exact=True).fill(quantity)
    visit.page.get_by_role("button", name="Place the order").click()
    outcome = visit.page.locator("#outcome-text")
    expect(outcome).to_contain_text("It is unknown whether")
    return visit.page, outcome


def test_a_refusal_after_a_doubt_ends_no_doubt(calm):
    """It speaks of the last attempt only: the key stays until an answer speaks of the order."""
    page, outcome = in_doubt(calm, "p-2", "1")
    key = page.evaluate(KEPT)
    again = page.get_by_role("button", name="Ask again")
    refusals = [
        {"data": None, "errors": [{"message": "No.", "extensions": {"code": code}}]}
        for code in ("CIRCUIT_OPEN", "OVERLOADED", "DEADLINE_EXCEEDED", "FORBIDDEN", "RATE_LIMITED")
    ]
    for answer in (*refusals, {"data": {"createOrder": CONFLICT}}):
        page.evaluate("() => document.querySelector('#outcome-text').textContent = ''")
        answering_with(calm, "PlaceOrder", answer)
        again.click()
        expect(outcome).to_contain_text("still unknown whether")
        expect(outcome).not_to_contain_text("Nothing was ordered")
        assert page.evaluate(KEPT) == key
        expect(again).to_be_visible()
    answering_with(calm, "PlaceOrder", {"data": {"createOrder": DECLINED}})
    again.click()
    expect(outcome).to_have_text("Nothing was ordered. Declined.")
    assert page.evaluate(KEPT) is None
    expect(page.locator("#outcome")).to_be_focused()


def test_an_order_in_doubt_is_left_on_purpose_only(calm):
    """Its key is dropped in two steps, and it is not said that nothing was ordered."""
    page, outcome = in_doubt(calm, "p-2", "1")
    key = page.evaluate(KEPT)
    expect(page.get_by_role("button", name="Place another order")).to_have_count(0)
    page.get_by_role("button", name="Leave it…").click()
    expect(page.locator("#leaving")).to_contain_text("It may have been ordered, and paid for.")
    assert page.evaluate(KEPT) == key
    page.get_by_role("button", name="Keep it", exact=True).click()
    expect(page.get_by_role("button", name="Ask again")).to_be_visible()
    page.get_by_role("button", name="Leave it…").click()
    page.get_by_role("button", name="Leave it all the same").click()
    expect(outcome).to_contain_text("may have been ordered, or not.")
    assert page.evaluate(KEPT) is None
    expect(page.get_by_label("Product", exact=True)).to_be_focused()


def test_after_a_reload_it_is_clear_which_order_is_in_doubt(calm):
    """The form shows it, and so does the text; it cannot be changed into another."""
    page, _ = in_doubt(calm, "p-17", "7")
    name = page.locator("#product option:checked").get_attribute("data-name")
    page.reload()
    expect(calm.marks("user")).to_have_text("Live", timeout=SOON)
    product = page.get_by_label("Product", exact=True)
    expect(product).to_have_value("p-17")
    expect(product).to_be_disabled()
    expect(page.locator("#product option")).to_have_count(10)
    quantity = page.get_by_label("Quantity", exact=True)
    expect(quantity).to_have_value("7")
    expect(quantity).to_have_attribute("readonly", "")
    expect(page.locator("#outcome-text")).to_contain_text(f"7\u00a0\u00d7\u00a0{name} was ordered")


def test_an_order_that_was_placed_is_not_denied(visit):
    """Its answer was lost, and then the breaker refuses to ask: asked later, it is one order."""
    page = visit.page
    before = page.locator("#orders li").first.get_attribute("data-key")
    visit.switch("payments", "Hang").click()
    expect(visit.switch("payments", "Hang")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Place the order").click()
    expect(page.locator("#outcome-text")).to_contain_text("Ordering")
    page.wait_for_timeout(1_000)
    page.reload()
    visit.switch("payments", "Mend").click()
    visit.switch("orders", "Stop").click()
    expect(visit.service("orders")).to_contain_text("breaker open", timeout=RECOVERED)
    again = page.get_by_role("button", name="Ask again")
    again.click()
    expect(page.locator("#outcome-text")).to_contain_text(
        "This attempt was not made: The orders service keeps failing"
    )
    visit.switch("orders", "Mend").click()
    expect(visit.service("orders")).to_contain_text("breaker closed", timeout=RECOVERED)
    again.click()
    expect(page.locator("#outcome-text")).to_contain_text("Ordered", timeout=RECOVERED)
    expect(page.locator("#orders li").nth(1)).to_have_attribute("data-key", before, timeout=SOON)


def test_enter_keeps_the_focus(calm):
    """Whoever orders from the field is still there when the answer comes."""
    quantity = calm.page.get_by_label("Quantity", exact=True)
    quantity.fill("1")
    quantity.press("Enter")
    expect(calm.page.locator("#outcome-text")).to_contain_text("Ordered and paid", timeout=SOON)
    expect(quantity).to_be_focused()


def test_a_message_is_marked_as_read(visit):
    """Or it is said that nobody knows, until somebody does; the focus stays with the message."""
    rows = visit.page.locator("#notifications li")
    visit.switch("notifications", "Garble").click()
    expect(visit.switch("notifications", "Garble")).to_have_attribute("aria-pressed", "true")
    mark = rows.first.get_by_role("button", name="Mark as read")
    mark.click()
    remark = rows.first.locator(".failure")
    expect(remark).to_contain_text("It may have been marked, or not.", timeout=RECOVERED)
    expect(remark).to_contain_text("The notifications service")
    visit.switch("notifications", "Mend").click()
    expect(visit.marks("notifications")).to_have_text("Live", timeout=RECOVERED)
    expect(remark).to_have_text("", timeout=2 * SOON)
    mark.click()
    expect(rows.first).to_contain_text("· read")
    expect(rows.first).to_be_focused()


def test_a_message_that_is_read_has_no_remark(visit):
    """The write was in doubt, and now it is known: somewhere else it was marked, or so it was."""
    row = visit.page.locator("#notifications li").first
    late = {"data": None, "errors": [{"message": "Late.", "extensions": {"code": "TIMEOUT"}}]}
    answering_with(visit, "MarkRead", late)
    row.get_by_role("button", name="Mark as read").click()
    remark = row.locator(".failure")
    expect(remark).to_contain_text("It may have been marked, or not.")
    message = row.get_attribute("data-key")
    query = f'mutation {{ markNotificationRead(id: "{message}") {{ __typename }} }}'
    token = {"authorization": f"Bearer {visit.lines['token']}"}
    httpx.post(visit.lines["graphql"], json={"query": query}, headers=token, trust_env=False)
    expect(row).to_contain_text("· read", timeout=SOON)
    assert remark.text_content() == ""


WHERE_IT_STANDS = """() => {
    const parts = ["#place", "#notifications .rows", "#orders", "#services"];
    globalThis.seen = new Set();
    setInterval(() => seen.add(parts.map((each) =>
        document.querySelector(each).getBoundingClientRect().top + scrollY).join(" ")), 50);
}"""


def test_nothing_moves_when_values_grow_old(visit):
    """The room for marks and notes is always there."""
    visit.page.set_viewport_size({"width": 1280, "height": 900})
    visit.page.evaluate(WHERE_IT_STANDS)
    for name, label in (("payments", "Slow"), ("products", "Slow"), ("users", "Fail")):
        visit.switch(name, label).click()
    visit.switch("notifications", "Fail").click()
    expect(visit.mark("orders", "Payments:")).to_contain_text("as of", timeout=SOON)
    expect(visit.marks("ordering")).to_contain_text("As of", timeout=RECOVERED)
    expect(visit.marks("user")).to_contain_text("As of", timeout=SOON)
    expect(visit.marks("notifications")).to_contain_text("As of", timeout=SOON)
    visit.page.wait_for_timeout(3_000)
    assert len(visit.page.evaluate("() => [...seen]")) == 1


def test_two_switches_at_once_both_work(visit):
    """One after the other; a switch that is used twice is as it was."""
    visit.page.evaluate(
        """() => {
            const all = document.querySelectorAll("[aria-label='Break users'] button");
            const [slow, fail, hang] = all;
            for (const each of [slow, fail, hang, hang]) each.click();
        }"""
    )
    for label, pressed in (("Slow", "true"), ("Fail", "true"), ("Hang", "false")):
        expect(visit.switch("users", label)).to_have_attribute("aria-pressed", pressed)
    faults = visit.faults("users")
    assert (faults["latencySeconds"], faults["errorRate"], faults["hang"]) == (0.6, 1.0, False)


def test_an_outage_of_all_is_told_once(visit):
    """In one sentence on top, and not in each section."""
    for name in NAMES:
        visit.switch(name, "Stop").click()
    expect(visit.page.locator("#banner")).to_contain_text(
        "None of the five services answers as it should", timeout=RECOVERED
    )
    for section in ("user", "orders", "ordering", "notifications"):
        expect(visit.note(section)).to_have_text("")


def test_what_is_missing_says_so_and_is_asked_for_again(browser):
    """Payments were never asked for when they stopped: nothing stands in for them.

    Each service is blamed for its own part only.
    """
    with running() as (demo, lines), visiting(browser, demo, lines) as visit:
        httpx.post(f"{lines['page']}demo/services/payments/stop", trust_env=False)
        visit.open()
        mark = visit.mark("orders", "Payments:")
        expect(mark).to_have_text("Payments: not available", timeout=SOON)
        expect(visit.page.locator("#orders .payment").first).to_have_text("payment not available")
        expect(visit.mark("orders", "Orders:")).to_have_text("Orders: live")
        visit.switch("orders", "Fail").click()
        expect(visit.mark("orders", "Orders:")).to_contain_text("as of", timeout=SOON)
        blamed = "Payments not available. The payments service"
        expect(visit.note("orders")).to_contain_text(blamed, timeout=SOON)
        visit.switch("orders", "Mend").click()
        retry = visit.page.locator("#orders").get_by_role("button", name="Try again")
        visit.page.get_by_role("button", name="Pause").click()
        visit.switch("payments", "Mend").click()
        retry.click()
        visit.page.get_by_role("button", name="Pause").click()
        expect(mark).to_have_text("Payments: live", timeout=RECOVERED)
        expect(retry).to_be_hidden()


def test_a_paused_page_asks_nothing_and_says_how_old_it_is(calm):
    """What was live is live no longer when nobody asks."""
    calm.page.get_by_role("button", name="Pause").click()
    expect(calm.marks("user")).to_have_text(re.compile(r"As of \d\d:\d\d"))
    expect(calm.note("user")).to_contain_text("This page is paused.")
    calm.page.wait_for_timeout(500)
    asked = len(calm.questions())
    slow = calm.switch("users", "Slow")
    for pressed in ("true", "false"):
        slow.click()
        expect(slow).to_have_attribute("aria-pressed", pressed)
    expect(calm.page.locator("#services-hint")).to_contain_text("what you see here goes on")
    calm.page.wait_for_timeout(5_000)
    assert len(calm.questions()) == asked
    calm.page.get_by_role("button", name="Pause").click()
    expect(calm.marks("user")).to_have_text("Live")


def test_without_the_bff_the_page_keeps_what_it_showed(browser):
    """Marked as old at once; it asks more and more rarely."""
    with running() as (demo, lines), visiting(browser, demo, lines) as visit:
        visit.open()
        shown = visit.page.locator("#orders .items").all_inner_texts()
        demo.stop(signal.SIGTERM)
        banner = visit.page.locator("#banner")
        expect(banner).to_contain_text("The BFF cannot be reached. What you see is as of")
        expect(visit.marks("user")).to_have_text(re.compile(r"As of \d\d:\d\d"))
        expect(visit.note("user")).to_contain_text("The BFF cannot be reached.")
        expect(visit.page.locator("#asking")).to_have_text(re.compile(r"Asks again in [3-8] s"))
        expect(visit.page.locator("#services-note")).to_contain_text("The demo cannot be reached.")
        assert visit.page.locator("#orders .items").all_inner_texts() == shown


def test_what_changes_is_announced_once(visit):
    """Politely, and not at every question."""
    region = visit.page.locator("#announcements")
    expect(region).to_have_attribute("aria-live", "polite")
    expect(region).to_have_text("")
    visit.page.evaluate(
        """() => {
            const region = document.querySelector("#announcements");
            globalThis.said = [];
            new MutationObserver(() => said.push(region.textContent))
                .observe(region, {childList: true});
        }"""
    )
    visit.switch("users", "Garble").click()
    expect(region).to_contain_text("Profile as of", timeout=SOON)
    visit.page.wait_for_timeout(5_000)
    said = visit.page.evaluate("() => said")
    garbled = [each for each in said if "answers that make no sense" in each]
    assert len(garbled) == 1


def test_it_is_used_by_keyboard(visit):
    """A skip link comes first; a switch keeps the focus while the page asks again."""
    page = visit.page
    order = []
    for _ in range(6):
        page.keyboard.press("Tab")
        order.append(page.evaluate("() => document.activeElement.textContent.trim()"))
    assert order[:4] == ["Skip to the services", "Pause", "Ask now", "Explorer"]
    visit.switch("users", "Slow").focus()
    page.keyboard.press("Space")
    expect(visit.switch("users", "Slow")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(3_000)
    expect(visit.switch("users", "Slow")).to_be_focused()
    page.keyboard.press("Tab")
    expect(visit.switch("users", "Fail")).to_be_focused()


def test_everything_has_a_name_and_a_place(calm):
    """One h1, landmarks, labels; every control says what it is."""
    page = calm.page
    assert page.locator("h1").count() == 1
    assert [page.get_by_role(role).count() for role in ("main", "complementary")] == [1, 1]
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title() == "Dashboard · bff demo"
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, a, select, input")].filter((each) =>
            !each.textContent.trim() && !each.ariaLabel && !(each.labels && each.labels.length)
        ).map((each) => each.outerHTML)"""
    )
    assert nameless == []
    for control in page.get_by_role("button").all():
        assert control.evaluate("(each) => each.tabIndex") == 0
    ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(ids) == len(set(ids))


def test_every_text_can_be_read(visit):
    """In both themes, while everything is well and while it is not; nothing moves unasked."""
    both = ("light", "dark")
    for scheme in both:
        visit.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert visit.page.evaluate(TEXTS_TOO_PALE) == []
    visit.switch("orders", "Garble").click()
    expect(visit.mark("orders", "Orders:")).to_contain_text("as of", timeout=SOON)
    for scheme in both:
        visit.page.emulate_media(color_scheme=scheme)
        assert visit.page.evaluate(TEXTS_TOO_PALE) == []
    moving = visit.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((each) =>
            getComputedStyle(each).transitionDuration !== "0s").length"""
    )
    assert moving == 0


def test_it_fits_into_the_window(visit):
    """Nothing scrolls sideways, on a telephone neither."""
    visit.switch("orders", "Garble").click()
    expect(visit.mark("orders", "Orders:")).to_contain_text("as of", timeout=SOON)
    for width in (320, 640, 900, 1280):
        visit.page.set_viewport_size({"width": width, "height": 800})
        assert visit.page.evaluate("() => document.documentElement.scrollWidth") == width


def test_the_token_is_in_the_page_and_nowhere_else(calm):
    """Not in the address, nor in the browser's stores, nor in the demo's own answers."""
    token = calm.lines["token"]
    assert token in httpx.get(calm.lines["page"], trust_env=False).text
    stored = calm.page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert token not in stored
    assert token not in httpx.get(f"{calm.lines['page']}demo/services", trust_env=False).text
    assert all(token not in each.url for each in calm.asked)


def test_the_policy_lets_nothing_in(kept_running):
    """Scripts and styles from here only, none inline, no framing; and the page is never kept."""
    _, lines = kept_running
    page = httpx.get(lines["page"], trust_env=False)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    assert re.findall(r"<(?:script|style)[^>]*>(.*?)</", page.text) == [""]
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert all(each.startswith(("/dashboard/", "/graphql", "#")) for each in addresses)


def test_a_foreign_page_gets_nowhere(kept_running):
    """Neither the page with its token under another name, nor a switch from another origin."""
    _, lines = kept_running
    foreign = {"host": "evil.example", "accept": "text/html"}
    for page in (lines["page"], lines["explorer"]):
        renamed = httpx.get(page, headers=foreign, trust_env=False)
        assert renamed.status_code == 403
        assert lines["token"] not in renamed.text
    stop = f"{lines['page']}demo/services/users/stop"
    origin = {"origin": lines["service users"]}
    assert httpx.post(stop, headers=origin, trust_env=False).status_code == 403
    assert httpx.get(f"{lines['service users']}/livez", trust_env=False).is_success
