/** Messages, and marking one as read. */

import { element, find, onUse, setAttribute, setText, setUsable, showEach } from "./dom.js";
import { MARK_READ } from "./documents.js";
import { NoAnswer, reasonOf } from "./graphql.js";
import { whole } from "./sections.js";
import { day } from "./times.js";
import { why } from "./wording.js";

const SECONDS = 20;

/** So long at least a remark stands, that it can be read (seconds). */
const READABLE_SECONDS = 6;

/** Codes of errors that say: this attempt has marked nothing. After any other, nobody knows. */
const NOT_MADE = ["CIRCUIT_OPEN", "OVERLOADED", "RATE_LIMITED", "BAD_USER_INPUT", "FORBIDDEN"];

/**
 * @typedef {import("./documents.js").Notification} Notification
 * @typedef {{text: string, doubted: boolean, at: Date}} Remark
 *   `doubted`: whether an attempt may have marked it all the same
 */

export class Notifications {
  /** @type {Set<string>} */
  #underWay = new Set();
  /** @type {Set<string>} */
  #marked = new Set();
  /** @type {Map<string, Remark>} */
  #remarks = new Map();

  /**
   * @param {HTMLElement} section
   * @param {import("./graphql.js").Ask} ask
   * @param {{changed: () => void, say: (text: string) => void}} told
   */
  constructor(section, ask, { changed, say }) {
    this.section = section;
    this.ask = ask;
    this.changed = changed;
    this.say = say;
    /** @type {readonly Notification[]} */
    this.shown = [];
  }

  /**
   * @param {import("./sections.js").Seen} seen
   * @returns {import("./verdicts.js").Named[]}
   */
  show(seen) {
    this.shown = seen.data?.dashboard.notifications ?? [];
    for (const message of this.shown) this.#learn(message);
    this.#render();
    const path = ["dashboard", "notifications"];
    const verdict = whole(seen, "notifications", path, this.shown[0]?.freshness);
    return [{ name: "Notifications", verdict }];
  }

  /**
   * What the service says of a message is worth more than a remark on an attempt before.
   *
   * @param {Notification} message
   */
  #learn({ id, read, freshness: { origin, asOf } }) {
    const remark = this.#remarks.get(id);
    if (remark === undefined) return;
    const since = (new Date(asOf).getTime() - remark.at.getTime()) / 1000;
    if (read || (origin === "LIVE" && since > READABLE_SECONDS)) this.#remarks.delete(id);
  }

  #render() {
    showEach(find(this.section, ".rows", HTMLElement), this.shown, {
      key: ({ id }) => id,
      create: (message) => this.#row(message),
      update: (row, { id, message, createdAt, read: told }) => {
        const read = told || this.#marked.has(id);
        const isUnderWay = this.#underWay.has(id);
        setAttribute(row, "data-read", String(read));
        setText(find(row, ".message", HTMLElement), message);
        setText(find(row, ".fine", HTMLElement), `${day(createdAt)}${read ? " · read" : ""}`);
        const button = find(row, "button", HTMLButtonElement);
        if (read && button === document.activeElement) row.focus();
        button.hidden = read;
        setUsable(button, !isUnderWay);
        setText(find(row, ".act", HTMLElement), isUnderWay ? "Marking…" : "Mark as read");
        setText(find(row, ".failure", HTMLElement), this.#remarks.get(id)?.text ?? "");
      },
    });
  }

  /** @param {Notification} message */
  #row({ id, message }) {
    const button = element("button", { type: "button", class: "quiet" });
    button.append(
      element("span", { class: "act" }),
      element("span", { class: "unseen" }, `: ${message}`),
    );
    const row = element(
      "li",
      { class: "notification", tabindex: "-1" },
      element("p", { class: "message" }),
      element("p", { class: "fine" }),
      button,
      element("p", { class: "failure" }),
    );
    onUse(button, () => void this.#mark(id));
    return row;
  }

  /** @param {string} id */
  async #mark(id) {
    const before = this.#remarks.get(id);
    this.#underWay.add(id);
    this.#remarks.delete(id);
    this.#render();
    const remark = await this.#attempt(id, before?.doubted ?? false);
    this.#underWay.delete(id);
    if (remark === null) this.#marked.add(id);
    else this.#remarks.set(id, remark);
    this.say(remark?.text ?? "Marked as read.");
    this.#render();
    this.changed();
  }

  /**
   * @param {string} id
   * @param {boolean} doubted whether it may be read already, by an attempt before
   * @returns {Promise<Remark | null>} why it is not known to be read
   */
  async #attempt(id, doubted) {
    try {
      /** @type {import("./graphql.js").Answer<import("./documents.js").MessageReading>} */
      const answer = await this.ask(MARK_READ, { id }, SECONDS);
      const came = answer.data?.markNotificationRead.__typename;
      if (came === "NotificationRead") return null;
      if (came !== undefined) return remarkOn("There is no such message any more.", false);
      const code = answer.errors[0]?.extensions?.code ?? "";
      return remarkOn(why(reasonOf(answer), "notifications"), doubted || !NOT_MADE.includes(code));
    } catch (failure) {
      if (failure instanceof NoAnswer) return remarkOn(failure.message, true);
      throw failure;
    }
  }
}

/**
 * @param {string} because
 * @param {boolean} doubted
 * @returns {Remark}
 */
function remarkOn(because, doubted) {
  const known = doubted ? "It may have been marked, or not." : "Not marked.";
  return { text: `${known} ${because}`, doubted, at: new Date() };
}
