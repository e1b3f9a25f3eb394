import type { Example } from "./examples";

/** What the server tells the page. */
export interface Configuration {
  /** Where to ask; a path of this origin. */
  endpoint: string;
  /** A token to fill in; only `bff demo` gives one. */
  token: string | null;
  /** One tab for each; empty means the built-in ones. */
  queries: readonly Example[];
}

const DEFAULTS: Configuration = { endpoint: "/graphql", token: null, queries: [] };

/** Read the configuration from `<meta name="bff-explorer" content="{…}">`. */
export function readConfiguration(page: Document): Configuration {
  const element = page.querySelector<HTMLMetaElement>('meta[name="bff-explorer"]');
  const given = JSON.parse(element?.content ?? "{}") as Partial<Configuration>;
  return { ...DEFAULTS, ...given };
}
