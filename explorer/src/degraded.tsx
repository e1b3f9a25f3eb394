import { pick, useGraphiQL } from "@graphiql/react";
import { useCallback, useSyncExternalStore } from "react";

interface Entry {
  served: "STALE" | "NOTHING";
}

/**
 * One line on what the answer in sight serves old, or not at all.
 *
 * It reads the result pane rather than what was fetched: each tab has an answer of its own. The
 * element is always there, since a screen reader announces what changes in one that it knows.
 */
export function DegradedNotice() {
  const { responseEditor } = useGraphiQL(pick("responseEditor"));
  const subscribe = useCallback(
    (changed: () => void) => {
      const subscription = responseEditor?.onDidChangeModelContent(changed);
      return () => subscription?.dispose();
    },
    [responseEditor],
  );
  const notice = useSyncExternalStore(subscribe, () => noticeFor(responseEditor?.getValue() ?? ""));
  return (
    <p className="degraded" role="status">
      {notice}
    </p>
  );
}

function noticeFor(answer: string): string {
  const entries = degradedIn(answer);
  const old = entries.filter(({ served }) => served === "STALE").length;
  const missing = entries.length - old;
  const parts: string[] = [];
  if (old > 0) parts.push(`${counted(old)} old`);
  if (missing > 0) parts.push(`${old > 0 ? isOrAre(missing) : counted(missing)} missing`);
  return parts.length > 0 ? `Degraded: ${parts.join(", ")}. See extensions.degraded.` : "";
}

function degradedIn(answer: string): readonly Entry[] {
  try {
    const { extensions } = JSON.parse(answer) as { extensions?: { degraded?: Entry[] } };
    return extensions?.degraded ?? [];
  } catch {
    return []; // The pane is empty while an answer is awaited.
  }
}

function counted(parts: number): string {
  return parts === 1 ? "1 part is" : `${String(parts)} parts are`;
}

function isOrAre(parts: number): string {
  return parts === 1 ? "1 is" : `${String(parts)} are`;
}
