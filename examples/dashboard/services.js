/** The panel of the five services: how they are, and the switches that break them. */

import { element, find, onUse, setAttribute, setText, setUsable, showEach } from "./dom.js";
import { NoAnswer } from "./graphql.js";
import { breakIt, mend, run } from "./switches.js";
import { clockWithSeconds, duration } from "./times.js";
import { cameOf } from "./wording.js";

const CALLS_SHOWN = 3;

/**
 * @typedef {import("./switches.js").Service} Service
 * @typedef {import("./switches.js").Faults} Faults
 *
 * @typedef {object} Switch
 * @property {string} label
 * @property {string} title
 * @property {(service: Service) => boolean} isOn
 * @property {(service: Service) => Promise<Service>} turn the other way
 */

/** @type {readonly Switch[]} */
const SWITCHES = [
  fault("Slow", "Waits 1.5 s before it answers", "latencySeconds", 1.5, 0),
  fault("Fail", "Answers 503 to everything", "errorRate", 1, 0),
  fault("Hang", "Takes the question, and never answers", "hang", true, false),
  fault("Garble", "Answers with what is no JSON", "garbage", true, false),
  fault("Reset", "Cuts the connection", "reset", true, false),
  {
    label: "Stop",
    title: "Closes its port: nobody is there",
    isOn: ({ running }) => !running,
    turn: ({ name, running }) => run(name, !running),
  },
];

/**
 * @template {keyof Faults} Name
 * @param {string} label
 * @param {string} title
 * @param {Name} name
 * @param {Faults[Name]} on
 * @param {Faults[Name]} off
 * @returns {Switch}
 */
function fault(label, title, name, on, off) {
  return {
    label,
    title,
    isOn: ({ faults }) => faults[name] !== off,
    turn: ({ name: service, faults }) =>
      breakIt(service, { ...faults, [name]: faults[name] === off ? on : off }),
  };
}

export class ServicePanel {
  /** @type {Service[]} */
  #services = [];
  #seenAt = new Date();

  /**
   * @param {HTMLElement} panel
   * @param {{changed: () => void, announcer: import("./announcer.js").Announcer}} told
   */
  constructor(panel, { changed, announcer }) {
    this.list = find(panel, "#service-list", HTMLElement);
    this.note = find(panel, "#services-note", HTMLElement);
    this.mendAll = find(panel, "#mend-all", HTMLButtonElement);
    this.changed = changed;
    this.announcer = announcer;
    onUse(this.mendAll, () => {
      const broken = this.#services.filter(isBroken);
      void this.#change(() => Promise.all(broken.map(({ name }) => mend(name))));
    });
  }

  /** @param {Service[]} services */
  show(services) {
    this.#services = services;
    this.#seenAt = new Date();
    this.note.hidden = true;
    this.render();
    for (const { name, breaker } of services) {
      const text = breaker === "closed" ? `${name}: breaker closed.` : `${name}: breaker ${breaker}.`;
      this.announcer.tell(`breaker of ${name}`, breaker, { text, well: breaker === "closed" });
    }
  }

  /** @param {string} why the panel is as it was before */
  showTrouble(why) {
    setText(this.note, `${why} This is how it was at ${clockWithSeconds(this.#seenAt)}.`);
    this.note.hidden = false;
  }

