/** One question to the GraphQL endpoint. */

/**
 * @typedef {(string | number)[]} Path
 * @typedef {{message: string, path?: Path,
 *   extensions?: {code?: string, service?: string}}} Problem
 * @typedef {{path: Path, service: string, served: "STALE" | "NOTHING", reason: string,
 *   ageSeconds: number | null}} Degraded
 */

/**
 * @template T
 * @typedef {{data: T | null, errors: Problem[], degraded: Degraded[]}} Answer
 */

/**
 * @typedef {<T>(query: string, variables: object, seconds: number) => Promise<Answer<T>>} Ask
 */

/**
 * Why there is no data, as precisely as it is told.
 *
 * @param {Answer<unknown>} answer
 * @returns {string | null} a `DegradedReason`, or an error's code
 */
export function reasonOf({ errors, degraded }) {
  return degraded[0]?.reason ?? errors[0]?.extensions?.code ?? null;
}

/** There is no answer at all: nobody knows what became of the question. */
export class NoAnswer extends Error {
  /**
   * @param {string} message for the person at the page
   * @param {number | null} status of HTTP; null when not even that came
   */
  constructor(message, status = null) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} token
 * @returns {Ask}
 */
export function askingWith(token) {
  return async (query, variables, seconds) => {
    const response = await post({ query, variables }, token, seconds);
    if (response.status === 401) {
      throw new NoAnswer("The demo was restarted: reload the page.", 401);
    }
    if (response.status === 503) throw new NoAnswer("The BFF is too busy to answer.", 503);
    const { data, errors, extensions } = await json(response);
    return {
      data: /** @type {any} */ (data ?? null),
      errors: errors ?? [],
      degraded: extensions?.degraded ?? [],
    };
  };
}

/**
 * @param {object} body
 * @param {string} token
 * @param {number} seconds
 */
async function post(body, token, seconds) {
  try {
    return await fetch("/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(seconds * 1000),
    });
  } catch {
    throw new NoAnswer("The BFF cannot be reached.");
  }
}

/**
 * @typedef {{data?: unknown, errors?: Problem[], extensions?: {degraded?: Degraded[]}}} Body
 *
 * @param {Response} response
 */
async function json(response) {
  try {
    /** @type {unknown} */
    const body = await response.json();
    return /** @type {Body} */ (body);
  } catch {
    throw new NoAnswer("The BFF gave an answer that cannot be read.", response.status);
  }
}
