import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import { type ExecutionResult, getOperationAST, parse } from "graphql";

type HeaderValues = Readonly<Record<string, string>>;

const MEDIA_TYPES = "application/graphql-response+json, application/json;q=0.9";

/**
 * Ask by plain POST.
 *
 * Whatever goes wrong on the way is shown as GraphQL shows errors, in a sentence.
 *
 * @param introspectionHeaders - Sent with the first introspection, which starts before the
 *   headers editor is there to be read.
 */
export function createFetcher(endpoint: string, introspectionHeaders: HeaderValues): Fetcher {
  return async (parameters, options) => {
    const isIntrospection = parameters.operationName === "IntrospectionQuery";
    const given = options?.headers ?? (isIntrospection ? introspectionHeaders : {});
    let headers: Headers;
    try {
      headers = new Headers({ "Content-Type": "application/json", Accept: MEDIA_TYPES });
      for (const [name, value] of Object.entries(given)) headers.set(name, String(value));
    } catch (error) {
      return failure(`Nothing was sent: the headers are not valid. ${String(error)}`);
    }
    const body = JSON.stringify(withoutStaleName(parameters));
    try {
      return await readAnswer(
        await fetch(endpoint, { method: "POST", credentials: "same-origin", headers, body }),
      );
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

function failure(message: string): ExecutionResult {
  return { errors: [{ message }] } as unknown as ExecutionResult;
}
