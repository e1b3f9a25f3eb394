import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import { type ExecutionResult, getOperationAST, parse } from "graphql";

import type { Mode } from "./explain_mode";

type HeaderValues = Readonly<Record<string, string>>;

const MEDIA_TYPES = "application/graphql-response+json, application/json;q=0.9";
const DEMO_RESTARTED = "Reload the page: the demo was restarted.";

/**
 * Ask by plain POST.
 *
 * Whatever goes wrong on the way is shown as GraphQL shows errors, in a sentence.
 *
 * @param demoHeaders - What a demo's token is sent in, if there is one. The first introspection
 *   gets them from here, as it starts before the headers editor is there to be read.
 * @param explain - How an operation is explained now; who writes the header himself is not overruled.
 */
export function createFetcher(
  endpoint: string,
  demoHeaders: HeaderValues,
  explain: () => Mode,
): Fetcher {
  return async (parameters, options) => {
    const isIntrospection = parameters.operationName === "IntrospectionQuery";
    const given = options?.headers ?? (isIntrospection ? demoHeaders : {});
    let headers: Headers;
    try {
      headers = new Headers({ "Content-Type": "application/json", Accept: MEDIA_TYPES });
      const mode = explain();
      if (mode !== "off" && !isIntrospection) headers.set("Bff-Explain", mode);
      for (const [name, value] of Object.entries(given)) headers.set(name, String(value));
    } catch (error) {
      return failure(`Nothing was sent: the headers are not valid. ${String(error)}`);
    }
    const body = JSON.stringify(withoutStaleName(parameters));
    try {
      const response = await fetch(endpoint, {
        method: "POST",
        credentials: "same-origin",
        headers,
        body,
      });
      const answer = await readAnswer(response);
      const isOfDemo = headers.get("Authorization") === demoHeaders["Authorization"];
      return isOfDemo && refusesToken(response) ? withHint(answer, DEMO_RESTARTED) : answer;
    } catch {
      return failure(`No answer from ${endpoint}: is the server still running?`);
    }
  };
}

/** For a moment after a change of tabs, GraphiQL still names the other tab's operation. */
function withoutStaleName({ operationName, ...rest }: FetcherParams): FetcherParams {
  try {
    if (!getOperationAST(parse(rest.query), operationName)) return rest;
  } catch {
    // The server says better what is wrong with the document.
  }
  return { ...rest, operationName: operationName ?? null };
}

async function readAnswer(response: Response): Promise<ExecutionResult> {
  const text = await response.text();
  try {
    return JSON.parse(text) as ExecutionResult;
  } catch {
    const status = `${String(response.status)} ${response.statusText}`.trim();
    return failure(`The server answered ${status} with something that is not JSON.`);
  }
}

function refusesToken(response: Response): boolean {
  return response.headers.get("WWW-Authenticate")?.includes('error="invalid_token"') ?? false;
}

function withHint(answer: ExecutionResult, hint: string): ExecutionResult {
  const received: readonly { message: string }[] = answer.errors ?? [];
  const errors = received.map((error) => ({ ...error, message: `${error.message} ${hint}` }));
  return { ...answer, errors } as unknown as ExecutionResult;
}

function failure(message: string): ExecutionResult {
  return { errors: [{ message }] } as unknown as ExecutionResult;
}
