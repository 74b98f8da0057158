// The list of features: any number of them, of which only those in view are elements.

import { byId, el } from '../shared/elements.js';
import { count, digits, percent, score, times } from '../shared/numbers.js';
import { place, sideName } from './words.js';
import { go, state } from './address.js';
import { features } from './source.js';

const height = 56, size = 100;
let pages = new Map(), total = 0, version = 0, asked = null, cursor = -1, wanted = null;
const list = byId('list'), canvas = el('div', { class: 'rows', role: 'presentation' });

export const query = () => ({ q: state.q, hook: state.hook, kind: state.kind, lift: state.lift, sort: state.sort, order: state.order });

/** The row at an index, if it is here. */
const row = index => pages.get(Math.floor(index / size))?.rows?.[index % size];

/** Asks anew; keeps the place where the feature shown is among the first. */
export async function search() {
  const mine = ++version;
  asked?.abort();
  asked = new AbortController();
  list.setAttribute('aria-busy', 'true');
  try {
    const first = await features(query(), 0, size, asked.signal);
    if (mine !== version) return;
    pages = new Map([[0, first]]);
    total = first.total;
    canvas.style.height = `${total * height}px`;
    list.scrollTop = 0;
    byId('count').textContent = total === 0 ? 'No feature is like that.' : `${count(total)} ${total === 1 ? 'feature' : 'features'}`;
    cursor = first.rows.findIndex(r => String(r.feature.id) === state.feature);
    draw();
    if (cursor >= 0) reveal();
  } catch (error) {
    if (error.name === 'AbortError') return;
    byId('count').textContent = error.message;
  } finally {
    if (mine === version) list.removeAttribute('aria-busy');
  }
}

async function load(page) {
  if (pages.has(page)) return pages.get(page);
  const mine = version, coming = features(query(), page, size, asked?.signal);
  pages.set(page, coming);
  try {
    const answer = await coming;
    if (mine === version) { pages.set(page, answer); draw(); }
    return answer;
  } catch {
    if (mine === version) pages.delete(page);
    return null;
  }
}

function draw() {
  const first = Math.max(Math.floor(list.scrollTop / height) - 6, 0);
  const last = Math.min(Math.ceil((list.scrollTop + list.clientHeight) / height) + 6, total);
  const rows = [];
  for (let index = first; index < last; index++) {
    const found = row(index);
    if (!found) load(Math.floor(index / size));
    rows.push(option(index, found));
  }
  canvas.replaceChildren(...rows);
  if (!list.contains(canvas)) list.replaceChildren(canvas);
  const active = cursor >= first && cursor < last ? `option-${cursor}` : null;
  if (active) list.setAttribute('aria-activedescendant', active); else list.removeAttribute('aria-activedescendant');
}

/** What the list is sorted by, to be seen in each row. */
const sortValue = ({ feature, label }) => {
  if (state.sort === 'density') return percent(feature.density);
  if (state.sort === 'maximum') return digits(feature.maximum);
  if (state.sort === 'lift') return times(label?.lift);
  const value = label?.[['number', 'label'].includes(state.sort) ? 'precision' : state.sort];
  return score(value);
};

function option(index, found) {
  const node = el('div', {
    role: 'option', id: `option-${index}`, 'aria-setsize': total, 'aria-posinset': index + 1,
    'aria-selected': String(!!found && [state.feature, state.with].includes(String(found.feature.id))),
    class: index === cursor ? 'option cursor' : 'option', onclick: () => { cursor = index; open(); }
  });
  node.style.top = `${index * height}px`;
  if (!found) return node;
  const { feature, label } = found, gauge = el('i');
  const share = state.sort === 'density' ? feature.density : ['maximum', 'lift'].includes(state.sort) ? null
    : label?.[['number', 'label'].includes(state.sort) ? 'precision' : state.sort];
  gauge.style.width = `${Math.min(Math.max(share ?? 0, 0), 1) * 100}%`;
  node.append(el('span', { class: 'label' }, label ? label.label : feature.name || '∅'),
    el('span', { class: 'name' }, el('b', {}, feature.name || feature.number),
      label ? ` ${label.kind}${label.side === '-' ? ` ${sideName('-')}` : ''}` : ' no label', el('small', {}, feature.name ? place(feature) : feature.hook)),
    el('span', { class: 'number' }, sortValue(found), el('span', { class: 'gauge', 'aria-hidden': 'true' }, gauge)));
  return node;
}

function reveal() {
  const top = cursor * height;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + height > list.scrollTop + list.clientHeight) list.scrollTop = top + height - list.clientHeight;
  draw();
}

/** Moves the cursor and shows that feature. */
export async function move(by) {
  if (!total) return;
  // From nowhere the first step leads to an end.
  const from = cursor >= 0 ? cursor : by > 0 ? -1 : by < 0 ? total : 0;
  cursor = Math.min(Math.max(from + by, 0), total - 1);
  wanted = cursor;
  reveal();
  await load(Math.floor(cursor / size));
  if (wanted === cursor) open(true);
}

/** Shows the feature under the cursor, beside another where one is waited for. */
export function open(quietly = false) {
  const found = row(cursor);
  if (!found) return;
  const id = String(found.feature.id);
  if (state.with && !state.feature && state.with !== id) go({ feature: id, recording: '' });
  else go({ feature: id, recording: '', with: state.with === id ? '' : state.with }, quietly);
}

/** What is marked as shown follows the address. */
export function mark() { draw(); }

/** The feature with the cursor on it, to be compared with. */
export const here = () => row(cursor)?.feature;

list.addEventListener('scroll', () => requestAnimationFrame(draw), { passive: true });
new ResizeObserver(() => draw()).observe(list);
list.addEventListener('keydown', event => {
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -total, End: total }[event.key];
  if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  move(step);
});
