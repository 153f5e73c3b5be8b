// Elements of a component: found in its template, and made.

/**
 * The element of a template that a selector names.
 * @template {Element} [Kind=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Kind} [kind] Its class, where more is asked of it than of any HTML element.
 * @returns {Kind}
 * @throws {Error} There is none of that class.
 */
export function part(root, selector, kind) {
  const found = root.querySelector(selector);
  if (!(found instanceof (kind ?? HTMLElement))) throw new Error(`the template has no ${selector}`);
  return /** @type {Kind} */ (found);
}

/**
 * All elements that a selector names.
 * @template {Element} [Kind=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Kind} [_kind] Their class.
 * @returns {Kind[]}
 */
export function parts(root, selector, _kind) {
  return [.../** @type {NodeListOf<Kind>} */ (root.querySelectorAll(selector))];
}

/**
 * A new element with properties.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} [properties]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

/**
 * A component's own root with its template in it, put into the element that Streamlit gave.
 * @param {Node} parentElement
 * @param {string} template HTML of the program's own; never anything that a person has written.
 */
export function rootOf(parentElement, template) {
  const root = element("div", { innerHTML: template });
  parentElement.appendChild(root);
  return root;
}

/**
 * Where an event began, inside the shadow root too.
 * @param {Event} event
 */
export function targetOf(event) {
  return /** @type {HTMLElement} */ (event.composedPath()[0]);
}
