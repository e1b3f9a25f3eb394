import { GraphiQL } from "graphiql";

import { BesideAnswer } from "./beside_answer";
import type { Configuration } from "./configuration";
import { BUILT_IN, tabOf } from "./examples";
import { ModeChoice } from "./explain_mode";
import { createFetcher } from "./fetcher";
import icon from "./icon.svg";
import { createStorage } from "./storage";
import { SystemTheme } from "./system_theme";

const choice = new ModeChoice();

/** GraphiQL, told where to ask, as whom, and what to show first. */
export function Explorer({ endpoint, token, queries }: Configuration) {
  const headers = token === null ? undefined : { Authorization: `Bearer ${token}` };
  const headersText = headers && JSON.stringify(headers, null, 2);
  const tabs = (queries.length > 0 ? queries : BUILT_IN).map(tabOf);
  return (
    <GraphiQL
      fetcher={createFetcher(endpoint, headers ?? {}, choice.get)}
      storage={createStorage(endpoint, headersText, tabs[0], localStorage)}
      defaultTabs={tabs}
      defaultEditorToolsVisibility="variables"
      {...(headersText !== undefined && { defaultHeaders: headersText })}
      inputValueDeprecation
      isHeadersEditorEnabled
      schemaDescription
      shouldPersistHeaders={false}
    >
      <GraphiQL.Logo>
        <span className="brand">
          <img src={icon} alt="" />
          bff <em>explorer</em>
          {/* Only a demo has a page of its own. */}
          {token !== null && <a href="/">Dashboard</a>}
        </span>
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <BesideAnswer choice={choice} />
      </GraphiQL.Footer>
      <SystemTheme />
    </GraphiQL>
  );
}