  /** Once more: countdowns go on between two reports. */
  render() {
    setUsable(this.mendAll, this.#services.some(isBroken));
    showEach(this.list, this.#services, {
      key: ({ name }) => name,
      create: (service) => this.#card(service),
      update: (card, service) => { this.#update(card, service); },
    });
  }

  /** @param {Service} service */
  #card({ name }) {
    const switches = element("div", {
      class: "switches",
      role: "group",
      "aria-label": `Break ${name}`,
    });
    for (const each of SWITCHES) {
      const button = element("button", { type: "button", title: each.title }, each.label);
      onUse(button, () => void this.#change(() => each.turn(this.#named(name))));
      switches.append(button);
    }
    const mending = element("button", { type: "button", class: "mend" }, "Mend");
    mending.setAttribute("aria-label", `Mend ${name}`);
    onUse(mending, () => void this.#change(() => mend(name)));
    switches.append(mending);
    return element(
      "section",
      { class: "service", "aria-labelledby": `service-${name}` },
      element(
        "div",
        { class: "service-head" },
        element("h3", { id: `service-${name}` }, name),
        element("span", { class: "breaker" }),
        element("p", { class: "doing" }),
      ),
      switches,
      callTable(name),
    );
  }

  /** @param {string} name */
  #named(name) {
    const found = this.#services.find((service) => service.name === name);
    if (found === undefined) throw new Error(`no service ${name}`);
    return found;
  }

  /** @param {() => Promise<unknown>} act */
  async #change(act) {
    try {
      await act();
      this.note.hidden = true;
    } catch (failure) {
      if (!(failure instanceof NoAnswer)) throw failure;
      setText(this.note, failure.message);
      this.note.hidden = false;
      this.announcer.say(failure.message);
    }
    this.changed();
  }

  /**
   * @param {HTMLElement} card
   * @param {Service} service
   */
  #update(card, service) {
    setAttribute(card, "data-broken", String(isBroken(service)));
    const breaker = find(card, ".breaker", HTMLElement);
    setText(breaker, `breaker ${service.breaker}`);
    setAttribute(breaker, "data-breaker", service.breaker);
    const secondsSince = (Date.now() - this.#seenAt.getTime()) / 1000;
    setText(find(card, ".doing", HTMLElement), doing(service, secondsSince));
    const buttons = card.querySelectorAll(".switches button");
    SWITCHES.forEach((each, index) => {
      const button = buttons[index];
      if (button !== undefined) setAttribute(button, "aria-pressed", String(each.isOn(service)));
    });
    setUsable(find(card, ".mend", HTMLButtonElement), isBroken(service));
    showEach(find(card, "tbody", HTMLElement), service.calls.slice(0, CALLS_SHOWN), {
      key: ({ number }) => String(number),
      create: callRow,
      update: () => undefined,
    });
  }
}

/** @param {Service} service */
function isBroken(service) {
  return SWITCHES.some((each) => each.isOn(service));
}

/**
 * @param {Service} service
 * @param {number} secondsSince it was reported
 */
function doing(service, secondsSince) {
  const stopped = service.running ? "" : "Stopped. ";
  const old = service.servingStale ? " Old values stand in for it." : "";
  return `${stopped}${health(service, secondsSince)}${old}`;
}

/**
 * @param {Service} service
 * @param {number} secondsSince
 */
function health({ breaker, closedToCallsSeconds, failingSince, lastSuccess }, secondsSince) {
  if (breaker === "half-open") return "One call is tried.";
  if (breaker === "open") {
    const left = Math.ceil((closedToCallsSeconds ?? 0) - secondsSince);
    return left > 0 ? `Not asked now; again in ${String(left)} s.` : "The next call is let through.";
  }
  if (failingSince !== null) return `Failing since ${clockWithSeconds(new Date(failingSince))}.`;
  return lastSuccess === null ? "Not asked yet." : "Answering.";
}

/** @param {string} name */
function callTable(name) {
  const heads = ["Time", "Operation", "Outcome", "Duration"];
  return element(
    "table",
    {},
    element("caption", { class: "unseen" }, `Last calls to ${name}`),
    element(
      "thead",
      { class: "unseen" },
      element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head))),
    ),
    element("tbody"),
  );
}

/** @param {import("./switches.js").Call} call */
function callRow({ endedAt, operation, attempt, outcome, durationMs }) {
  const again = attempt > 1 ? `, try ${String(attempt)}` : "";
  return element(
    "tr",
    { "data-outcome": outcome === "ok" ? "good" : "bad" },
    element("td", {}, clockWithSeconds(new Date(endedAt))),
    element("td", {}, `${operation.replaceAll("_", " ")}${again}`),
    element("td", { class: "came" }, cameOf(outcome)),
    element("td", {}, duration(durationMs)),
  );
}
