/** Asking for an order, and saying what is known of it then. */

import { CREATE_ORDER } from "./documents.js";
import { NoAnswer, reasonOf } from "./graphql.js";
import { price } from "./times.js";
import { why } from "./wording.js";

const SECONDS = 20;

/** Codes of errors that say: this attempt has placed nothing. After any other, nobody knows. */
const NOT_MADE = [
  "CIRCUIT_OPEN",
  "OVERLOADED",
  "RATE_LIMITED",
  "BAD_USER_INPUT",
  "UNAUTHENTICATED",
  "FORBIDDEN",
  "NOT_FOUND",
];

/** Refusals that speak of the order, and so of every attempt under its key. */
const NEVER_PLACED = ["PAYMENT_DECLINED", "UNKNOWN_PRODUCT", "OUT_OF_STOCK", "INVALID_ITEMS"];

/**
 * An order, and the key under which it is placed at most once.
 *
 * @typedef {object} Draft
 * @property {string} key
 * @property {string} productId
 * @property {number} quantity
 * @property {string} what for a person, such as "2 × Oak Tray"
 * @property {boolean} doubted whether it may have been placed by an earlier attempt
 *
 * @typedef {{id: string, total: import("./documents.js").Money}} Queued
 * @typedef {{settled: boolean, kind: "good" | "bad" | "doubt", text: string,
 *   queued?: Queued}} Outcome `queued`: placed, and not yet paid
 */

/**
 * @param {import("./graphql.js").Ask} ask
 * @param {Draft} draft
 * @returns {Promise<Outcome>}
 */
export async function place(ask, draft) {
  const { key, productId, quantity, doubted } = draft;
  const input = { items: [{ productId, quantity }], idempotencyKey: key };
  try {
    /** @type {import("./graphql.js").Answer<import("./documents.js").OrderPlacing>} */
    const answer = await ask(CREATE_ORDER, { input }, SECONDS);
    if (answer.data !== null) return told(answer.data.createOrder, draft);
    const because = why(reasonOf(answer), "orders");
    const code = answer.errors[0]?.extensions?.code ?? "";
    if (!NOT_MADE.includes(code)) return inDoubt(because, draft);
    return doubted ? stillInDoubt(because, draft) : nothing(because);
  } catch (failure) {
    if (failure instanceof NoAnswer) return inDoubt(failure.message, draft);
    throw failure;
  }
}

/**
 * @param {import("./documents.js").Placed | import("./documents.js").Rejected
 *   | import("./documents.js").Unknown} came
 * @param {Draft} draft
 * @returns {Outcome}
 */
function told(came, draft) {
  switch (came.__typename) {
    case "OrderCreated":
      return paidFor(came.order);
    case "PaymentQueued": {
      const { order } = came;
      const text = `Ordered: ${order.id}. The payments service cannot be asked now: `;
      const later = `${price(order.total)} will be charged later, once.`;
      return { settled: true, kind: "good", text: text + later, queued: order };
    }
    case "OrderRejected":
      return draft.doubted && !NEVER_PLACED.includes(came.reason)
        ? stillInDoubt(came.message, draft)
        : nothing(came.message);
    case "OutcomeUnknown":
      return inDoubt(came.message, draft);
  }
}

/**
 * @param {Queued} order
 * @returns {Outcome}
 */
export function paidFor({ id, total }) {
  return { settled: true, kind: "good", text: `Ordered and paid: ${id}, ${price(total)}.` };
}

/**
 * @param {Queued} order
 * @returns {Outcome}
 */
export function notPaidFor({ id, total }) {
  const text = `Ordered: ${id}. Its payment of ${price(total)} has failed.`;
  return { settled: true, kind: "bad", text };
}

/**
 * @param {string} because
 * @returns {Outcome}
 */
function nothing(because) {
  return { settled: true, kind: "bad", text: `Nothing was ordered. ${because}` };
}

/**
 * @param {string} because
 * @param {Draft} draft
 * @returns {Outcome}
 */
export function inDoubt(because, { what, doubted }) {
  const known = `It is ${doubted ? "still " : ""}unknown whether ${what} was ordered.`;
  return { settled: false, kind: "doubt", text: `${because} ${known} ${ASK_AGAIN}` };
}

/**
 * A refusal of this attempt says nothing of those before it.
 *
 * @param {string} because
 * @param {Draft} draft
 * @returns {Outcome}
 */
function stillInDoubt(because, { what }) {
  const known = `It is still unknown whether ${what} was ordered.`;
  const text = `${known} This attempt was not made: ${because} ${ASK_AGAIN}`;
  return { settled: false, kind: "doubt", text };
}

const ASK_AGAIN = "Ask again to find out: it is the same order, and is not placed twice.";
