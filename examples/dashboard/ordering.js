/** The form of an order, which is placed at most once. */

import { element, find, onUse, setAttribute, setText, setUsable } from "./dom.js";
import { inDoubt, notPaidFor, paidFor, place } from "./placing.js";
import { clockWithSeconds } from "./times.js";

const KEPT_AS = "bff-demo-order";

/**
 * @typedef {import("./placing.js").Draft} Draft
 * @typedef {import("./placing.js").Outcome} Outcome
 */

/**
 * A draft is kept until its fate is known, beyond a reload too: whoever asks again under another
 * key may pay twice.
 */
export class Ordering {
  /** @type {Draft | null} */
  #draft = null;
  /** @type {import("./placing.js").Queued | null} */
  #queued = null;
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
    this.choice = find(section, "#in-doubt", HTMLElement);
    this.again = find(section, "#ask-again", HTMLButtonElement);
    this.leave = find(section, "#leave", HTMLButtonElement);
    this.leaving = find(section, "#leaving", HTMLElement);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#draft === null) void this.#place(this.#newDraft());
    });
    onUse(this.again, () => {
      if (this.#draft !== null) void this.#place(this.#draft);
    });
    onUse(this.leave, () => { this.#askWhetherToLeave(true); });
    onUse(find(section, "#keep-it", HTMLButtonElement), () => { this.#askWhetherToLeave(false); });
    onUse(find(section, "#leave-it", HTMLButtonElement), () => { this.#leave(); });
    this.#resume();
  }

  /**
   * The outcome that stands here goes on with what becomes of its payment.
   *
   * @param {readonly import("./documents.js").Order[]} orders as they are now
   */
  follow(orders) {
    const queued = this.#queued;
    const payment = orders.find(({ id }) => id === queued?.id)?.payment;
    if (queued === null || payment?.freshness.origin !== "LIVE") return;
    if (payment.status === "CAPTURED") this.#tell(paidFor(queued));
    else if (payment.status === "FAILED") this.#tell(notPaidFor(queued));
  }

  /** @returns {Draft} */
  #newDraft() {
    const quantity = this.quantity.valueAsNumber;
    const option = this.product.selectedOptions[0];
    const name = option?.getAttribute("data-name") ?? this.product.value;
    return {
      key: crypto.randomUUID(),
      productId: this.product.value,
      quantity,
      what: `${String(quantity)}\u00a0×\u00a0${name}`,
      doubted: false,
    };
  }

  #resume() {
    const kept = this.store.getItem(KEPT_AS);
    if (kept === null) return;
    /** @type {unknown} */
    const parsed = JSON.parse(kept);
    const draft = /** @type {Draft} */ (parsed);
    const { productId, what } = draft;
    // The products on offer are not known yet; once they are, this one is among them.
    this.product.append(element("option", { value: productId, "data-key": productId }, what));
    const outcome = inDoubt("This page was left before the answer came.", draft);
    this.#keep({ ...draft, doubted: true });
    this.#show(outcome);
  }

  /** @param {Draft | null} draft */
  #keep(draft) {
    this.#draft = draft;
    if (draft === null) this.store.removeItem(KEPT_AS);
    else this.store.setItem(KEPT_AS, JSON.stringify(draft));
  }

  /** @param {boolean} asking */
  #askWhetherToLeave(asking) {
    this.leaving.hidden = !asking;
    this.choice.hidden = asking;
    if (asking) this.leaving.focus();
    else this.leave.focus();
  }

  #leave() {
    const what = this.#draft?.what ?? "";
    const text = `${what} may have been ordered, or not. Look at your orders before you order it again.`;
    this.leaving.hidden = true;
    this.#keep(null);
    this.#tell({ settled: true, kind: "doubt", text });
    this.product.focus();
  }

  /** @param {Draft} draft */
  async #place(draft) {
    this.#underWay = true;
    this.#keep(draft);
    this.#show({ settled: false, kind: "doubt", text: `Ordering ${draft.what}…` });
    const outcome = await place(this.ask, draft);
    this.#underWay = false;
    this.#keep(outcome.settled ? null : { ...draft, doubted: true });
    this.#tell(outcome);
    this.changed();
  }

  /** @param {Outcome} outcome */
  #tell(outcome) {
    this.#queued = outcome.queued ?? null;
    this.#show(outcome);
    this.say(outcome.text);
  }

  /** @param {Outcome} outcome */
  #show({ settled, kind, text }) {
    setText(find(this.outcome, "#outcome-text", HTMLElement), text);
    const since = clockWithSeconds(new Date());
    setText(find(this.outcome, "#outcome-at", HTMLElement), this.#underWay ? "" : `As of ${since}`);
    setAttribute(this.outcome, "data-kind", kind);
    this.outcome.hidden = false;
    const hadFocus = this.choice.contains(document.activeElement);
    this.choice.hidden = settled || (this.#underWay && !hadFocus);
    if (hadFocus && this.choice.hidden) this.outcome.focus();
    this.#lock();
  }

  /** The form shows the order that is asked for; another would need another key. */
  #lock() {
    const draft = this.#draft;
    if (draft !== null) {
      this.product.value = draft.productId;
      this.quantity.value = String(draft.quantity);
    }
    this.product.disabled = draft !== null;
    this.quantity.readOnly = draft !== null; // unlike one that is disabled, it keeps the focus
    setUsable(this.button, draft === null);
    setUsable(this.again, !this.#underWay);
    setUsable(this.leave, !this.#underWay);
  }
}
