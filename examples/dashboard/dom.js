/** Building and changing elements; nothing is touched that is right already. */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * The element that the page has there.
 *
 * @template {HTMLElement} E
 * @param {ParentNode} within
 * @param {string} selector
 * @param {new () => E} type
 * @returns {E}
 */
export function find(within, selector, type) {
  const found = within.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${selector}`);
  return found;
}

/**
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {Element} target
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(target, name, value) {
  if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}

/**
 * Show *items* as children of *parent*: one that was there stays the same element, with its focus.
 *
 * @template T
 * @param {HTMLElement} parent
 * @param {readonly T[]} items
 * @param {{key: (item: T) => string, create: (item: T) => HTMLElement,
 *   update: (child: HTMLElement, item: T) => void}} how
 */
export function showEach(parent, items, { key, create, update }) {
  const before = new Map(
    [...parent.children].map((child) => [child.getAttribute("data-key"), child]),
  );
  items.forEach((item, index) => {
    const known = before.get(key(item));
    const child = known instanceof HTMLElement ? known : create(item);
    before.delete(key(item));
    setAttribute(child, "data-key", key(item));
    update(child, item);
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
  for (const gone of before.values()) gone.remove();
}

/**
 * A button that can be focused, and says so, while it cannot be used.
 *
 * @param {HTMLButtonElement} button
 * @param {boolean} usable
 */
export function setUsable(button, usable) {
  setAttribute(button, "aria-disabled", String(!usable));
}

/**
 * @param {HTMLButtonElement} button
 * @param {() => void} act
 */
export function onUse(button, act) {
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") act();
  });
}
