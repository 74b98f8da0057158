// The page of a reproduction: verdicts, figures, and what is to be heard.

import { setColours } from '../shared/colours.js';
import { block, byId, el, facts } from '../shared/elements.js';
import { digits } from '../shared/numbers.js';
import { several } from '../results/result.js';
import { table } from '../results/table.js';
import { recording, soundTable } from './listening.js';
import { badge, criterion } from './verdicts.js';

const data = block('results');

/** A figure; what is folded is drawn when somebody asks. */
function exhibit(shown) {
  const parts = [
    ...(shown.output ? several(shown.results, shown.output).flat().filter(Boolean) : []),
    ...shown.problems.map(p => el('p', { class: 'problems' }, p))
  ];
  const narrow = shown.results.every(r => r.kind === 'matrix' && r.plot === 'heat_map' && r.shape[1] <= 16);
  if (!shown.folded) return el('div', { class: narrow ? 'figure' : 'figure wide' }, el('p', {}, shown.caption),
    shown.output?.title ? el('p', { class: 'quiet' }, shown.output.title + (shown.output.unit ? ` (${shown.output.unit})` : '')) : null, parts);
  // Drawn when it is opened: a plot has no width before.
  const details = el('details', { class: 'more' }, el('summary', {}, shown.caption));
  details.addEventListener('toggle', () => { if (details.open && details.children.length < 2) details.append(...parts); });
  return details;
}

function how(section) {
  const columns = ['part', 'what', 'arguments', 'seconds', 'files'];
  const rows = section.parts.map(p => [p.id, p.what,
    Object.entries(p.arguments).map(([k, v]) => `${k}=${v.length > 60 ? v.slice(0, 60) + '…' : v}`).join(', '),
    p.kept ? `${digits(p.seconds, 3)} (kept)` : digits(p.seconds, 3), p.folder ?? 'transcripts.jsonl']);
  return el('details', { class: 'more' }, el('summary', {}, 'How this was done'), el('p', {}, section.method),
    section.notes.map(n => el('p', { class: 'quiet' }, n)), rows.length ? table(columns, rows) : null);
}

function claim(section, i) {
  const node = el('section', { class: 'claim', id: section.id, 'data-verdict': section.verdict },
    el('h2', {}, `${i + 1}. ${section.title}`), badge(section.verdict),
    el('div', { class: 'sides' },
      el('div', {}, el('h3', {}, 'What the post found'), el('p', {}, section.claim)),
      el('div', { class: 'here' }, el('h3', {}, 'This model, on these samples'),
        el('p', {}, section.finding || (section.reason ? 'Nothing can be said: ' + section.reason + '.' : '–')))),
    section.failure ? el('p', { class: 'problems' }, 'This section failed: ' + section.failure) : null,
    section.criteria.length ? el('div', { class: 'criteria' }, section.criteria.map(criterion)) : null);
  const cards = section.listening;
  if (cards.length) {
    node.append(el('h3', {}, 'Listen'));
    node.append(...cards.map(c => c.kind === 'table' ? soundTable(c, data.sounds) : recording(c, data.sounds)));
  }
  const open = section.exhibits.filter(x => !x.folded), folded = section.exhibits.filter(x => x.folded);
  if (open.length) node.append(el('div', { class: 'figures' }, open.map(exhibit)));
  node.append(...folded.map(exhibit), how(section));
  return node;
}

function whole() {
  const main = byId('page'), { samples, model } = data;
  main.replaceChildren(el('header', {}, el('p', { class: 'kicker' }, 'auscult reproduce'),
    el('h1', {}, 'Interpreting Whisper, on these samples'),
    el('p', { class: 'lead' }, 'The experiments of “Interpreting OpenAI’s Whisper” (E. Reid, 2023), repeated with one model on one set of recordings. '
      + 'Each verdict is computed from the thresholds that stand beside it.')),
    facts([
      ['Model', model.name], ['Precision', model.precision === 'exact' ? '' : model.precision], ['SHA-256', model.sha256 ? model.sha256.slice(0, 10) + '…' : ''],
      ['Recordings', digits(samples.recordings)], ['with speech', digits(samples.spoken)],
      ['Written down', `${Math.min(samples.spoken, data.options.recordings)} recordings`], ['Seed', String(data.options.seed)],
      ['Time', digits(data.seconds, 3) + ' s'], ['Date', data.date.slice(0, 10)], ['auscult', data.version]
    ], 'run'),
    el('ul', { class: 'overview' }, data.sections.map((s, i) => el('li', {}, el('a', { href: '#' + s.id },
      el('span', {}, badge(s.verdict)), el('b', {}, `${i + 1}. ${s.title}`), el('p', {}, s.finding || s.reason || ''))))));
  // A section that cannot be drawn does not take the others with it.
  data.sections.forEach((s, i) => {
    try { main.append(claim(s, i)); } catch (error) {
      main.append(el('section', { class: 'claim', id: s.id }, el('h2', {}, s.title), el('p', { class: 'problems' }, 'This section cannot be drawn: ' + error)));
      console.error(error);
    }
  });
  if (data.problems.length) main.append(el('details', { class: 'more' }, el('summary', {}, `${data.problems.length} recordings were left out`), data.problems.map(p => el('p', { class: 'quiet' }, p))));
  main.append(el('footer', {}, el('p', { class: 'quiet' }, 'Beside this page: results.json and verdicts.csv with every number, and a folder for each section with its tables (CSV, NPY), figures (SVG, PNG) and sounds (FLAC).')));
}
setColours(block('colours'));
whole();
