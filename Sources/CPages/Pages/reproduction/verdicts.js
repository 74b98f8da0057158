// Verdicts and the numbers behind them.

import { el } from '../shared/elements.js';
import { digits, percent } from '../shared/numbers.js';

const verdictWords = {
  holds: ['✓', 'holds'], holds_partly: ['◐', 'holds partly'], does_not_hold: ['✗', 'does not hold'],
  cannot_be_said: ['–', 'cannot be said']
};
export function badge(verdict) {
  const [mark, words] = verdictWords[verdict] ?? ['?', verdict];
  return el('span', { class: 'badge', 'data-verdict': verdict }, el('span', { 'aria-hidden': 'true' }, mark), words);
}
/** What is at most 2 is a share of one; in percent with one decimal. */
const share = v => v === null || v === undefined || Math.abs(v) > 2 ? digits(v) : percent(Math.round(v * 1000) / 1000, 4);

/** A number on the scale of its thresholds. */
export function criterion(c) {
  const up = c.direction === 'at_least', word = up ? 'from' : 'up to';
  const said = c.value !== null;
  const top = Math.max(1, c.holds, c.partly, said ? c.value : 0), low = Math.min(0, said ? c.value : 0);
  const at = v => Math.min(Math.max((v - low) / (top - low), 0), 1) * 100;
  const edges = up ? [['not', 0, at(c.partly)], ['partly', at(c.partly), at(c.holds)], ['holds', at(c.holds), 100]]
    : [['holds', 0, at(c.holds)], ['partly', at(c.holds), at(c.partly)], ['not', at(c.partly), 100]];
  const meter = el('div', { class: 'meter', 'aria-hidden': 'true' }, edges.map(([zone, from, to], i) => {
    const part = el('i', { class: `z-${zone}${i === 2 ? ' end' : ''}` });
    part.style.width = (to - from) + '%';
    return part;
  }));
  if (said) {
    const mark = el('b');
    mark.style.left = at(c.value) + '%';
    meter.append(mark);
  }
  return el('div', { class: 'criterion', 'data-verdict': c.verdict },
    el('span', {}, c.question[0].toUpperCase() + c.question.slice(1)),
    el('span', { class: 'measured' }, said ? share(c.value) : '–', said && c.of ? el('small', {}, ` · ${c.count} ${c.of}`) : null),
    meter,
    el('p', { class: 'quiet thresholds' }, `Holds ${word} ${share(c.holds)}, partly ${word} ${share(c.partly)}`
      + (c.least > 1 ? `, measured on ${c.least} at least` : '') + `: ${c.because}.`
      + (c.reason ? ` Here nothing can be said: ${c.reason}.` : '')));
}
