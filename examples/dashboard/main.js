/** Puts the page together: who asks what how often, and who is told of it. */

import { Announcer } from "./announcer.js";
import { DASHBOARD, OFFERED, SHOWN } from "./documents.js";
import { find, onUse, setAttribute, setText } from "./dom.js";
import { afterMending, heldUntil } from "./freshness.js";
import { askingWith, NoAnswer } from "./graphql.js";
import { Notifications } from "./notifications.js";
import { Ordering } from "./ordering.js";
import { Poller } from "./poller.js";
import { showOffers, showOrders, showUser } from "./sections.js";
import { ServicePanel } from "./services.js";
import { services } from "./switches.js";
import { clockWithSeconds } from "./times.js";
import { isTroubled, notes, showVerdicts } from "./verdicts.js";
import { isOfThePage } from "./wording.js";

const ASKED_EVERY_SECONDS = 2;
const REPORTED_EVERY_SECONDS = 1;
const PATIENCE_SECONDS = 10;
const SERVICES = 5;

const HINT = "Break one, and watch what the dashboard says of it.";
const HINT_WHEN_PAUSED = "The dashboard is paused; what you see here goes on.";

/**
 * @typedef {import("./sections.js").Seen} Seen
 * @typedef {import("./verdicts.js").Named} Named
 */

const configured = find(document, 'meta[name="bff-demo"]', HTMLMetaElement);
/** @type {unknown} */
const settings = JSON.parse(configured.content);
const { token } = /** @type {{token: string}} */ (settings);
const ask = askingWith(token);
const announcer = new Announcer(find(document, "#announcements", HTMLElement));
const say = announcer.say.bind(announcer);

/** @param {string} id */
const section = (id) => find(document, `#${id}`, HTMLElement);

/** @type {Seen | null} */
let seen = null;
let trouble = "";
/** @type {Map<HTMLElement, Named[]>} */
const judged = new Map();

const notifications = new Notifications(section("notifications"), ask, {
  changed: () => { everything(); },
  say,
});
const panel = new ServicePanel(section("services"), { changed: () => { unlessPaused(); }, announcer });
const dashboard = new Poller(askDashboard, {
  seconds: ASKED_EVERY_SECONDS,
  changed: () => { tick(); },
});
const reports = new Poller(askServices, { seconds: REPORTED_EVERY_SECONDS });
const ordering = new Ordering(section("ordering"), ask, {
  store: sessionStorage,
  changed: () => { everything(); },
  say,
});

/** @returns {Promise<boolean>} */
async function askDashboard() {
  const askedFor = {
    orders: SHOWN.orders,
    notifications: SHOWN.notifications,
    offered: OFFERED,
  };
  try {
    /** @type {import("./graphql.js").Answer<import("./documents.js").Dashboard>} */
    const answer = await ask(DASHBOARD, askedFor, PATIENCE_SECONDS);
    seen = { ...answer, at: new Date() };
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    trouble = failure.message;
    announcer.tell("page", trouble, { text: trouble, well: false });
    return false;
  }
  trouble = "";
  announcer.tell("page", "", { text: "The BFF answers again.", well: true });
  show(seen);
  return true;
}

/** @param {Seen} latest */
function show(latest) {
  judged.set(section("user"), showUser(section("user"), latest));
  judged.set(section("orders"), showOrders(section("orders"), latest));
  judged.set(section("notifications"), notifications.show(latest));
  const select = find(document, "#product", HTMLSelectElement);
  judged.set(section("ordering"), showOffers(select, latest, OFFERED));
  ordering.follow(latest.data?.dashboard.recentOrders ?? []);
  for (const named of [...judged.values()].flat()) {
    const { name, verdict } = named;
    const well = verdict.kind === "live" || verdict.kind === "cached";
    const text = well ? `${name}: live again.` : notes([named], latest.at).join(" ");
    announcer.tell(name, well ? "well" : `${verdict.kind} ${String(verdict.reason)}`, { text, well });
  }
}

/** @returns {Promise<boolean>} */
async function askServices() {
  try {
    const { changes } = panel;
    const report = await services();
    if (panel.changes === changes) panel.show(report);
    return true;
  } catch (failure) {
    if (!(failure instanceof NoAnswer)) throw failure;
    panel.showTrouble(failure.message);
    return false;
  }
}

function everything() {
  dashboard.now();
  reports.now();
}

/** A switch was used: while the dashboard is paused, only the services are looked at. */
function unlessPaused() {
  if (!dashboard.state.paused) dashboard.now();
  reports.now();
}

/** Nothing is asked here: what is in sight grows older, and says so. */
function tick() {
  const now = new Date();
  const { paused, nextAt } = dashboard.state;
  setText(section("asking"), asking(paused, nextAt));
  setText(section("services-hint"), paused ? HINT_WHEN_PAUSED : HINT);
  panel.render();
  const warned = trouble === "" ? "" : `${trouble} ${lastSeen()}`;
  if (seen === null) {
    showBanner(warned);
    return;
  }
  const answeredAt = seen.at;
  /** @type {"PAUSED" | "UNREACHED" | null} */
  const held = trouble === "" ? (paused ? "PAUSED" : null) : "UNREACHED";
  const aged = [...judged].map(
    ([where, named]) => /** @type {const} */ ([where, named.map((each) => ({
      ...each,
      verdict: afterMending(
        heldUntil(each.verdict, { now, answeredAt, trouble: held }),
        panel.askedAgainIn(each.verdict.service),
      ),
    }))]),
  );
  const isOutage = held === null && isOfAll(aged.flatMap(([, named]) => named));
  showBanner(isOutage ? "None of the five services answers as it should: you see what they said before." : warned);
  for (const [where, named] of aged) showVerdicts(where, named, { now, isToldAbove: isOutage });
}

/** @param {string} text nothing, when all is well */
function showBanner(text) {
  const banner = section("banner");
  setText(banner, text);
  banner.hidden = text === "";
}

/**
 * Whether every service is in trouble, and none mended.
 *
 * @param {readonly Named[]} named
 */
function isOfAll(named) {
  const troubled = named.map(({ verdict }) => verdict).filter(isTroubled);
  const services = troubled
    .filter(({ reason }) => !isOfThePage(reason) && reason !== "MENDED")
    .map(({ service }) => service);
  return new Set(services).size === SERVICES;
}

function lastSeen() {
  if (seen === null) return "There is nothing to show yet.";
  return `What you see is as of ${clockWithSeconds(seen.at)}.`;
}

/**
 * @param {boolean} paused
 * @param {number | null} nextAt
 */
function asking(paused, nextAt) {
  if (paused) return "Paused";
  if (trouble === "") return `Asks every ${String(ASKED_EVERY_SECONDS)} s`;
  const seconds = nextAt === null ? 0 : Math.ceil((nextAt - Date.now()) / 1000);
  return seconds > 0 ? `Asks again in ${String(seconds)} s` : "Asking…";
}

const pause = find(document, "#pause", HTMLButtonElement);
onUse(pause, () => {
  dashboard.paused = !dashboard.state.paused;
  setAttribute(pause, "aria-pressed", String(dashboard.state.paused));
});
onUse(find(document, "#ask-now", HTMLButtonElement), everything);
for (const retry of document.querySelectorAll(".retry")) {
  retry.addEventListener("click", everything);
}
setInterval(tick, 1000);
everything();
