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
 * @property {(service: Service) => Promise<Service>} turn the other way than it is
 */

/** @type {readonly Switch[]} */
const SWITCHES = [
  fault("Slow", "Waits 0.6 s before it answers", "latencySeconds", 0.6, 0),
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
      breakIt(service, { [name]: faults[name] === off ? on : off }),
  };
}

export class ServicePanel {
  /** @type {Service[]} */
  #services = [];
  #seenAt = new Date();
  /** @type {Promise<void>} */
  #changing = Promise.resolve();
  #changes = 0;

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
      for (const { name } of this.#services.filter(isBroken)) this.#change(name, () => mend(name));
    });
  }

  /** Another number after each switch that was used or has worked: a report from before is late. */
  get changes() {
    return this.#changes;
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

  /**
   * @param {string} name
   * @returns {number | null} in how many seconds a service that is well is asked again; null when it
   *   is not, or is asked now
   */
  askedAgainIn(name) {
    const service = this.#services.find((each) => each.name === name);
    if (service === undefined || service.breaker === "closed" || isBroken(service)) return null;
    return secondsLeft(service, this.#secondsSince());
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
      onUse(button, () => { this.#change(name, (service) => each.turn(service)); });
      switches.append(button);
    }
    const mending = element("button", { type: "button", class: "mend" }, "Mend");
    mending.setAttribute("aria-label", `Mend ${name}`);
    onUse(mending, () => { this.#change(name, () => mend(name)); });
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

  /**
   * One after the other, each from what came of the one before.
   *
   * @param {string} name
   * @param {(service: Service) => Promise<Service>} act
   */
  #change(name, act) {
    this.#changes += 1;
    this.#changing = this.#changing.then(() => this.#do(() => act(this.#named(name))));
  }

  /** @param {() => Promise<Service>} act */
  async #do(act) {
    try {
      const changed = await act();
      this.#services = this.#services.map((each) => (each.name === changed.name ? changed : each));
      this.note.hidden = true;
      this.render();
    } catch (failure) {
      if (!(failure instanceof NoAnswer)) throw failure;
      setText(this.note, failure.message);
      this.note.hidden = false;
      this.announcer.say(failure.message);
    }
    this.#changes += 1;
    this.changed();
  }

  #secondsSince() {
    return (Date.now() - this.#seenAt.getTime()) / 1000;
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
    setText(find(card, ".doing", HTMLElement), doing(service, this.#secondsSince()));
    const buttons = card.querySelectorAll(".switches button");
    SWITCHES.forEach((each, index) => {
      const button = buttons[index];
      if (button !== undefined) setAttribute(button, "aria-pressed", String(each.isOn(service)));
    });
    const mending = find(card, ".mend", HTMLButtonElement);
    setUsable(mending, isBroken(service));
    setAttribute(mending, "title", isBroken(service) ? "Ends all faults, and starts it" : "Nothing is broken");
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
function health(service, secondsSince) {
  const { breaker, failingSince, lastSuccess } = service;
  if (breaker === "half-open") return "One call is tried.";
  if (breaker === "open") {
    const left = secondsLeft(service, secondsSince);
    const mended = isBroken(service) ? "" : "Mended. ";
    const next = left > 0 ? `Not asked now; again in ${String(left)} s.` : "The next call is let through.";
    return `${mended}${next}`;
  }
  if (failingSince !== null) return `Failing since ${clockWithSeconds(new Date(failingSince))}.`;
  return lastSuccess === null ? "Not asked yet." : "Answering.";
}

/**
 * @param {Service} service
 * @param {number} secondsSince
 */
function secondsLeft({ closedToCallsSeconds }, secondsSince) {
  return Math.max(0, Math.ceil((closedToCallsSeconds ?? 0) - secondsSince));
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
