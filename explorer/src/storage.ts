import type { Storage as GraphiQLStorage } from "@graphiql/toolkit";

const TABS = "graphiql:tabState";
const EDITORS: Readonly<Record<string, "query" | "variables">> = {
  "graphiql:query": "query",
  "graphiql:variables": "variables",
};
const HISTORIES = ["graphiql:queries", "graphiql:favorites"];

export interface Tab {
  query: string | null;
  variables: string | null;
}

interface TabState {
  tabs: Tab[];
  activeTabIndex: number;
}

/**
 * Remember tabs and history in this browser, but never a header.
 *
 * GraphiQL keeps headers out of its tabs but not out of its history. A token that is stored
 * outlives its session: it is a secret on disk, and a stale one breaks the next session. So
 * headers are dropped on the way in, and history gets today's on the way out.
 *
 * GraphiQL also stores the active tab's editors a second time, at another moment, and opens one
 * more tab when the two differ. So they are read from the tabs.
 *
 * @param endpoint - Each endpoint has its own graph, and so its own memory.
 * @param headers - What an entry of the history is given.
 * @param first - What the editors show while no tabs are stored.
 */
export function createStorage(
  endpoint: string,
  headers: string | undefined,
  first: Tab | undefined,
  store: Storage,
): GraphiQLStorage {
  const prefix = `bff:${endpoint}:`;
  const ownKeys = () => Object.keys(store).filter((key) => key.startsWith(prefix));
  return {
    getItem(key) {
      const editor = EDITORS[key];
      if (editor) return activeTab(store.getItem(prefix + TABS), first)?.[editor] ?? null;
      const value = store.getItem(prefix + key);
      return value !== null && HISTORIES.includes(key) ? withHeaders(value, headers) : value;
    },
    setItem(key, value) {
      if (key in EDITORS) return;
      const kept = HISTORIES.includes(key) ? withHeaders(value, undefined) : value;
      store.setItem(prefix + key, kept);
    },
    removeItem(key) {
      store.removeItem(prefix + key);
    },
    clear() {
      for (const key of ownKeys()) store.removeItem(key);
    },
    get length() {
      return ownKeys().length;
    },
  };
}

function activeTab(stored: string | null, first: Tab | undefined): Tab | undefined {
  if (stored === null) return first;
  const { tabs, activeTabIndex } = JSON.parse(stored) as TabState;
  return tabs[activeTabIndex];
}

function withHeaders(value: string, headers: string | undefined): string {
  const history = JSON.parse(value) as Record<string, object[]>;
  const changed = Object.entries(history).map(([name, items]) => [
    name,
    items.map((item) => ({ ...item, headers })),
  ]);
  return JSON.stringify(Object.fromEntries(changed));
}
