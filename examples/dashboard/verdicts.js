/** The marks beside a title, and what is said below it. */

import { element, find, setAttribute, setText, showEach } from "./dom.js";
import { ago, clock, clockWithSeconds } from "./times.js";
import { isOfThePage, why } from "./wording.js";

/**
 * @typedef {import("./freshness.js").Verdict} Verdict
 *
 * What is to think of something, such as the payments: of all, or, when only some are missing, of
 * those.
 *
 * @typedef {{name: string, verdict: Verdict, partly?: boolean}} Named
 */

/**
 * One mark for each, and a note on those that are not as they should be.
 *
 * @param {HTMLElement} section
 * @param {readonly Named[]} named the first is the section itself
 * @param {Date} now
 */
export function showVerdicts(section, named, now) {
  showEach(find(section, ".verdicts", HTMLElement), named, {
    key: ({ name }) => name,
    create: () => element("span", { class: "verdict" }),
    update: (mark, { name, verdict, partly = false }) => {
      setAttribute(mark, "data-kind", verdict.kind);
      const word = partly ? "Partly missing" : brief(verdict, now);
      setText(mark, named.length === 1 ? word : `${name}: ${word.toLowerCase()}`);
    },
  });
  const note = find(section, ".note", HTMLElement);
  const said = notes(named, now);
  setText(note, said.join(" "));
  note.hidden = said.length === 0;
  const retry = find(section, ".retry", HTMLButtonElement);
  const isMissing = named.some(({ verdict }) => verdict.kind === "missing");
  if (!isMissing && retry === document.activeElement) section.focus();
  retry.hidden = !isMissing;
}

/**
 * @param {readonly Named[]} named
 * @param {Date} now
 * @returns {string[]} one for each that is old or missing; the page's own trouble is told once
 */
export function notes(named, now) {
  const troubled = named.filter(({ verdict }) => ["old", "missing"].includes(verdict.kind));
  const first = troubled.find(({ verdict }) => isOfThePage(verdict.reason));
  return troubled
    .filter((each) => each === first || !isOfThePage(each.verdict.reason))
    .map((each) => sentence(each, now));
}

/**
 * @param {Verdict} verdict
 * @param {Date} now
 */
function brief({ kind, asOf }, now) {
  if (kind === "live") return "Live";
  if (kind === "missing" || asOf === null) return "Not available";
  return kind === "cached" ? `Cached ${clockWithSeconds(asOf)}` : `As of ${clock(asOf, now)}`;
}

/**
 * @param {Named} named
 * @param {Date} now
 */
function sentence({ name, verdict: { kind, asOf, reason, service }, partly = false }, now) {
  const because = why(reason, service);
  if (kind === "missing" || asOf === null) {
    return `${name} ${partly ? "partly missing" : "not available"}. ${because}`;
  }
  const since = ago(asOf, now);
  return `${name} as of ${clock(asOf, now)}${since === "" ? "" : `, ${since}`}. ${because}`;
}
