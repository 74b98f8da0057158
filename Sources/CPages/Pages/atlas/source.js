// Where the atlas comes from: a server's interface, or files beside the page.
//
// Files are scripts that call `auscultAtlas(name, value)`: those load from a folder on disk too, where a page may not
// read files in any other way.

import { bytesOf } from '../shared/sound.js';

const waiting = new Map();
export const isStatic = document.documentElement.dataset.atlas === 'files';

globalThis.auscultAtlas = (name, value) => {
  waiting.get(name)?.(value);
  waiting.delete(name);
};

function loadFile(name) {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    waiting.set(name, resolve);
    script.onload = () => { script.remove(); if (waiting.delete(name)) reject(new Error(`${name} holds something else`)); };
    script.onerror = () => { script.remove(); waiting.delete(name); reject(new Error(`${name} is not part of this export`)); };
    script.src = name + '.js';
    document.head.append(script);
  });
}

async function ask(address, signal) {
  const answer = await fetch(address, { signal });
  if (answer.ok) return answer;
  const text = await answer.text();
  let message = text;
  try { message = JSON.parse(text).error; } catch { /* Not from the atlas' own server. */ }
  throw new Error(message || `${address}: ${answer.status}`);
}

/** A few values that were asked for before; the oldest goes first. */
class Memory {
  constructor(most) { this.most = most; this.kept = new Map(); }
  get(key, make) {
    let value = this.kept.get(key);
    if (value) this.kept.delete(key);
    else {
      value = make();
      // What failed may be tried again.
      value.catch(() => { if (this.kept.get(key) === value) this.kept.delete(key); });
    }
    this.kept.set(key, value);
    if (this.kept.size > this.most) this.kept.delete(this.kept.keys().next().value);
    return value;
  }
}

const cards = new Memory(20), recordings = new Memory(200), sounds = new Memory(60);
const json = (name, address) => isStatic ? loadFile(name) : ask(address).then(a => a.json());

/** Scans, hook points, kinds of labels, colours. */
export const atlas = () => json('data/atlas', 'api/atlas');

/** A feature with its labels, examples and bins. */
export const card = id => cards.get(id, () => json(`data/feature-${id}`, `api/features/${id}`));

/** A recording with what is heard in it, and the features that it excites. */
export const recording = id => recordings.get(id, () => json(`data/recording-${id}`, `api/recordings/${id}`));

/** The bytes of a sound file. */
export const soundFile = name => sounds.get(name, async () => {
  if (!isStatic) return (await ask(`sound/${name}.wav`)).arrayBuffer();
  return bytesOf(await loadFile(`sound/${name}`)).buffer;
});

/**
 * A page of the list of features: {total, rows: [{feature, label}]}.
 * query: q, hook, kind, lift, sort, order, as in the address.
 */
export async function features(query, page, size, signal) {
  if (!isStatic) {
    // A space as %20: a plus sign for one is a custom of forms, which the server does not share.
    const parameters = String(new URLSearchParams({ ...query, page, size })).replaceAll('+', '%20');
    return (await ask(`api/features?${parameters}`, signal)).json();
  }
  const rows = select(await allRows(), query);
  return { total: rows.length, rows: rows.slice(page * size, (page + 1) * size) };
}

let all = null;

/** The list in a file: columns of features and of labels, to be short. */
function allRows() {
  const named = (names, values) => Object.fromEntries(names.map((name, i) => [name, values[i]]));
  return all ??= loadFile('data/features').then(file => file.rows.map(([feature, labels]) => ({
    feature: { ...named(file.feature, feature), hook: file.hooks[feature[1]] },
    labels: labels.map(label => named(file.label, label))
  })));
}

let selected = { key: null, rows: [] };

/** What the server's search does, over rows that are here. */
function select(rows, query) {
  const key = JSON.stringify(query);
  if (selected.key === key) return selected.rows;
  // SQLite's LIKE takes A and a for the same, and tells other letters apart.
  const lower = text => text.replace(/[A-Z]/g, c => c.toLowerCase());
  const words = lower(query.q).split(/\s+/).filter(Boolean).slice(0, 16), out = [];
  const found = (word, feature, labels) => lower(feature.name).includes(word) || lower(feature.hook).includes(word)
    || labels.some(l => lower(l.label).startsWith(word)) || /^#?[+-]?\d+$/.test(word) && Number(word.replace('#', '')) === feature.number;
  for (const { feature, labels } of rows) {
    if (query.hook && feature.hook !== query.hook) continue;
    if (!words.every(word => found(word, feature, labels))) continue;
    // What has no lift is not above it.
    const candidates = labels.filter(l => (!query.kind || l.kind === query.kind)
      && (!query.lift || (l.lift ?? -1) >= Number(query.lift)));
    if (query.lift && !candidates.length) continue;
    const label = candidates.reduce((a, b) => a === null || (b.precision ?? -1) > (a.precision ?? -1) ? b : a, null);
    out.push({ feature, label });
  }
  selected = { key, rows: sorted(out, query) };
  return selected.rows;
}

/** What has no value comes last either way; what is equal, by hook point and number. */
function sorted(rows, { sort, order }) {
  const value = { density: r => r.feature.density, maximum: r => r.feature.maximum, number: () => 0 }[sort]
    ?? (r => r.label?.[sort]);
  const sign = order === 'down' ? -1 : 1, compare = (a, b) => a < b ? -1 : a > b ? 1 : 0;
  const missing = v => v === null || v === undefined;
  return rows.sort((a, b) => {
    const [p, q] = [value(a), value(b)];
    if (missing(p) !== missing(q)) return missing(p) - missing(q);
    return sign * (missing(p) ? 0 : compare(p, q)) || (sort === 'number' ? sign : 1)
      * (compare(a.feature.hook, b.feature.hook) || a.feature.number - b.feature.number || a.feature.id - b.feature.id);
  });
}
