/** What the graph's words mean, for somebody who has never seen them. */

/**
 * Those that a sentence is about: "The orders service", or several.
 *
 * @typedef {{they: string, many: boolean, again: number}} Subject
 */

/** @type {(subject: Subject) => string} */
const silent = ({ they, many }) => `${they} ${many ? "are" : "is"} not answering.`;

/** @type {(subject: Subject) => string} */
const senseless = ({ they, many }) =>
  `${they} ${many ? "give" : "gives"} answers that make no sense.`;

/** @type {(subject: Subject) => string} */
const late = ({ they }) => `${they} did not answer in the time that there was.`;

/** @type {Record<string, (subject: Subject) => string>} */
const REASONS = {
  CIRCUIT_OPEN: ({ they, many }) =>
    many
      ? `${they} keep failing and are not asked for now.`
      : `${they} keeps failing and is not asked for now.`,
  MENDED: ({ they, many, again }) =>
    `${they} ${many ? "are" : "is"} mended, and asked again ${again > 0 ? `in ${String(again)} s` : "now"}.`,
  TIMEOUT: silent,
  UPSTREAM_TIMEOUT: silent,
  UNREACHABLE: ({ they }) => `${they} cannot be reached.`,
  UPSTREAM_UNAVAILABLE: ({ they }) => `${they} could not be reached, or failed.`,
  SERVER_ERROR: ({ they, many }) => `${they} ${many ? "are" : "is"} failing.`,
  BAD_REPLY: senseless,
  UPSTREAM_BAD_REPLY: senseless,
  OVERLOADED: () => "Too much is being asked at once.",
  RATE_LIMITED: () => "Too much is being asked at once.",
  FORBIDDEN: ({ they, many }) => `${they} ${many ? "do" : "does"} not allow that.`,
  DEADLINE: late,
  DEADLINE_EXCEEDED: late,
  REVALIDATING: () => "A newer answer was asked for, and has not come yet.",
  NO_DATA: () => "The BFF could not answer the question.",
  PAUSED: () => "This page is paused.",
  UNREACHED: () => "The BFF cannot be reached.",
  WAITING: () => "A newer answer is being waited for.",
};

/**
 * @param {string | null} reason
 * @param {string | readonly string[]} services one or more
 * @param {number} [again] after how many seconds they are asked again
 */
export function why(reason, services, again = 0) {
  const names = typeof services === "string" ? [services] : services;
  const many = names.length > 1;
  const they = `The ${listed(names)} ${many ? "services" : "service"}`;
  const known = reason === null ? undefined : REASONS[reason];
  return known?.({ they, many, again }) ?? `${they} could not answer.`;
}

/** @param {readonly string[]} names */
export function listed(names) {
  const last = names.at(-1) ?? "";
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${last}` : last;
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
  DeadlineExceeded: "out of time",
};

/** @param {string} outcome of a call to a service */
export function cameOf(outcome) {
  return OUTCOMES[outcome] ?? "not answered";
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
export function paid({ status }) {
  return PAYMENTS[status] ?? "payment unclear";
}

/** @param {string} word such as SHIPPED */
export function plain(word) {
  return word === "UNKNOWN" ? "Unclear" : word.charAt(0) + word.slice(1).toLowerCase();
}
