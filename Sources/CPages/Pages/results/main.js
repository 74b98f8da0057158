// The page of one run.

import { setColours } from '../shared/colours.js';
import { block, byId, el, facts } from '../shared/elements.js';
import { digits } from '../shared/numbers.js';
import { several } from './result.js';
import { scalarTable, table } from './table.js';

function page() {
  const main = byId('page'), data = block('results'), { plugin, run, provenance: made } = data;
  main.replaceChildren(el('header', {}, el('h1', {}, plugin.name || plugin.id || 'Results'),
    plugin.description ? el('p', {}, plugin.description) : null,
    el('p', { class: 'quiet' }, [plugin.id, plugin.version, plugin.vendor].filter(Boolean).join(' · '))));
  if (run) main.append(facts([
    ['Model', run.model], ['Recordings', digits(run.recordings)], ['Left out', run.skipped ? digits(run.skipped) : ''],
    ['Seed', String(run.seed)], ['Time', digits(run.seconds, 3) + ' s'], ['in the engine', digits(run.engine_seconds, 3) + ' s'],
    ['Model’s SHA-256', run.model_sha256 ? run.model_sha256.slice(0, 10) + '…' : ''],
    ['Precision', run.precision === 'exact' ? '' : run.precision],
    ['Context', made ? made.context : ''], ['Padding', made ? made.padding : ''],
    ['Changed', made ? made.interventions.join(' · ') : ''],
    ['Arguments', made && made.plugin ? Object.entries(made.plugin.arguments).map(([k, v]) => `${k}=${v}`).join(' ') : ''],
    ['Recordings’ SHA-256', made && made.recordings ? made.recordings.sha256.slice(0, 10) + '…' : ''],
    ['Shard', made && made.recordings && made.recordings.shard ? `${made.recordings.shard.index + 1}/${made.recordings.shard.count}` : ''],
    ['auscult', made ? made.auscult : '']
  ], 'run'));
  const scalars = data.results.filter(r => r.kind === 'scalar' && r.file);
  const groups = data.outputs.map((output, i) => ({ output, id: 'r' + i, results: data.results.filter(r => r.output === output.id && !(r.kind === 'scalar' && r.file)) })).filter(g => g.results.length);
  const links = groups.map(g => [g.id, g.output.title || g.output.id]);
  if (scalars.length) links.unshift(['scalars', 'Scalars']);
  if (links.length > 1) main.append(el('nav', { 'aria-label': 'results' }, el('ul', {}, links.map(([id, title]) => el('li', {}, el('a', { href: '#' + id }, title))))));
  if (scalars.length) main.append(el('section', { id: 'scalars' }, el('h2', {}, 'Scalars'), scalarTable(scalars, data.outputs)));
  for (const { output, id, results } of groups) {
    const section = el('section', { id }, el('h2', {}, (output.title || output.id) + (output.unit ? ` (${output.unit})` : '')),
      output.description ? el('p', { class: 'quiet' }, output.description) : null);
    main.append(section);
    section.append(...several(results, output, data.results));
  }
  if (!data.results.length) main.append(el('p', { class: 'quiet' }, 'The run gave no results.'));
  if (data.problems.length) main.append(el('section', { class: 'problems' }, el('h2', {}, 'Not as declared'), data.problems.map(p => el('p', {}, p))));
  if (data.skipped.length) main.append(el('section', {}, el('h2', {}, 'Left out'), table(['recording', 'reason'], data.skipped.map(s => [s.file, s.reason]))));
}
setColours(block('colours'));
page();
