// Elements, numbers and words that everything else is drawn with.

const spaces = { svg: 'http://www.w3.org/2000/svg' };

function fill(node, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : value);
  }
  for (const child of children.flat(3)) if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}

/** An element. Strings become text, never markup; styles are set by classes, as the page's policy wants. */
export function el(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

export function svg(name, properties = {}, ...children) {
  return fill(document.createElementNS(spaces.svg, name), properties, children);
}

export const byId = id => document.getElementById(id);

/** Significant digits; a dash for no value. */
export function digits(value, count = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)) {
    const [mantissa, power] = value.toExponential(count - 1).split('e');
    return `${parseFloat(mantissa)}·10${raised(Number(power))}`.replace('-', '−');
  }
  return String(parseFloat(value.toPrecision(count))).replace('-', '−');
}

/** As an exponent. */
function raised(power) {
  return String(power).replace(/./g, c => ({ '-': '⁻' })[c] ?? '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)]);
}

/** Two decimals, as scores between 0 and 1 are written: a column of them lines up. */
export const score = value => value === null || value === undefined ? '–' : value.toFixed(2).replace('-', '−');

/** How many times as much. */
export const times = value => value === null || value === undefined ? '–' : `${digits(value)} ×`;

export const count = value => value === null || value === undefined ? '–' : value.toLocaleString('en').replaceAll(',', '\u202f');

export const percent = value => value === null || value === undefined ? '–' : digits(value * 100, 2) + ' %';

/** "+" and "−", with the typographer's sign. */
export const sideName = side => side === '-' ? '−' : '+';

/** encoder.blocks.2.mlp.1 · 412, or the name that a direction or latent has. */
export const place = feature => `${feature.hook} · ${feature.number}`;

export function say(text) { byId('live').textContent = text; }
