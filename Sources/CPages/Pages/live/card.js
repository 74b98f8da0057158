// What is known of a feature: of this session, and of the atlas.

import { el, facts } from '../shared/elements.js';
import { digits, percent, score, times } from '../shared/numbers.js';

/** The card of a track, drawn into a node. */
export async function showCard(node, track, close) {
  const { feature } = track;
  const parts = [
    el('button', { type: 'button', class: 'plain close', onclick: close }, 'Close'),
    el('h2', {}, feature.label ? `${feature.label} · ` : '', feature.name),
    facts([['greatest here', digits(track.greatest, 3)]], 'facts')
  ];
  node.replaceChildren(...parts);
  if (feature.atlas === null) {
    node.append(el('p', { class: 'quiet' }, 'No atlas was named that knows it: auscult listen --page --atlas FILE.'));
    return;
  }
  const answer = await fetch(`../atlas/api/features/${feature.atlas}`);
  // Another may have been chosen meanwhile.
  if (!node.contains(parts[1])) return;
  if (!answer.ok) throw new Error(`the atlas does not tell of ${feature.name}: ${(await answer.json()).error}`);
  const card = await answer.json();
  const known = card.feature, labels = card.labels.slice(0, 8);
  node.append(facts([['density', percent(known.density)], ['maximum', digits(known.maximum)], ['mean', digits(known.mean)]], 'facts'));
  if (labels.length) {
    node.append(el('div', { class: 'scroll' }, el('table', {},
      el('thead', {}, el('tr', {}, ['label', 'kind', 'precision', 'lift', 'recall', 'AUC'].map(t => el('th', { scope: 'col' }, t)))),
      el('tbody', {}, labels.map(l => el('tr', {}, el('th', { scope: 'row' }, l.label), el('td', {}, l.kind), el('td', {}, score(l.precision)),
        el('td', {}, times(l.lift)), el('td', {}, score(l.recall)), el('td', {}, score(l.auc))))))));
  }
  node.append(el('p', {}, el('a', { href: `../atlas/#feature=${feature.atlas}`, target: '_blank', rel: 'noopener' }, 'All of it, with sounds, in the atlas')));
}
