/** How far a part of the page can be trusted. */

/**
 * @typedef {"live" | "cached" | "old" | "missing"} Kind
 * @typedef {{kind: Kind, service: string, asOf: Date | null, reason: string | null,
 *   again?: number}} Verdict
 *
 * `reason` is one of the graph's `DegradedReason`, an error's code, or a word of the page's own:
 * NO_DATA for an answer without any; PAUSED, UNREACHED or WAITING for values that nobody has
 * confirmed since; MENDED for a service that will be well when it is asked, `again` seconds from now.
 */

/** A value that was live goes on being called so for this long (seconds). */
const CONFIRMED_SECONDS = 6;

/** @type {Record<string, Kind>} */
const KINDS = { LIVE: "live", CACHE: "cached", STALE: "old" };

/** @type {Kind[]} */
const FROM_GOOD_TO_BAD = ["live", "cached", "old", "missing"];

/**
 * @param {string} service
 * @param {import("./documents.js").Freshness} freshness
 * @returns {Verdict}
 */
export function verdictOf(service, { origin, asOf, reason }) {
  return { kind: KINDS[origin] ?? "old", service, asOf: new Date(asOf), reason };
}

/**
 * On what stands at *path* without a freshness of its own: null, or an empty list.
 *
 * @param {import("./graphql.js").Answer<unknown>} answer
 * @param {import("./graphql.js").Path} path
 * @param {string} service
 * @param {Date} answeredAt
 * @returns {Verdict | null} null for a null that is the truth
 */
export function verdictAt(answer, path, service, answeredAt) {
  const problem = answer.errors.find((error) => isPrefix(error.path ?? [], path));
  const where = problem?.path ?? path;
  const told = answer.degraded.find((entry) => isSame(entry.path, where));
  if (problem !== undefined) {
    const reason = told?.reason ?? problem.extensions?.code ?? null;
    return { kind: "missing", service: told?.service ?? service, asOf: null, reason };
  }
  if (told === undefined) return null;
  const asOf = new Date(answeredAt.getTime() - (told.ageSeconds ?? 0) * 1000);
  return { kind: "old", service, asOf, reason: told.reason };
}

/**
 * @param {readonly Verdict[]} verdicts
 * @returns {Verdict | undefined} the one that deserves the least trust, the oldest of several
 */
export function worst(verdicts) {
  return verdicts.toSorted(
    (one, other) =>
      FROM_GOOD_TO_BAD.indexOf(other.kind) - FROM_GOOD_TO_BAD.indexOf(one.kind) ||
      (one.asOf?.getTime() ?? 0) - (other.asOf?.getTime() ?? 0),
  )[0];
}

/**
 * What a verdict is worth some time after the answer that it belongs to.
 *
 * @param {Verdict} verdict
 * @param {{now: Date, answeredAt: Date, trouble: "PAUSED" | "UNREACHED" | null}} when
 * @returns {Verdict}
 */
export function heldUntil(verdict, { now, answeredAt, trouble }) {
  if (verdict.kind === "missing" || verdict.kind === "old") return verdict;
  const seconds = (now.getTime() - answeredAt.getTime()) / 1000;
  if (trouble === null && seconds <= CONFIRMED_SECONDS) return verdict;
  return { ...verdict, kind: "old", reason: trouble ?? "WAITING" };
}

/**
 * @param {Verdict} verdict
 * @param {number | null} again in how many seconds its service, which is well, will be asked again;
 *   null when it is not well, or asked now
 * @returns {Verdict}
 */
export function afterMending(verdict, again) {
  if (verdict.reason !== "CIRCUIT_OPEN" || again === null) return verdict;
  return { ...verdict, reason: "MENDED", again };
}

/**
 * @param {import("./graphql.js").Path} one
 * @param {import("./graphql.js").Path} other
 */
function isSame(one, other) {
  return one.length === other.length && isPrefix(one, other);
}

/**
 * @param {import("./graphql.js").Path} start
 * @param {import("./graphql.js").Path} path
 */
function isPrefix(start, path) {
  return start.length <= path.length && start.every((step, index) => step === path[index]);
}
