/** What the graph's words mean, for somebody who has never seen them. */

/** @type {Record<string, (service: string) => string>} */
const REASONS = {
  CIRCUIT_OPEN: (service) => `The ${service} service keeps failing and is not asked for now.`,
  TIMEOUT: (service) => `The ${service} service is not answering.`,
  UPSTREAM_TIMEOUT: (service) => `The ${service} service is not answering.`,
  UNREACHABLE: (service) => `The ${service} service cannot be reached.`,
  UPSTREAM_UNAVAILABLE: (service) => `The ${service} service cannot be reached.`,
  SERVER_ERROR: (service) => `The ${service} service is failing.`,
  BAD_REPLY: (service) => `The ${service} service gives answers that make no sense.`,
  UPSTREAM_BAD_REPLY: (service) => `The ${service} service gives answers that make no sense.`,
  OVERLOADED: () => "Too much is being asked at once.",
  DEADLINE: (service) => `The ${service} service did not answer in the time that there was.`,
  DEADLINE_EXCEEDED: (service) => `The ${service} service did not answer in the time that there was.`,
  REVALIDATING: () => "A newer answer was asked for, and has not come yet.",
  NO_DATA: () => "The BFF could not answer the question.",
  PAUSED: () => "This page is paused.",
  UNREACHED: () => "The BFF cannot be reached.",
  WAITING: () => "A newer answer is being waited for.",
};

/**
 * @param {string | null} reason
 * @param {string} service
 */
export function why(reason, service) {
  const known = reason === null ? undefined : REASONS[reason];
  return known?.(service) ?? `The ${service} service could not answer.`;
}

const OF_THE_PAGE = ["PAUSED", "UNREACHED", "WAITING"];

/**
 * Whether the page itself is why a value is old, and no service.
 *
 * @param {string | null} reason
 */
export function isOfThePage(reason) {
  return reason !== null && OF_THE_PAGE.includes(reason);
}

/** @type {Record<string, string>} */
const OUTCOMES = {
  ok: "answered",
  cancelled: "given up",
  AttemptTimedOut: "timed out",
  ServerFault: "failed",
  BadReply: "unreadable",
  Unreachable: "not reached",
  NotFound: "not found",
  Forbidden: "refused",
  Unauthorized: "refused",
  Rejected: "refused",
  TryLater: "too busy",
};

/** @param {string} outcome of a call to a service */
export function cameOf(outcome) {
  return OUTCOMES[outcome] ?? outcome;
}

/** @type {Record<string, string>} */
const PAYMENTS = {
  PENDING: "payment pending",
  CAPTURED: "paid",
  REFUNDED: "refunded",
  FAILED: "payment failed",
  QUEUED: "to be charged",
};

/** @param {import("./documents.js").Payment} payment */
export function paid({ status, method }) {
  return `${PAYMENTS[status] ?? "payment unclear"} · ${method.replaceAll("-", " ")}`;
}

/** @param {string} word such as SHIPPED */
export function plain(word) {
  return word === "UNKNOWN" ? "Unclear" : word.charAt(0) + word.slice(1).toLowerCase();
}
