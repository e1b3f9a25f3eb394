import { pick, useGraphiQL } from "@graphiql/react";
import { useCallback, useMemo, useSyncExternalStore } from "react";

import type { Explanation } from "./explanation";

/** What the server may tell beside the data. */
export interface Extensions {
  degraded?: readonly { served: "STALE" | "NOTHING" }[];
  explain?: Explanation;
}

/**
 * The extensions of the answer in sight.
 *
 * They are read from the result pane rather than from what was fetched: each tab has an answer of
 * its own.
 */
export function useExtensions(): Extensions {
  const { responseEditor } = useGraphiQL(pick("responseEditor"));
  const subscribe = useCallback(
    (changed: () => void) => {
      const subscription = responseEditor?.onDidChangeModelContent(changed);
      return () => subscription?.dispose();
    },
    [responseEditor],
  );
  const text = useSyncExternalStore(subscribe, () => responseEditor?.getValue() ?? "");
  return useMemo(() => extensionsIn(text), [text]);
}

function extensionsIn(answer: string): Extensions {
  try {
    return (JSON.parse(answer) as { extensions?: Extensions }).extensions ?? {};
  } catch {
    return {}; // The pane is empty while an answer is awaited.
  }
}
