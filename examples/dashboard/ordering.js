/** Placing an order, at most once, and saying what is known of it. */

import { CREATE_ORDER } from "./documents.js";
import { find, onUse, setAttribute, setText, setUsable } from "./dom.js";
import { NoAnswer } from "./graphql.js";
import { price } from "./times.js";
import { why } from "./wording.js";

const SECONDS = 20;
const KEPT_AS = "bff-demo-order";

/** Codes of errors after which nothing was placed; after any other, nobody knows. */
const NOTHING_PLACED = ["CIRCUIT_OPEN", "OVERLOADED", "BAD_USER_INPUT", "FORBIDDEN", "NOT_FOUND"];

/**
 * An order, and the key under which it is placed at most once. It is kept until its fate is known,
 * beyond a reload too: whoever asks again under another key may pay twice.
 *
 * @typedef {{key: string, productId: string, quantity: number}} Draft
 * @typedef {{settled: boolean, kind: "good" | "bad" | "doubt", text: string}} Outcome
 */

export class Ordering {
  /** @type {Draft | null} */
  #draft = null;
  #underWay = false;

  /**
   * @param {HTMLElement} section
   * @param {import("./graphql.js").Ask} ask
   * @param {{store: Storage, changed: () => void, say: (text: string) => void}} told
   */
  constructor(section, ask, { store, changed, say }) {
    this.ask = ask;
    this.store = store;
    this.changed = changed;
    this.say = say;
    this.form = find(section, "form", HTMLFormElement);
    this.product = find(section, "#product", HTMLSelectElement);
    this.quantity = find(section, "#quantity", HTMLInputElement);
    this.button = find(section, "#place", HTMLButtonElement);
    this.outcome = find(section, "#outcome", HTMLElement);
    this.again = find(section, "#ask-again", HTMLButtonElement);
    this.another = find(section, "#another", HTMLButtonElement);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#underWay && this.#draft === null) void this.#place(this.#newDraft());
    });
    onUse(this.again, () => {
      if (this.#draft !== null) void this.#place(this.#draft);
    });
    onUse(this.another, () => { this.#forget(); });
    this.#resume();
  }

  /** @returns {Draft} */
  #newDraft() {
    return {
      key: crypto.randomUUID(),
      productId: this.product.value,
      quantity: this.quantity.valueAsNumber,
    };
  }

  #resume() {
    const kept = this.store.getItem(KEPT_AS);
    if (kept === null) return;
    /** @type {unknown} */
    const draft = JSON.parse(kept);
    this.#draft = /** @type {Draft} */ (draft);
    this.#show(inDoubt("This page was left before the answer came."));
  }

  #forget() {
    this.#settle();
    this.outcome.hidden = true;
    this.product.focus();
  }

  #settle() {
    this.#draft = null;
    this.store.removeItem(KEPT_AS);
    this.#lock();
  }

  /** @param {Draft} draft */
  async #place(draft) {
    this.#draft = draft;
    this.#underWay = true;
    this.store.setItem(KEPT_AS, JSON.stringify(draft));
    this.#show({ settled: false, kind: "doubt", text: "Placing the order…" });
    const outcome = await this.#send(draft);
    this.#underWay = false;
    if (outcome.settled) this.#settle();
    this.#show(outcome);
    this.say(outcome.text);
    this.changed();
  }

  /**
   * @param {Draft} draft
   * @returns {Promise<Outcome>}
   */
  async #send({ key, productId, quantity }) {
    const input = { items: [{ productId, quantity }], idempotencyKey: key };
    try {
      /** @type {import("./graphql.js").Answer<import("./documents.js").OrderPlacing>} */
      const { data, errors } = await this.ask(CREATE_ORDER, { input }, SECONDS);
      if (data !== null) return told(data.createOrder);
      const code = errors[0]?.extensions?.code ?? "";
      if (!NOTHING_PLACED.includes(code)) return inDoubt(why(code, "orders"));
      return { settled: true, kind: "bad", text: `Nothing was ordered. ${why(code, "orders")}` };
    } catch (failure) {
      if (failure instanceof NoAnswer) return inDoubt(failure.message);
      throw failure;
    }
  }

  /** @param {Outcome} outcome */
  #show({ settled, kind, text }) {
    setText(find(this.outcome, "p", HTMLElement), text);
    setAttribute(this.outcome, "data-kind", kind);
    this.outcome.hidden = false;
    const hadFocus = [this.again, this.another].some((each) => each === document.activeElement);
    this.again.hidden = settled || (this.#underWay && !hadFocus);
    this.another.hidden = this.again.hidden;
    if (hadFocus && this.again.hidden) this.button.focus();
    this.#lock();
  }

  /** Another order would need another key, and this one's would be lost. */
  #lock() {
    this.product.disabled = this.#draft !== null;
    this.quantity.disabled = this.#draft !== null;
    setUsable(this.button, this.#draft === null);
    setUsable(this.again, !this.#underWay);
    setUsable(this.another, !this.#underWay);
  }
}

/**
 * @param {import("./documents.js").Placed | import("./documents.js").NotPlaced} came
 * @returns {Outcome}
 */
function told(came) {
  switch (came.__typename) {
    case "OrderCreated":
      return good(`Ordered and paid: ${came.order.id}, ${price(came.order.total)}.`);
    case "PaymentQueued": {
      const text = `Ordered: ${came.order.id}. The payments service cannot be asked now: `;
      return good(`${text}${price(came.order.total)} will be charged later, once.`);
    }
    case "OrderRejected":
      return { settled: true, kind: "bad", text: `Nothing was ordered. ${came.message}` };
    case "OutcomeUnknown":
      return inDoubt(came.message);
  }
}

/**
 * @param {string} text
 * @returns {Outcome}
 */
function good(text) {
  return { settled: true, kind: "good", text };
}

/**
 * @param {string} because
 * @returns {Outcome}
 */
function inDoubt(because) {
  const text = `${because} Ask again to find out: it is the same order, and is not placed twice.`;
  return { settled: false, kind: "doubt", text };
}
