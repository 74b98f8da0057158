// What is known of a feature, from its name to its examples.

import { count, digits, el, percent, place, score, sideName, times } from './elements.js';
import { go, link, state } from './address.js';
import { card as cardOf, recording as recordingOf } from './source.js';
import { groupedBars, histogram, range } from './charts.js';
import { strip, transcript } from './strip.js';

/** The sides that a feature has examples, bins or labels for, the larger values first. */
const sidesOf = card => ['+', '-'].filter(side =>
  [card.examples, card.bins, card.labels].some(list => list.some(item => item.side === side)));

const best = (labels, kind) => labels.filter(l => !kind || l.kind === kind)
  .reduce((a, b) => a === null || (b.precision ?? -1) > (a.precision ?? -1) ? b : a, null);

/** A label's threshold as ranges and histograms of its side have it: away from zero. */
const distance = label => label?.threshold === null || label?.threshold === undefined ? null
  : label.side === '-' ? -label.threshold : label.threshold;

/** The card of a feature, once it is here. */
export async function featureCard(id, { compared = false } = {}) {
  const card = await cardOf(id), sides = sidesOf(card);
  const side = sides.includes(state.side) ? state.side : sides[0] ?? '+';
  const of = list => list.filter(item => item.side === side);
  const labels = of(card.labels), label = best(labels, state.kind) ?? best(labels);
  return el('article', { class: 'card', 'aria-labelledby': `name-${id}` },
    heading(card, label, id, compared), sides.length > 1 ? sideChoice(sides, side) : null,
    facts(card), scores(labels, label), columns(card),
    section('Distribution', histogram(of(card.histogram), distance(label), side === '-')),
    section('Strongest examples', examples(card, side)),
    binSections(card, side));
}

function section(title, ...content) {
  const parts = content.flat().filter(Boolean);
  return parts.length ? el('section', {}, el('h3', {}, title), parts) : null;
}

function heading(card, label, id, compared) {
  const { feature } = card, other = compared ? { feature: state.feature === id ? state.with : state.feature, with: '' } : null;
  return el('header', { class: 'heading' },
    el('div', { class: 'glyph', 'aria-hidden': 'true' }, label ? label.label : '∅'),
    el('div', {}, el('h2', { id: `name-${id}` }, feature.name || place(feature)), feature.name ? el('p', {}, place(feature)) : null,
    el('p', {}, label ? [`${label.kind} `, el('b', {}, label.label), label.lag ? `, ${Math.abs(label.lag) * 20} ms ${label.lag > 0 ? 'after' : 'before'} it` : ''] : 'no label'),
    el('p', { class: 'links' }, compared
      ? el('a', { href: link(other) }, 'close this one')
      : el('a', { href: link({ with: state.feature, feature: '' }), class: 'compare' }, 'compare with another'))));
}

function sideChoice(sides, side) {
  return el('div', { class: 'choice sides', role: 'radiogroup', 'aria-label': 'Side' }, sides.map(each =>
    el('button', { type: 'button', role: 'radio', 'aria-checked': String(each === side), onclick: () => go({ side: each }) },
      each === '+' ? '+ largest' : '− smallest')));
}

function facts(card) {
  const f = card.feature;
  const all = [['density', percent(f.density)], ['maximum', digits(f.maximum)], ['minimum', digits(f.minimum)], ['mean', digits(f.mean)],
    ['deviation', f.variance >= 0 && f.variance !== null ? digits(Math.sqrt(f.variance)) : '–'], ['frames', count(f.frames)]];
  return el('dl', { class: 'facts' }, all.map(([k, v]) => el('div', {}, el('dt', {}, k), el('dd', {}, v))));
}

const lagOf = l => l.lag === null || l.lag === undefined ? '–' : `${l.lag * 20} ms`.replace('-', '−');

