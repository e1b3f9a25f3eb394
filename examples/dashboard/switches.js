/** The demo's own paths: what the services do, and what they are told to do. */

import { NoAnswer } from "./graphql.js";

const SECONDS = 10;

/**
 * @typedef {{latencySeconds: number, errorRate: number, status: number, hang: boolean,
 *   garbage: boolean, reset: boolean}} Faults
 * @typedef {{number: number, endedAt: string, operation: string, attempt: number,
 *   outcome: string, durationMs: number}} Call
 * @typedef {{name: string, url: string, running: boolean, faults: Faults,
 *   breaker: "closed" | "open" | "half-open", closedToCallsSeconds: number | null,
 *   failingSince: string | null, lastSuccess: string | null, servingStale: boolean,
 *   calls: Call[]}} Service
 */

/** @returns {Promise<Service[]>} */
export async function services() {
  const report = /** @type {{services: Service[]}} */ (await request("GET", "/demo/services"));
  return report.services;
}

/**
 * Change some of the faults, and leave the others as they are.
 *
 * @param {string} name
 * @param {Partial<Faults>} faults
 * @returns {Promise<Service>}
 */
export async function breakIt(name, faults) {
  return /** @type {Service} */ (await request("PATCH", `/demo/services/${name}/faults`, faults));
}

/**
 * @param {string} name
 * @param {boolean} running
 * @returns {Promise<Service>}
 */
export async function run(name, running) {
  const path = `/demo/services/${name}/${running ? "start" : "stop"}`;
  return /** @type {Service} */ (await request("POST", path));
}

/**
 * Healed, and running.
 *
 * @param {string} name
 * @returns {Promise<Service>}
 */
export async function mend(name) {
  await request("DELETE", `/demo/services/${name}/faults`);
  return run(name, true);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<unknown>}
 */
async function request(method, path, body) {
  const content =
    body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  let response;
  /** @type {unknown} */
  let answer;
  try {
    const signal = AbortSignal.timeout(SECONDS * 1000);
    response = await fetch(path, { method, signal, ...content });
    answer = await response.json();
  } catch {
    throw new NoAnswer("The demo cannot be reached.");
  }
  if (!response.ok) {
    const { errors } = /** @type {{errors: {message: string}[]}} */ (answer);
    throw new NoAnswer(errors[0]?.message ?? "The demo says no.", response.status);
  }
  return answer;
}
