import { Kind, parse, print } from "graphql";

import createOrder from "../../examples/queries/create_order.graphql?raw";
import createOrderVariables from "../../examples/queries/create_order.variables.json?raw";
import dashboard from "../../examples/queries/dashboard.graphql?raw";
import notifications from "../../examples/queries/notifications.graphql?raw";
import notificationsVariables from "../../examples/queries/notifications.variables.json?raw";
import order from "../../examples/queries/order.graphql?raw";
import orderVariables from "../../examples/queries/order.variables.json?raw";
import products from "../../examples/queries/products.graphql?raw";
import productsVariables from "../../examples/queries/products.variables.json?raw";

import type { Tab } from "./storage";

/** A query worth showing. */
export interface Example {
  /** A GraphQL name; the tab's title when the operation has none. */
  name: string;
  query: string;
  /** JSON, as text or as a value. */
  variables?: unknown;
}

export const BUILT_IN: readonly Example[] = [
  { name: "Dashboard", query: dashboard },
  { name: "Order", query: order, variables: orderVariables },
  { name: "Products", query: products, variables: productsVariables },
  { name: "Notifications", query: notifications, variables: notificationsVariables },
  { name: "CreateOrder", query: createOrder, variables: createOrderVariables },
];

/** What GraphiQL wants to open a tab. */
export function tabOf({ name, query, variables = null }: Example): Tab {
  return {
    query: named(query, name),
    variables: typeof variables === "string" ? variables.trim() : pretty(variables),
  };
}

/** GraphiQL titles a tab by its operation, so an anonymous one is given the example's name. */
function named(query: string, name: string): string {
  const document = parse(query);
  const [first] = document.definitions;
  if (first?.kind !== Kind.OPERATION_DEFINITION || first.name) return query.trim();
  const operation = { ...first, name: { kind: Kind.NAME, value: name } } as const;
  return print({ ...document, definitions: [operation, ...document.definitions.slice(1)] });
}

function pretty(variables: unknown): string | null {
  return variables === null ? null : JSON.stringify(variables, null, 2);
}