const columnsOfScores = [
  ['label', l => l.label, 'what the feature was found to say'], ['kind', l => l.kind, ''],
  ['precision', l => score(l.precision), 'of the frames above the threshold, the share that are it: on the scoring speakers'],
  ['base', l => digits(l.base), 'of all frames, the share that are it: the precision of a feature that fires at random'],
  ['lift', l => times(l.lift), 'precision over base'],
  ['named', l => score(l.namedPrecision), 'the same on the speakers that it was named by'],
  ['recall', l => score(l.recall), 'of its frames, the share above the threshold'], ['F1', l => score(l.f1), 'harmonic mean of precision and recall'],
  ['AUC', l => score(l.auc), 'area under the receiver operating characteristic'],
  ['AP', l => score(l.ap), 'average precision over all thresholds; that of a feature that fires at random is the base'],
  ['MI', l => digits(l.mutualInformation, 2), 'mutual information, in bits'],
  ['selectivity', l => score(l.selectivity), 'by entropy: 1 for a single sound, 0 for all alike'],
  ['lag', lagOf, 'by which the activation follows the sound'],
  ['p', l => digits(l.pValue, 2), 'of the precision: how often labels that are laid anew do as well'],
  ['threshold', l => digits(l.threshold), 'the activation beyond which it listens'],
  ['frames', l => `${count(l.namedFrames)} / ${count(l.scoredFrames)}`, 'by which it was named / scored']
];

function scores(labels, label) {
  if (!labels.length) return el('p', { class: 'quiet' }, 'No label was found for this side.');
  const big = [['precision', label.precision], ['recall', label.recall], ['F1', label.f1], ['AUC', label.auc]];
  return section('Labels',
    el('dl', { class: 'scores' }, big.map(([name, value]) => {
      const bar = el('i');
      bar.style.width = `${Math.min(Math.max(value ?? 0, 0), 1) * 100}%`;
      return el('div', {}, el('dt', {}, name), el('dd', {}, score(value)), el('div', { class: 'gauge', 'aria-hidden': 'true' }, bar));
    })),
    el('p', { class: 'quiet' }, 'Named on one half of the speakers (“named”), scored on the other; a speaker’s own label, on recordings.'),
    el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Labels with their scores' }, el('table', { class: 'labels' },
      el('thead', {}, el('tr', {}, columnsOfScores.map(([name, , what]) => el('th', { scope: 'col', title: what || null }, name)))),
      el('tbody', {}, labels.map(l => el('tr', { class: l === label ? 'main' : null }, columnsOfScores.map(([name, value]) =>
        name === 'label' ? el('th', { scope: 'row' }, el('a', { href: link({ q: l.label, kind: l.kind }), title: 'All features with it' }, l.label))
          : el('td', {}, value(l)))))))));
}

function columns(card) {
  if (!card.columns.length) return null;
  return el('details', {}, el('summary', {}, `By columns of the data set (${card.columns.length})`),
    el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Statistics by columns' }, el('table', {},
      el('thead', {}, el('tr', {}, ['column', 'value', 'frames', 'mean', 'maximum', 'density'].map(t => el('th', { scope: 'col' }, t)))),
      el('tbody', {}, card.columns.map(c => el('tr', {}, el('td', {}, c.column), el('th', { scope: 'row' }, c.value), el('td', {}, count(c.frames)),
        el('td', {}, digits(c.mean)), el('td', {}, digits(c.maximum)), el('td', {}, percent(c.density))))))));
}

/** What has a time is heard; a token has none, and is read. */
function exampleOf(card, example, peak, title) {
  const draw = example.seconds === null || example.seconds === undefined ? transcript : strip;
  return draw(example, card.recordings[example.recording], { peak, title });
}

const fewExamples = 5;

function examples(card, side) {
  const all = card.examples.filter(e => e.side === side), peak = Math.max(...all.map(e => Math.abs(e.value)));
  if (!all.length) return [el('p', { class: 'quiet' }, 'No examples were kept.')];
  const make = example => exampleOf(card, example, peak, `example ${example.rank} of ${all.length}`);
  const list = el('div', { class: 'strips' }, all.slice(0, fewExamples).map(make));
  const more = all.length > fewExamples && el('button', { type: 'button', class: 'plain', onclick: () => {
    const added = all.slice(fewExamples).map(make);
    list.append(...added);
    more.remove();
    added[0].focus();
  } }, `${all.length - fewExamples} more`);
  return [list, more];
}

