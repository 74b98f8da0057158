// A result by its declaration.

import { el } from '../shared/elements.js';
import { digits } from '../shared/numbers.js';
import { axisLabel, axisTitle, valuesOf } from './axes.js';
import { heatMap } from './heatmap.js';
import { ground, listen, over, upright } from './recording.js';
import { seriesPlot } from './series.js';
import { table } from './table.js';
import { timeline } from './timeline.js';

const turned = array => {
  const values = valuesOf(array), [rows, columns] = array.shape;
  return Array.from({ length: columns }, (_, c) => ({ name: axisLabel(array.axes[1], c), values: Float64Array.from({ length: rows }, (_, r) => values[r * columns + c]) }));
};
const byRow = array => {
  const values = valuesOf(array), [rows, columns] = array.shape;
  return Array.from({ length: rows }, (_, r) => ({ name: axisLabel(array.axes[0], r), values: values.slice(r * columns, (r + 1) * columns) }));
};
/** The elements of one result. others: the results of the same run, for what lies over a spectrogram. */
function draw(result, output, others) {
  const name = (output.title || output.id) + (result.file ? ', ' + result.file : ''), unit = output.unit;
  if (result.too_large) return [el('p', { class: 'quiet' }, 'Left out of this page for its size; the files have it (--out FOLDER).')];
  switch (result.kind) {
    case 'scalar': return [el('p', { class: 'big' }, digits(result.value, 6) + (unit ? ' ' + unit : ''))];
    case 'text': return [el('pre', { dir: 'auto', tabindex: 0 }, result.text)];
    case 'audio_clip': return [listen(result, name, others)];
    case 'events': case 'timed_events': {
      const list = table(['start', 'end', 'label', 'value'], result.events.map(e => [e.start, e.end, e.label, e.value]));
      const below = result.plot === 'spectrogram_overlay' ? ground(result, others) : null;
      if (result.plot === 'none') return [list];
      return [below ? heatMap(name, below, { upward: true, events: result.events }).node : timeline(name, result.events),
        el('details', {}, el('summary', {}, `${result.events.length} events`), list)];
    }
    case 'table': {
      const parts = [], number = result.columns.findIndex((_, c) => result.rows.some(r => typeof r[c] === 'number'));
      if ((result.plot === 'bar' || result.plot === 'line') && number >= 0) {
        const text = result.columns.findIndex((_, c) => result.rows.some(r => typeof r[c] === 'string'));
        const axis = { name: text < 0 ? 'row' : result.columns[text], unit: null, first: 0, step: 1, count: result.rows.length, labels: text < 0 ? null : result.rows.map(r => String(r[text] ?? '')) };
        parts.push(seriesPlot(name, axis, [{ name: '', values: result.rows.map(r => typeof r[number] === 'number' ? r[number] : NaN) }], result.columns[number], result.plot === 'bar'));
      }
      return [...parts, table(result.columns, result.rows)];
    }
    case 'vector': {
      if (result.plot === 'none') return [table([axisTitle(result.axes[0]) || 'position', unit || 'value'], Array.from(valuesOf(result), (v, i) => [axisLabel(result.axes[0], i), Number.isNaN(v) ? null : v]))];
      if (result.plot === 'heat_map') return [heatMap(name, { ...result, shape: [1, result.shape[0]], axes: [{ name: '', unit: null, labels: [''], first: 0, step: 1, count: 1 }, result.axes[0]] }).node];
      const below = result.plot === 'spectrogram_overlay' ? ground(result, others) : null;
      if (below) return [heatMap(name, below, { upward: true, line: result }).node];
      return [seriesPlot(name, result.axes[0], [{ name: '', values: valuesOf(result) }], unit, result.plot === 'bar')];
    }
    case 'matrix': {
      const note = result.shape.join() === result.whole_shape.join() ? null
        : el('p', { class: 'quiet' }, `${result.whole_shape.join(' × ')} values, shown as ${result.shape.join(' × ')} means of neighbours; the files have all.`);
      if (result.plot === 'none') return [table([''].concat(Array.from({ length: result.shape[1] }, (_, c) => axisLabel(result.axes[1], c))), byRow(result).map(r => [r.name, ...Array.from(r.values, v => Number.isNaN(v) ? null : v)])), note];
      if (result.plot === 'bar') return [seriesPlot(name, result.axes[0], turned(result), unit, true), note];
      if (result.plot === 'line') return [seriesPlot(name, result.axes[1], byRow(result), unit, false), note];
      const upward = result.plot === 'spectrogram_overlay';
      return [heatMap(name, upward ? upright(result) : result, upward ? { upward, ...over(result, others) } : {}).node, note];
    }
  }
  return [el('p', { class: 'quiet' }, 'Of a kind that this page does not know: ' + result.kind)];
}

/** Results of one output: a few below each other, many one at a time. */
export function several(results, output, others = []) {
  if (results.length <= 3) return results.map(r => el('div', {}, r.file ? el('h3', {}, r.file) : null, draw(r, output, others)));
  const choice = el('select', { 'aria-label': 'recording' }, results.map((r, i) => el('option', { value: i }, r.file || `result ${i + 1}`)));
  const place = el('div');
  const show = i => { choice.value = i; place.replaceChildren(...draw(results[i], output, others).filter(Boolean)); };
  const turn = by => show((Number(choice.value) + by + results.length) % results.length);
  choice.addEventListener('change', () => show(Number(choice.value)));
  show(0);
  return [el('div', { class: 'choose' }, choice,
    el('button', { type: 'button', class: 'plain', onclick: () => turn(-1), 'aria-label': 'previous recording' }, '←'),
    el('button', { type: 'button', class: 'plain', onclick: () => turn(1), 'aria-label': 'next recording' }, '→'),
    el('span', { class: 'quiet' }, `${results.length} results`)), place];
}
