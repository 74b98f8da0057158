// Elements. Strings become text, never markup; styles are set by classes, as the pages' policies want.

/** Gives a node its properties and children. */
export function fill(node, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : value);
  }
  for (const child of children.flat(3)) if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}

export function el(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

export const byId = id => document.getElementById(id);

/** The JSON of a block in the page that is no program. */
export const block = id => JSON.parse(byId(id).textContent);

/** A variable of the style sheets, as it is on this screen. */
export const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Names with values, side by side; what has no value is left out. */
export const facts = (pairs, name) => el('dl', { class: name },
  pairs.filter(([, value]) => value !== null && value !== undefined && value !== '')
    .map(([key, value]) => el('div', {}, el('dt', {}, key), el('dd', {}, value))));