const drawn = 'Drawn evenly from all frames of each bin. Activations were kept around the strongest examples alone, so these '
  + 'have no curve: only the moment is marked.';

function binSections(card, side) {
  const of = kind => card.bins.filter(b => b.side === side && b.kind === kind).sort((a, b) => b.bin - a.bin);
  const wide = of('width'), full = of('quantile');
  return [
    section('Sounds by activation', wide.length ? groupedBars(wide) : null),
    section('Heard from strong to weak', wide.length ? [el('p', { class: 'quiet' }, drawn), binList(card, wide)] : null),
    full.some(b => b.examples.length) ? el('details', { class: 'quantiles' }, el('summary', {}, 'Equally full bins (quantiles)'), binList(card, full)) : null
  ];
}

/** For each bin its examples: pressing one plays it, and shows it below. */
function binList(card, bins) {
  const peak = Math.max(...bins.map(b => Math.abs(b.high ?? 0)));
  return el('ol', { class: 'bins' }, bins.filter(b => b.examples.length).map(bin => {
    const shown = el('div', { class: 'shown' });
    const chips = bin.examples.map((example, i) => {
      const heard = example.heard.join(' ');
      const chip = el('button', { type: 'button', class: 'chip', 'aria-expanded': 'false',
        'aria-label': `Play an example with ${digits(example.value)}${heard ? `, heard: ${heard}` : ''}` }, heard || '·');
      chip.addEventListener('click', () => {
        const was = chip.getAttribute('aria-expanded') === 'true';
        for (const each of chips) each.setAttribute('aria-expanded', String(each === chip));
        if (!was) shown.replaceChildren(exampleOf(card, { activation: [], ...example }, peak, `example ${i + 1} of the bin ${range(bin)}`));
        shown.firstChild.toggle();
      });
      return chip;
    });
    return el('li', {}, el('span', { class: 'range' }, range(bin), el('small', {}, `${count(bin.count)} frames`)),
      el('div', { class: 'chips' }, chips), shown);
  }));
}

/** A recording with what is heard in it, and the features that it excites. */
export async function recordingCard(id) {
  const detail = await recordingOf(id), { recording, features, more, excerpt } = detail;
  const about = [recording.speaker, recording.language, recording.seconds !== null && recording.seconds !== undefined && `${digits(recording.seconds)} s`];
  return el('article', { class: 'card', 'aria-labelledby': 'recording-name' },
    el('header', { class: 'heading' }, el('div', {}, el('h2', { id: 'recording-name' }, recording.name || `Recording ${recording.number}`),
      el('p', { class: 'place' }, about.filter(Boolean).join(' · ')))),
    recording.text ? el('p', { class: 'text', dir: 'auto' }, recording.text) : null,
    excerpt ? strip({ recording: id, value: null, frame: 0, seconds: null, activation: [], excerpt }, recording, { peak: 0, title: 'the recording' }) : null,
    section('Features that it excites', features.length ? [el('div', { class: 'scroll' }, el('table', {}, el('thead', {}, el('tr', {},
      ['feature', 'side', 'rank', 'time', 'value'].map(t => el('th', { scope: 'col' }, t)))),
    el('tbody', {}, features.map(f => el('tr', {}, el('th', { scope: 'row' }, el('a', {
      href: link({ feature: f.featureId, with: '', recording: '', side: f.side })
    }, place(f))), el('td', {}, sideName(f.side)), el('td', {}, f.rank),
    el('td', {}, f.seconds === null || f.seconds === undefined ? `token ${f.frame}` : `${digits(f.seconds, 4)} s`), el('td', {}, digits(f.value))))))),
      more > 0 ? el('p', { class: 'quiet' }, `${count(more)} more, of which it is a weaker example, are not shown.`) : null]
      : el('p', { class: 'quiet' }, 'It is among the strongest examples of no feature.')));
}
