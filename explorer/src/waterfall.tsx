import { Bar, type Look, type Stretch } from "./bar";
import type { Analysis, Call, Question } from "./explanation";
import { counted, inBytes, inTime } from "./words";

const LOOKS: Readonly<Record<Question["cache"], Look>> = {
  LIVE: "live",
  JOINED: "waiting",
  MIXED: "live",
  CACHE: "kept",
  STALE: "stale",
  NONE: "failed",
};

/** What was asked, and when: a line for each question, and for each of its calls if not just one. */
export function Waterfall({ analysis }: { analysis: Analysis }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Question</th>
          <th scope="col">Answer</th>
          <th scope="col">Start</th>
          <th scope="col">Time</th>
          <th scope="col">Bytes</th>
          <th className="explain-line" aria-hidden="true" />
        </tr>
      </thead>
      {analysis.questions.map((question, index) => (
        <Rows
          key={index}
          question={question}
          calls={analysis.calls.filter((call) => call.question === index)}
          wholeMs={analysis.durationMs}
        />
      ))}
    </table>
  );
}

/** In one line, for those who do not look at each row. */
export function summaryOf({ durationMs, totals, calls }: Analysis): string {
  // Those that were made; `totals.retries` has those too for which no time was left.
  const retries = calls.filter(({ attempt, hedge }) => attempt > 1 && !hedge).length;
  const parts = [`${counted(totals.calls, "call")} in ${inTime(durationMs)}`];
  if (retries > 0) parts.push(retries === 1 ? "1 retry" : `${String(retries)} retries`);
  if (totals.hedges > 0) parts.push(counted(totals.hedges, "hedge"));
  if (totals.joined > 0) parts.push(`${String(totals.joined)} joined`);
  if (totals.shed > 0) parts.push(`${String(totals.shed)} shed`);
  parts.push(inBytes(totals.bytes));
  return parts.join(", ");
}

interface RowsProps {
  question: Question;
  calls: readonly Call[];
  wholeMs: number;
}

function Rows({ question, calls, wholeMs }: RowsProps) {
  const [only] = calls;
  const isPlain = calls.length === 1 && only?.outcome === "ok";
  const stretches = isPlain ? stretchesOf(only, wholeMs) : [lineOf(question, wholeMs)];
  return (
    <tbody>
      <tr>
        <th scope="row">
          {question.service}.{question.operation}
          {question.keys > 1 && <small> × {question.keys}</small>}
        </th>
        <td>{answerOf(question)}</td>
        <td>{inTime(question.startMs)}</td>
        <td>{timeOf(question.durationMs)}</td>
        <td>{isPlain && only.bytes !== null && inBytes(only.bytes)}</td>
        <td className="explain-line">
          <Bar wholeMs={wholeMs} stretches={stretches} />
        </td>
      </tr>
      {!isPlain &&
        calls.map((call, index) => (
          <tr key={index} className="explain-call">
            <th scope="row">
              call {call.attempt}
              {call.hedge && " (hedge)"}
            </th>
            <td>{outcomeOf(call)}</td>
            <td>{inTime(call.startMs)}</td>
            <td>{timeOf(call.durationMs)}</td>
            <td>{call.bytes !== null && inBytes(call.bytes)}</td>
            <td className="explain-line">
              <Bar wholeMs={wholeMs} stretches={stretchesOf(call, wholeMs)} />
            </td>
          </tr>
        ))}
    </tbody>
  );
}

function answerOf({ cache, keys, outcome, reason, ageSeconds, shed }: Question): string {
  const isCommand = keys === 0;
  const source = cache === "NONE" ? outcome : isCommand ? "done" : cache.toLowerCase();
  const parts = [shed ? `${source}, shed` : source];
  if (ageSeconds > 0) parts.push(`${inTime(1000 * ageSeconds)} old`);
  if (cache !== "NONE" && reason !== null) parts.push(reason);
  else if (cache !== "NONE" && outcome !== "ok") parts.push(outcome);
  return parts.join(", ");
}

function outcomeOf({ outcome, waitMs }: Call): string {
  const words = outcome === "UNDER_WAY" ? "still under way" : outcome;
  return waitMs > 0 ? `${words}, after ${inTime(waitMs)} in the queue` : words;
}

function timeOf(durationMs: number | null): string {
  return durationMs === null ? "…" : inTime(durationMs);
}

function lineOf({ startMs, durationMs, cache }: Question, wholeMs: number): Stretch {
  const toMs = durationMs === null ? wholeMs : startMs + durationMs;
  return { fromMs: startMs, toMs, look: LOOKS[cache] };
}

function stretchesOf({ startMs, durationMs, waitMs, outcome }: Call, wholeMs: number): Stretch[] {
  const toMs = durationMs === null ? wholeMs : startMs + durationMs;
  const look = outcome === "ok" ? "live" : outcome === "UNDER_WAY" ? "waiting" : "failed";
  const sent: Stretch = { fromMs: startMs, toMs, look };
  return waitMs > 0 ? [{ fromMs: startMs - waitMs, toMs: startMs, look: "waiting" }, sent] : [sent];
}
