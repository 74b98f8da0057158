// Numbers as people read them.

const missing = value => value === null || value === undefined || Number.isNaN(value);
const signed = text => text.replace('-', '−');

/** Significant digits; whole numbers with all of theirs, and a dash for no value. */
export function digits(value, count = 4) {
  if (missing(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return signed(String(value));
  if (size < 1e-4 || size >= 1e7) {
    const [mantissa, power] = value.toExponential(count - 1).split('e');
    return signed(`${parseFloat(mantissa)}·10${raised(Number(power))}`);
  }
  return signed(String(parseFloat(value.toPrecision(count))));
}

/** As an exponent. */
function raised(power) {
  return String(power).replace(/./g, c => ({ '-': '⁻' })[c] ?? '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(c)]);
}

/** As many decimals as are asked for: a column of them lines up, and a number that changes stays in its place. */
export const fixed = (value, decimals) => missing(value) ? '–' : signed(value.toFixed(decimals));

/** As scores between 0 and 1 are written. */
export const score = value => fixed(value, 2);

/** How many times as much. */
export const times = value => missing(value) ? '–' : `${digits(value, 3)} ×`;

export const count = value => missing(value) ? '–' : value.toLocaleString('en').replaceAll(',', '\u202f');

export const percent = (value, count = 2) => missing(value) ? '–' : digits(value * 100, count) + '\u00a0%';
