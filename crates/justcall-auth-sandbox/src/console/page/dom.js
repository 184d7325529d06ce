// Makes elements without markup, so that no text from a request can become a part of the page.

const SVG = 'http://www.w3.org/2000/svg';

/** Creates an element with these attributes (or, for functions, listeners) and children. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** Creates an element of SVG. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (typeof value === 'boolean') element.toggleAttribute(name, value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Returns the element with an id. */
export const byId = (id) => document.getElementById(id);

/** Shows a message, which a screen reader reads out. */
export function announce(text) {
  byId('message').textContent = text;
}

/** Runs a handler of an event; shows why it failed. */
export function handle(action) {
  return async (event) => {
    event.preventDefault?.();
    try {
      await action(event);
    } catch (error) {
      announce(error.message);
    }
  };
}

/** Creates a button that copies a text. */
export function copyButton(name, text) {
  const copy = handle(async () => {
    await navigator.clipboard.writeText(text);
    announce(`Copied: ${name}.`);
  });
  return el('button', { type: 'button', class: 'small', click: copy, 'aria-label': `Copy ${name}` }, 'Copy');
}

/** Replaces the children of an element if what they show has changed, so that focus and selection stay. */
export function update(element, key, children) {
  const text = JSON.stringify(key);
  if (element.shownKey === text) return;
  element.shownKey = text;
  const focused = element.contains(document.activeElement) && document.activeElement.getAttribute('data-key');
  element.replaceChildren(...children());
  if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}
