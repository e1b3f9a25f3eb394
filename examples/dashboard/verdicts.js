/** The marks beside a title, and what is said below it. */

import { element, find, setAttribute, setText, showEach } from "./dom.js";
import { ago, clock, exactly } from "./times.js";
import { isOfThePage, listed, why } from "./wording.js";

/**
 * @typedef {import("./freshness.js").Verdict} Verdict
 *
 * What is to think of something, such as the payments: of all, or, when only some are missing, of
 * those.
 *
 * @typedef {{name: string, verdict: Verdict, partly?: boolean}} Named
 */

/**
 * One mark for each, and a note on those that are not as they should be. The room for a note is
 * always there, so that nothing moves when it comes.
 *
 * @param {HTMLElement} section
 * @param {readonly Named[]} named the first is the section itself
 * @param {{now: Date, isToldAbove: boolean}} how `isToldAbove`: the page has said what is wrong
 */
export function showVerdicts(section, named, { now, isToldAbove }) {
  showEach(find(section, ".verdicts", HTMLElement), named, {
    key: ({ name }) => name,
    create: () => element("span", { class: "verdict" }),
    update: (mark, { name, verdict, partly = false }) => {
      setAttribute(mark, "data-kind", verdict.kind);
      const word = partly ? "Partly missing" : brief(verdict, now);
      setText(mark, named.length === 1 ? word : `${name}: ${word.toLowerCase()}`);
      setAttribute(mark, "title", verdict.asOf === null ? "" : exactly(verdict.asOf));
    },
  });
  const note = find(section, ".note", HTMLElement);
  setText(note, isToldAbove ? "" : notes(named, now).join(" "));
  const retry = find(section, ".retry", HTMLButtonElement);
  const isMissing = named.some(({ verdict }) => verdict.kind === "missing");
  if (!isMissing && retry === document.activeElement) section.focus();
  retry.hidden = !isMissing;
}

/** @param {Verdict} verdict */
export function isTroubled({ kind }) {
  return kind === "old" || kind === "missing";
}

/**
 * @param {readonly Named[]} named
 * @param {Date} now
 * @returns {string[]} on those that are old or missing; what is the same of several is told once
 */
export function notes(named, now) {
  const troubled = named.filter(({ verdict }) => isTroubled(verdict));
  const first = troubled.find(({ verdict }) => isOfThePage(verdict.reason));
  /** @type {Map<string, Named[]>} */
  const alike = new Map();
  for (const each of troubled) {
    const { kind, reason } = each.verdict;
    if (each !== first && isOfThePage(reason)) continue;
    const what = `${kind} ${String(reason)} ${String(each.partly ?? false)}`;
    alike.set(what, [...(alike.get(what) ?? []), each]);
  }
  return [...alike.values()].map((group) => sentence(group, now));
}

/**
 * @param {Verdict} verdict
 * @param {Date} now
 */
function brief({ kind, asOf }, now) {
  if (kind === "live") return "Live";
  if (kind === "missing" || asOf === null) return "Not available";
  return kind === "cached" ? `Cached ${clock(asOf, now)}` : `As of ${clock(asOf, now)}`;
}

/**
 * @param {readonly Named[]} alike
 * @param {Date} now
 */
function sentence(alike, now) {
  const verdicts = alike.map(({ verdict }) => verdict);
  const [{ kind, reason, asOf }] = /** @type {[Verdict]} */ (
    verdicts.toSorted((one, other) => (one.asOf?.getTime() ?? 0) - (other.asOf?.getTime() ?? 0))
  );
  const services = [...new Set(verdicts.map(({ service }) => service))];
  const again = Math.max(...verdicts.map((verdict) => verdict.again ?? 0));
  const names = listed(alike.map(({ name }, index) => (index === 0 ? name : name.toLowerCase())));
  const because = why(reason, services, again);
  if (kind === "missing" || asOf === null) {
    const partly = alike.some((each) => each.partly ?? false);
    return `${names} ${partly ? "partly missing" : "not available"}. ${because}`;
  }
  const since = ago(asOf, now);
  return `${names} as of ${clock(asOf, now)}${since === "" ? "" : `, ${since}`}. ${because}`;
}
