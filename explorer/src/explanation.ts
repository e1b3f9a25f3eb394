/** One question to a service; see docs/how-to/explain.md. */
export interface Question {
  service: string;
  operation: string;
  keys: number;
  startMs: number;
  durationMs: number | null;
  outcome: string;
  cache: "LIVE" | "CACHE" | "STALE" | "MIXED" | "JOINED" | "NONE";
  served: Readonly<Record<"LIVE" | "CACHE" | "STALE", number>>;
  ageSeconds: number;
  reason: string | null;
  shed: boolean;
}

/** One request that was sent. */
export interface Call {
  question: number;
  attempt: number;
  hedge: boolean;
  startMs: number;
  durationMs: number | null;
  waitMs: number;
  outcome: string;
  bytes: number | null;
}

/** What an operation has asked. */
export interface Analysis {
  mode: "analyze";
  durationMs: number;
  totals: Readonly<
    Record<"questions" | "calls" | "retries" | "hedges" | "shed" | "joined" | "bytes", number>
  >;
  questions: readonly Question[];
  calls: readonly Call[];
}

/** How long something takes: in half of all cases, and in 95 of 100. */
export interface Prediction {
  medianMs: number;
  p95Ms: number;
}

/** How many of the things asked for are kept; null where nothing bounds how many more there are. */
export interface Kept {
  fresh: number;
  stale: number;
  absent: number;
  unknown: number | null;
}

/** One or more like calls that would be made. */
export interface PlannedCall {
  service: string;
  operation: string;
  calls: number;
  keys: number;
  openEnded: boolean;
  outlook: "NONE" | "CACHE" | "REFUSED" | "CALL";
  kept: Kept | null;
  breaker: string;
  bulkhead: { inFlight: number; waiting: number };
  predicted: Prediction | null;
}

/** What an operation would ask. */
export interface Plan {
  mode: "plan";
  calls: number;
  predicted: Prediction | null;
  waves: readonly { predicted: Prediction | null; calls: readonly PlannedCall[] }[];
}

export type Explanation = Analysis | Plan;
