import { Bar, type Stretch } from "./bar";
import type { Kept, Plan, PlannedCall, Prediction } from "./explanation";
import { counted, inTime } from "./words";

const OUTLOOKS: Readonly<Record<PlannedCall["outlook"], string>> = {
  NONE: "nothing to ask for",
  CACHE: "from the cache",
  REFUSED: "refused by the breaker",
  CALL: "asked",
};

/** What would be asked: a line for each kind of call, wave by wave. */
export function PlanTable({ plan }: { plan: Plan }) {
  const begins = plan.waves.map((_, index) =>
    plan.waves.slice(0, index).reduce((ms, wave) => ms + (wave.predicted?.p95Ms ?? 0), 0),
  );
  const wholeMs = plan.waves.reduce((ms, wave) => ms + (wave.predicted?.p95Ms ?? 0), 0);
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Call</th>
          <th scope="col">Outlook</th>
          <th scope="col">Kept</th>
          <th scope="col">Service</th>
          <th scope="col">Likely</th>
          <th className="explain-line" aria-hidden="true" />
        </tr>
      </thead>
      {plan.waves.map((wave, index) => (
        <tbody key={index}>
          <tr className="explain-wave">
            <th scope="rowgroup" colSpan={4}>
              Wave {index + 1}
            </th>
            <td colSpan={2}>{likely(wave.predicted)}</td>
          </tr>
          {wave.calls.map((call, place) => (
            <Row key={place} call={call} beginMs={begins[index] ?? 0} wholeMs={wholeMs} />
          ))}
        </tbody>
      ))}
    </table>
  );
}

/** In one line, for those who do not look at each row. */
export function summaryOf({ calls, waves, predicted }: Plan): string {
  const planned = `At most ${counted(calls, "call")} in ${counted(waves.length, "wave")}`;
  return `${planned}; likely time: ${likely(predicted)}`;
}

interface RowProps {
  call: PlannedCall;
  beginMs: number;
  wholeMs: number;
}

function Row({ call, beginMs, wholeMs }: RowProps) {
  const { breaker, bulkhead, kept, outlook, predicted } = call;
  return (
    <tr>
      <th scope="row">
        {call.service}.{call.operation}
        {(call.keys > 1 || call.openEnded) && <small> × {amount(call)}</small>}
      </th>
      <td>{OUTLOOKS[outlook]}</td>
      <td>{kept === null ? "not looked at" : inStock(kept)}</td>
      <td>
        {breaker}, {bulkhead.inFlight} in flight
        {bulkhead.waiting > 0 && `, ${String(bulkhead.waiting)} waiting`}
      </td>
      <td>{likely(predicted)}</td>
      <td className="explain-line">
        <Bar wholeMs={wholeMs} stretches={predicted === null ? [] : stretches(beginMs, predicted)} />
      </td>
    </tr>
  );
}

function amount({ keys, openEnded, kept }: PlannedCall): string {
  return openEnded && kept?.unknown !== 0 ? "any number" : String(keys);
}

function inStock({ fresh, stale, absent, unknown }: Kept): string {
  const parts: string[] = [];
  if (fresh > 0) parts.push(`${String(fresh)} fresh`);
  if (stale > 0) parts.push(`${String(stale)} old`);
  if (absent > 0) parts.push(`${String(absent)} absent`);
  if (unknown === null) parts.push("more unknown");
  else if (unknown > 0) parts.push(`${String(unknown)} unknown`);
  return parts.join(", ");
}

function likely(predicted: Prediction | null): string {
  if (predicted === null) return "unknown";
  if (predicted.p95Ms === 0) return "at once";
  return `${inTime(predicted.medianMs)} (p95 ${inTime(predicted.p95Ms)})`;
}

function stretches(beginMs: number, { medianMs, p95Ms }: Prediction): Stretch[] {
  return [
    { fromMs: beginMs, toMs: beginMs + p95Ms, look: "likely" },
    { fromMs: beginMs, toMs: beginMs + medianMs, look: "live" },
  ];
}
