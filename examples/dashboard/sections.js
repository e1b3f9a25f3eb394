/** The parts of the dashboard that only show: the user, the orders, the products on offer. */

import { element, find, setAttribute, setText, showEach } from "./dom.js";
import { verdictAt, verdictOf, worst } from "./freshness.js";
import { clock, day, price } from "./times.js";
import { paid, plain } from "./wording.js";

/**
 * @typedef {import("./documents.js").Dashboard} Dashboard
 * @typedef {import("./documents.js").Order} Order
 * @typedef {import("./freshness.js").Verdict} Verdict
 * @typedef {import("./verdicts.js").Named} Named
 */

/**
 * An answer, and when it came.
 *
 * @typedef {import("./graphql.js").Answer<Dashboard> & {at: Date}} Seen
 */

/**
 * @param {HTMLElement} section
 * @param {Seen} seen
 * @returns {Named[]}
 */
export function showUser(section, seen) {
  const user = seen.data?.dashboard.user ?? null;
  setText(find(section, "h1", HTMLElement), user === null ? "Your dashboard" : user.name);
  const details = user === null ? [] : [user.email, user.phone, membership(user)];
  setText(find(section, ".details", HTMLElement), details.filter(Boolean).join(" · "));
  const verdict = whole(seen, "users", ["dashboard", "user"], user?.freshness);
  return [{ name: "Profile", verdict }];
}

/** @param {import("./documents.js").User} user */
function membership({ tier, createdAt }) {
  const since = createdAt === null ? "" : ` since ${String(new Date(createdAt).getFullYear())}`;
  return tier === null ? null : `${plain(tier.toUpperCase())} member${since}`;
}

/**
 * @param {HTMLElement} section
 * @param {Seen} seen
 * @returns {Named[]}
 */
export function showOrders(section, seen) {
  const orders = seen.data?.dashboard.recentOrders ?? [];
  const verdict = whole(seen, "orders", ["dashboard", "recentOrders"], orders[0]?.freshness);
  showEach(find(section, ".rows", HTMLElement), orders, {
    key: ({ id }) => id,
    create: newOrderRow,
    update: (row, order) => {
      setAttribute(find(row, ".status", HTMLElement), "data-status", order.status);
      setText(find(row, ".status", HTMLElement), plain(order.status));
      setText(find(row, ".when", HTMLElement), day(order.createdAt));
      setText(find(row, ".items", HTMLElement), items(order));
      setText(find(row, ".total", HTMLElement), price(order.total));
      const paymentVerdict = verdictOfPayment(seen, orders.indexOf(order));
      const payment = find(row, ".payment", HTMLElement);
      setText(payment, paymentText(order, paymentVerdict, seen.at));
      setAttribute(payment, "title", order.payment === null ? "" : plainMethod(order.payment));
      setAttribute(payment, "data-kind", paymentVerdict?.kind ?? "live");
    },
  });
  const products = orders.flatMap((order, index) => verdictsOfProducts(seen, order, index));
  const payments = orders.flatMap((_, index) => verdictOfPayment(seen, index) ?? []);
  return [
    { name: "Orders", verdict },
    ...together("Products", products),
    ...together("Payments", payments),
  ];
}

/**
 * @param {string} name
 * @param {Verdict[]} verdicts
 * @returns {Named[]} one, or none where there is nothing to judge
 */
function together(name, verdicts) {
  const verdict = worst(verdicts);
  if (verdict === undefined) return [];
  const isSplit = verdicts.some(({ kind }) => kind !== verdict.kind);
  return [{ name, verdict, partly: verdict.kind === "missing" && isSplit }];
}

/** @param {Order} order */
function newOrderRow({ id }) {
  return element(
    "li",
    { class: "order" },
    element(
      "div",
      { class: "what" },
      element("p", { class: "items" }),
      element("p", { class: "fine" }, `${id} · `, element("span", { class: "when" })),
    ),
    element("span", { class: "status" }),
    element(
      "div",
      { class: "money" },
      element("p", { class: "total" }),
      element("p", { class: "fine payment" }),
    ),
  );
}

/** @param {Order} order */
function items({ items: lines }) {
  const named = lines.map(({ quantity, product }) => {
    const name = product === null ? "a product without its name" : product.name;
    return `${String(quantity)}\u00a0×\u00a0${name}`; // the number stays with its product
  });
  return named.join(", ");
}

/**
 * @param {Order} order
 * @param {Verdict | null} verdict
 * @param {Date} now
 */
function paymentText({ payment }, verdict, now) {
  if (payment === null) return verdict === null ? "nothing paid" : "payment not available";
  const old = verdict?.kind === "old" && verdict.asOf !== null ? verdict.asOf : null;
  // One line, old or not: nothing moves when the service is slow.
  return `${paid(payment)} · ${old === null ? plainMethod(payment) : `as of ${clock(old, now)}`}`;
}

/** @param {import("./documents.js").Payment} payment */
function plainMethod({ method }) {
  return method.replaceAll("-", " ");
}

/**
 * @param {Seen} seen
 * @param {number} index
 */
function verdictOfPayment(seen, index) {
  const payment = seen.data?.dashboard.recentOrders?.[index]?.payment ?? null;
  if (payment !== null) return verdictOf("payments", payment.freshness);
  return verdictAt(seen, ["dashboard", "recentOrders", index, "payment"], "payments", seen.at);
}

/**
 * @param {Seen} seen
 * @param {Order} order
 * @param {number} index
 */
function verdictsOfProducts(seen, order, index) {
  return order.items.flatMap(({ product }, line) => {
    if (product !== null) return verdictOf("products", product.freshness);
    const path = ["dashboard", "recentOrders", index, "items", line, "product"];
    return verdictAt(seen, path, "products", seen.at) ?? [];
  });
}

/**
 * @param {HTMLElement} select
 * @param {Seen} seen
 * @param {readonly string[]} offered
 * @returns {Named[]}
 */
export function showOffers(select, seen, offered) {
  const offers = offered.map((id, index) => ({ id, index, offer: seen.data?.offered[index] ?? null }));
  showEach(select, offers, {
    key: ({ id }) => id,
    create: ({ id }) => element("option", { value: id }),
    update: (option, { id, offer }) => {
      const soldOut = offer?.inStock === false ? " (sold out)" : "";
      setAttribute(option, "data-name", offer?.name ?? id);
      setText(option, offer === null ? id : `${offer.name}, ${price(offer.price)}${soldOut}`);
    },
  });
  const verdicts = offers.flatMap(({ offer, index }) =>
    offer === null
      ? (verdictAt(seen, ["offered", index], "products", seen.at) ?? [])
      : verdictOf("products", offer.freshness),
  );
  if (verdicts.length === 0) return [{ name: "Prices", verdict: withoutData("products") }];
  return together("Prices", verdicts);
}

/**
 * On a whole section: by the freshness of what is in it, or else by what is said of its place.
 *
 * @param {Seen} seen
 * @param {string} service
 * @param {import("./graphql.js").Path} path
 * @param {import("./documents.js").Freshness | undefined} freshness
 * @returns {Verdict}
 */
export function whole(seen, service, path, freshness) {
  if (freshness !== undefined) return verdictOf(service, freshness);
  const told = verdictAt(seen, path, service, seen.at);
  if (told !== null) return told;
  return seen.data === null
    ? withoutData(service)
    : { kind: "live", service, asOf: seen.at, reason: null };
}

/**
 * @param {string} service
 * @returns {Verdict}
 */
function withoutData(service) {
  return { kind: "missing", service, asOf: null, reason: "NO_DATA" };
}
