/** What a stretch is filled with; the text beside it says the same. */
export type Look = "live" | "kept" | "stale" | "failed" | "waiting" | "likely";

export interface Stretch {
  fromMs: number;
  toMs: number;
  look: Look;
}

/** A stretch that is over at once must still be seen. */
const NARROWEST = 0.4;

/**
 * Stretches of time on one line. For the eye only: the table has the numbers.
 *
 * @param wholeMs - How much time the whole width stands for.
 */
export function Bar({ wholeMs, stretches }: { wholeMs: number; stretches: readonly Stretch[] }) {
  const percent = (ms: number) => (wholeMs > 0 ? Math.min(100, (100 * ms) / wholeMs) : 0);
  return (
    <span className="explain-bar" aria-hidden="true">
      {stretches.map(({ fromMs, toMs, look }, index) => {
        const left = Math.min(percent(fromMs), 100 - NARROWEST);
        const width = Math.max(NARROWEST, percent(toMs) - left);
        return (
          <span
            key={index}
            className={`explain-${look}`}
            style={{ left: `${left.toFixed(2)}%`, width: `${width.toFixed(2)}%` }}
          />
        );
      })}
    </span>
  );
}
