import type { Explanation } from "./explanation";
import { PlanTable, summaryOf as summaryOfPlan } from "./plan";
import { summaryOf as summaryOfAnalysis, Waterfall } from "./waterfall";

/** The explanation of the answer in sight: a line that says it all, and a table below. */
export function Explained({ explanation }: { explanation: Explanation }) {
  const isPlan = explanation.mode === "plan";
  const summary = isPlan ? summaryOfPlan(explanation) : summaryOfAnalysis(explanation);
  const title = isPlan ? "Plan" : "Analysis";
  return (
    <details className="explained" open>
      <summary>
        <strong>{title}</strong> {summary}
      </summary>
      {/* It scrolls, so it must be reached by keyboard. */}
      <div role="region" aria-label={title} tabIndex={0}>
        {isPlan ? <PlanTable plan={explanation} /> : <Waterfall analysis={explanation} />}
      </div>
    </details>
  );
}
