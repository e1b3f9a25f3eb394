/** Telling those who hear the page rather than see it. */

const TOGETHER_MILLISECONDS = 400;

/** Says what changes, all that changes at about the same time in one go. */
export class Announcer {
  /** @type {string[]} */
  #waiting = [];
  /** @type {Map<string, string>} */
  #known = new Map();

  /** @param {HTMLElement} region of role status */
  constructor(region) {
    this.region = region;
  }

  /** @param {string} text */
  say(text) {
    if (this.#waiting.length === 0) setTimeout(() => { this.#speak(); }, TOGETHER_MILLISECONDS);
    this.#waiting.push(text);
  }

  /**
   * Say *text* when *state* is another than before; the first state is no news when it is *well*.
   *
   * @param {string} subject
   * @param {string} state
   * @param {{text: string, well: boolean}} news
   */
  tell(subject, state, { text, well }) {
    const before = this.#known.get(subject);
    this.#known.set(subject, state);
    if (before === state || (before === undefined && well)) return;
    this.say(text);
  }

  #speak() {
    this.region.textContent = this.#waiting.join(" ");
    this.#waiting = [];
  }
}
