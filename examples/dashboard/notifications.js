/** Messages, and marking one as read. */

import { element, find, onUse, setAttribute, setText, setUsable, showEach } from "./dom.js";
import { MARK_READ } from "./documents.js";
import { NoAnswer } from "./graphql.js";
import { whole } from "./sections.js";
import { day } from "./times.js";
import { why } from "./wording.js";

const SECONDS = 20;

/** @typedef {import("./documents.js").Notification} Notification */

export class Notifications {
  /** @type {Set<string>} */
  #underWay = new Set();
  /** @type {Map<string, string>} */
  #failed = new Map();

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
    /** @type {Notification[]} */
    this.shown = [];
  }

  /**
   * @param {import("./sections.js").Seen} seen
   * @returns {import("./verdicts.js").Named[]}
   */
  show(seen) {
    this.shown = seen.data?.dashboard.notifications ?? [];
    this.#render();
    const path = ["dashboard", "notifications"];
    const verdict = whole(seen, "notifications", path, this.shown[0]?.freshness);
    return [{ name: "Notifications", verdict }];
  }

  #render() {
    showEach(find(this.section, ".rows", HTMLElement), this.shown, {
      key: ({ id }) => id,
      create: (message) => this.#row(message),
      update: (row, { id, message, read, createdAt }) => {
        setAttribute(row, "data-read", String(read));
        setText(find(row, ".message", HTMLElement), message);
        setText(find(row, ".fine", HTMLElement), `${day(createdAt)}${read ? " · read" : ""}`);
        const button = find(row, "button", HTMLButtonElement);
        button.hidden = read;
        setUsable(button, !this.#underWay.has(id));
        setText(find(row, ".failure", HTMLElement), this.#failed.get(id) ?? "");
      },
    });
  }

  /** @param {Notification} message */
  #row({ id, message }) {
    const button = element("button", { type: "button", class: "quiet" }, "Mark as read");
    button.append(element("span", { class: "unseen" }, `: ${message}`));
    const row = element(
      "li",
      { class: "notification", tabindex: "-1" },
      element("p", { class: "message" }),
      element("p", { class: "fine" }),
      button,
      element("p", { class: "failure" }),
    );
    onUse(button, () => void this.#mark(id, row));
    return row;
  }

  /**
   * @param {string} id
   * @param {HTMLElement} row takes the focus of the button that goes
   */
  async #mark(id, row) {
    this.#underWay.add(id);
    this.#failed.delete(id);
    this.#render();
    const failure = await this.#failure(id);
    this.#underWay.delete(id);
    if (failure === null) {
      if (row.contains(document.activeElement)) row.focus();
      this.shown = this.shown.map((each) => (each.id === id ? { ...each, read: true } : each));
      this.say("Marked as read.");
    } else {
      this.#failed.set(id, failure);
      this.say(failure);
    }
    this.#render();
    this.changed();
  }

  /**
   * @param {string} id
   * @returns {Promise<string | null>} why it is not known to be read
   */
  async #failure(id) {
    try {
      /** @type {import("./graphql.js").Answer<import("./documents.js").MessageReading>} */
      const { data, errors } = await this.ask(MARK_READ, { id }, SECONDS);
      if (data !== null) return null;
      return `Not marked. ${why(errors[0]?.extensions?.code ?? null, "notifications")}`;
    } catch (failure) {
      if (failure instanceof NoAnswer) return `Not marked. ${failure.message}`;
      throw failure;
    }
  }
}
