/** What the page asks of the graph, and the shapes of what it gets. */

/** How many of the newest are shown. */
export const SHOWN = { orders: 5, notifications: 6 };

/** What the shop offers on this page; the graph has no list of products. */
export const OFFERED = ["p-1", "p-2", "p-3", "p-13", "p-17", "p-19", "p-29", "p-41", "p-77", "p-120"];

export const DASHBOARD = `query Dashboard($orders: Int!, $notifications: Int!, $offered: [ID!]!) {
  dashboard {
    user { name email phone tier createdAt freshness { ...Age } }
    recentOrders(limit: $orders) {
      id status createdAt total { amount currency } freshness { ...Age }
      items { quantity product { id name freshness { ...Age } } }
      payment { status method freshness { ...Age } }
    }
    notifications(unread: false, limit: $notifications) {
      id message read createdAt freshness { ...Age }
    }
  }
  offered: products(ids: $offered) {
    id name inStock price { amount currency } freshness { ...Age }
  }
}
fragment Age on Freshness { origin asOf reason }`;

export const CREATE_ORDER = `mutation PlaceOrder($input: CreateOrderInput!) {
  createOrder(input: $input) {
    __typename
    ... on OrderCreated { order { id total { amount currency } } }
    ... on PaymentQueued { order { id total { amount currency } } }
    ... on OrderRejected { reason message }
    ... on OutcomeUnknown { message }
  }
}`;

export const MARK_READ = `mutation MarkRead($id: ID!) {
  markNotificationRead(id: $id) { __typename }
}`;

/**
 * @typedef {{origin: "LIVE" | "CACHE" | "STALE", asOf: string, reason: string | null}} Freshness
 * @typedef {{amount: string, currency: string}} Money
 * @typedef {{name: string, email: string, phone: string | null, tier: string | null,
 *   createdAt: string | null, freshness: Freshness}} User
 * @typedef {{id: string, name: string, freshness: Freshness}} Product
 * @typedef {Product & {inStock: boolean, price: Money}} Offer
 * @typedef {{status: string, method: string, freshness: Freshness}} Payment
 * @typedef {{id: string, status: string, createdAt: string, total: Money, freshness: Freshness,
 *   items: {quantity: number, product: Product | null}[], payment: Payment | null}} Order
 * @typedef {{id: string, message: string, read: boolean, createdAt: string,
 *   freshness: Freshness}} Notification
 * @typedef {{user: User | null, recentOrders: Order[] | null,
 *   notifications: Notification[] | null}} Sections
 * @typedef {{dashboard: Sections, offered: (Offer | null)[]}} Dashboard
 * @typedef {{__typename: "OrderCreated" | "PaymentQueued", order: {id: string, total: Money}}} Placed
 * @typedef {{__typename: "OrderRejected", reason: string, message: string}} Rejected
 * @typedef {{__typename: "OutcomeUnknown", message: string}} Unknown
 * @typedef {{createOrder: Placed | Rejected | Unknown}} OrderPlacing
 * @typedef {{markNotificationRead: {__typename: string}}} MessageReading
 */
