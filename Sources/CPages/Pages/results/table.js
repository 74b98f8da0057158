// Tables that can be sorted.

import { el } from '../shared/elements.js';
import { digits } from '../shared/numbers.js';

const mostRows = 200;

export function table(columns, rows) {
  const numeric = columns.map((_, c) => rows.some(r => typeof r[c] === 'number') && rows.every(r => typeof r[c] !== 'string'));
  const body = el('tbody'), more = el('div');
  let order = rows, limit = mostRows, sorted = null;
  const heads = columns.map((title, c) => el('th', { scope: 'col', class: numeric[c] ? 'number' : '' },
    el('button', { type: 'button', onclick: () => sort(c) }, title || '–')));
  function sort(c) {
    const down = sorted && sorted[0] === c ? !sorted[1] : numeric[c];
    sorted = [c, down];
    const missing = v => v === null || v === undefined;
    order = [...rows].sort((a, b) => {
      const [p, q] = [a[c], b[c]];
      if (missing(p) || missing(q)) return missing(p) - missing(q);
      const by = typeof p === 'number' && typeof q === 'number' ? p - q : String(p).localeCompare(String(q));
      return down ? -by : by;
    });
    heads.forEach((h, i) => i === c ? h.setAttribute('aria-sort', down ? 'descending' : 'ascending') : h.removeAttribute('aria-sort'));
    fill();
  }
  function fill() {
    body.replaceChildren(...order.slice(0, limit).map(row => el('tr', {}, row.map((cell, c) =>
      el('td', { class: numeric[c] ? 'number' : '', dir: typeof cell === 'string' ? 'auto' : null }, typeof cell === 'string' ? cell : digits(cell))))));
    more.replaceChildren(...(rows.length > limit ? [el('div', { class: 'choose' },
      el('span', { class: 'quiet' }, `${limit} of ${rows.length} rows`),
      el('button', { type: 'button', class: 'plain', onclick: () => { limit = rows.length; fill(); } }, 'Show all'))] : []));
  }
  fill();
  return el('div', {}, el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'table' },
    el('table', {}, el('thead', {}, el('tr', {}, heads)), body)),
    rows.length ? null : el('p', { class: 'quiet' }, 'no rows'), more);
}

export function scalarTable(scalars, outputs) {
  const files = new Map();
  for (const r of scalars) {
    const rows = files.get(r.file) ?? files.set(r.file, [{}]).get(r.file);
    let row = rows.at(-1);
    if (r.output in row) rows.push(row = {});
    row[r.output] = r.value;
  }
  const used = outputs.filter(o => scalars.some(r => r.output === o.id));
  const rows = [...files].flatMap(([file, list]) => list.map(row => [file, ...used.map(o => row[o.id] ?? null)]));
  return table(['recording', ...used.map(o => (o.title || o.id) + (o.unit ? ` (${o.unit})` : ''))], rows);
}
