// A feature's distribution, and the sounds of its bins: bars of plain elements, so that text keeps its size.

import { el } from '../shared/elements.js';
import { count, digits, percent } from '../shared/numbers.js';

const place = (node, styles) => { Object.assign(node.style, styles); return node; };

/**
 * Cells [low, high) with counts, on a logarithmic scale; those at or above the threshold in the accent's colour. What is
 * `mirrored` are distances below zero.
 */
export function histogram(cells, threshold, mirrored = false) {
  if (!cells.length) return null;
  const low = Math.min(...cells.map(c => c.low), 0), high = Math.max(...cells.map(c => c.high));
  const most = Math.max(...cells.map(c => c.count)), top = Math.log10(1 + most), all = cells.reduce((a, c) => a + c.count, 0);
  const x = v => (v - low) / (high - low) * 100, given = threshold !== null && threshold !== undefined;
  const area = el('div', { class: 'area' }, cells.map(cell => place(
    el('i', {
      class: given && cell.low >= threshold ? 'above' : null,
      title: `${digits(cell.low)} – ${digits(cell.high)}: ${count(cell.count)} frames`
    }), {
      left: `${x(cell.low)}%`, width: `max(1px, calc(${x(cell.high) - x(cell.low)}% - 1px))`,
      height: `${Math.log10(1 + cell.count) / top * 100}%`
    })));
  const powers = [];
  for (let power = 1; power <= most; power *= 10) powers.push(power);
  area.append(...powers.filter((_, i) => i % Math.ceil(powers.length / 4) === 0).map(power =>
    place(el('span', { class: 'level' }, count(power)), { bottom: `${Math.log10(1 + power) / top * 100}%` })));
  if (given && threshold >= low && threshold <= high) {
    area.append(place(el('b', { class: 'threshold', title: `threshold ${digits(threshold)}` }), { left: `${x(threshold)}%` }));
  }
  const ticks = [low, (low + high) / 2, high].map(v => el('span', {}, digits(v)));
  // A threshold within a cell divides it no one knows where.
  const above = edge => percent(cells.filter(c => edge(c) > threshold || c.low >= threshold).reduce((a, c) => a + c.count, 0) / all);
  const [least, greatest] = given ? [above(c => c.low), above(c => c.high)] : [];
  return el('figure', { class: 'histogram', role: 'img', 'aria-label':
    `Histogram of ${count(all)} frames from ${digits(low)} to ${digits(high)}` }, area, el('div', { class: 'ticks' }, ticks),
  el('figcaption', {}, `${mirrored ? 'distance below zero' : 'activation'}; ${count(all)} frames on a logarithmic scale`,
    given ? `, ${least === greatest ? least : `${least} to ${greatest}`} of them above the label’s threshold of ${digits(threshold)}` : null));
}

export const mostSounds = 7;

/** The sounds that are most telling in any bin, by their largest share. */
export function mainSounds(bins) {
  const best = new Map();
  for (const bin of bins) {
    const all = total(bin);
    for (const [label, n] of Object.entries(bin.sounds)) best.set(label, Math.max(best.get(label) ?? 0, n / all));
  }
  return [...best].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, mostSounds).map(([label]) => label);
}

const total = bin => Object.values(bin.sounds).reduce((a, b) => a + b, 0) || 1;

/** One group per bin from the highest down, a bar per sound: its share of the bin's sounds. */
export function groupedBars(bins) {
  const labels = mainSounds(bins);
  if (!labels.length) return null;
  const top = Math.max(...bins.flatMap(bin => labels.map(label => (bin.sounds[label] ?? 0) / total(bin))));
  const ceiling = Math.ceil(top * 10) / 10;
  const level = share => place(el('span', { class: 'level' }, `${Math.round(share * 100)} %`), { bottom: `${share / ceiling * 100}%` });
  const groups = bins.map(bin => el('div', { class: 'group' },
    el('div', { class: 'bars' }, labels.map((label, k) => {
      const n = bin.sounds[label] ?? 0, share = n / total(bin);
      return place(el('i', { class: `s${k}`, title: `${label}: ${percent(share)}, ${count(n)} times in ${range(bin)}` }),
        { height: `${share / ceiling * 100}%` });
    })), el('span', { class: 'range' }, digits(bin.low, 2), el('br'), el('small', {}, count(bin.count)))));
  const rows = labels.map(label => el('tr', {}, el('th', { scope: 'row' }, label), bins.map(bin =>
    el('td', {}, bin.sounds[label] ? percent(bin.sounds[label] / total(bin)) : ''))));
  return el('figure', { class: 'grouped' },
    el('div', { class: 'legend' }, labels.map((label, k) => el('span', { class: `s${k}` }, label))),
    el('div', { class: 'scroller', tabindex: 0, role: 'img', 'aria-label':
      `Sounds by bins of activation, from the highest down. ${bins.map(b => `${range(b)}: ${leading(b)}`).join('; ')}` },
    el('div', { class: 'groups' }, level(ceiling), level(ceiling / 2), groups)),
    el('figcaption', {}, 'Bins of activation from the highest down, named by their lower edge, with the number of frames in them; '
      + 'each bar is a sound’s share of the labelled frames in its bin.'),
    el('details', {}, el('summary', {}, 'The numbers'), el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Shares of sounds by bins' },
      el('table', {}, el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, 'sound'),
        bins.map(bin => el('th', { scope: 'col' }, digits(bin.low, 2))))), el('tbody', {}, rows)))));
}

export const range = bin => `${digits(bin.low)} – ${digits(bin.high)}`;

function leading(bin) {
  const best = Object.entries(bin.sounds).sort((a, b) => b[1] - a[1]).slice(0, 2);
  return best.map(([label, n]) => `${label} ${percent(n / total(bin))}`).join(', ') || 'no labelled sounds';
}
