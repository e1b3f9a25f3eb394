/** Instants, durations and amounts, as people read them. */

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const CLOCK_WITH_SECONDS = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/**
 * "09:14", or with its day when that was not today.
 *
 * @param {Date} at
 * @param {Date} now
 */
export function clock(at, now) {
  const today = at.toDateString() === now.toDateString();
  return today ? CLOCK.format(at) : `${DAY.format(at)}, ${CLOCK.format(at)}`;
}

/** @param {Date} at */
export function clockWithSeconds(at) {
  return CLOCK_WITH_SECONDS.format(at);
}

/** @param {string} instant as RFC 3339 writes it */
export function day(instant) {
  return DAY.format(new Date(instant));
}

/**
 * "12 s ago", "3 min ago"; nothing when it is too far back to matter.
 *
 * @param {Date} at
 * @param {Date} now
 */
export function ago(at, now) {
  const seconds = Math.max(0, Math.round((now.getTime() - at.getTime()) / 1000));
  if (seconds < 90) return `${String(seconds)} s ago`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${String(minutes)} min ago` : "";
}

/** @param {number} milliseconds */
export function duration(milliseconds) {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1000) return `${milliseconds.toFixed(0)} ms`;
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

/**
 * An instant for those who want to know exactly.
 *
 * @param {Date} at
 */
export function exactly(at) {
  return `${DAY.format(at)}, ${clockWithSeconds(at)}`;
}

/** @param {import("./documents.js").Money} money */
export function price({ amount, currency }) {
  const format = new Intl.NumberFormat("en-GB", { style: "currency", currency });
  // A decimal as text: a number could not hold every amount to the digit.
  return format.format(/** @type {Intl.StringNumericLiteral} */ (amount));
}
