// Keys for everything, and the page that tells them.

import { byId, el } from '../shared/elements.js';
import { go, state } from './address.js';
import { move, open } from './list.js';
import { currentStrip, nextStrip } from './strip.js';
import { silence } from './sound.js';

const keys = [
  ['j', 'k', 'next, previous feature'], ['Enter', null, 'to the feature'], ['/', null, 'search'], ['Space', null, 'play or stop the example'],
  ['n', 'p', 'next, previous example'], ['m', null, 'the moment brought out, or as it is'], ['s', null, 'the other side'],
  ['c', null, 'compare with another feature'], ['Esc', null, 'back to the list; stop'], ['?', null, 'this page']
];

const actions = {
  j: () => move(1), k: () => move(-1), n: () => nextStrip(1), p: () => nextStrip(-1), c: () => compare(),
  m: () => go({ sound: state.sound === 'out' ? 'plain' : 'out' }, true), s: () => go({ side: state.side === '+' ? '-' : '+' }, true),
  '/': () => { byId('search').focus(); byId('search').select(); }, '?': () => help(),
  ' ': () => currentStrip()?.toggle(), Escape: () => { silence(); byId('list').focus(); },
  Enter: () => { open(); byId('card').focus(); }
};

/** The feature that is shown waits for another; or the two go apart. */
export function compare() {
  if (state.feature && state.with) go({ with: '' });
  else if (state.feature) go({ with: state.feature, feature: '' });
}

function help() {
  const dialog = byId('help');
  if (!dialog.open) dialog.showModal();
}

export function begin() {
  byId('help').append(el('h2', { id: 'help-title' }, 'Keys'),
    el('dl', {}, keys.map(([key, other, what]) => el('div', {}, el('dt', {}, el('kbd', {}, key), other && [' ', el('kbd', {}, other)]), el('dd', {}, what)))),
    el('h2', {}, 'How to read this'),
    el('p', {}, 'Each feature (a neuron, a direction, a latent) was watched over every recording. Its strongest moments are examples: '
      + 'press play, or anywhere in the picture. The line over the spectrogram is the activation; the bright band is the moment. '
      + '“Brought out” makes all but the moment quieter.'),
    el('p', {}, 'A label is the sound that the feature’s strong frames have most often. It was found on some speakers and scored on others. '
      + 'A feature that means several things shows it in its bins: the sounds change from strong to weak.'),
    el('form', { method: 'dialog' }, el('button', { class: 'plain', autofocus: true }, 'Close')));
  byId('help-button').addEventListener('click', help);
  addEventListener('keydown', event => {
    const action = actions[event.key], to = event.target;
    if (!action || event.ctrlKey || event.metaKey || event.altKey || byId('help').open) return;
    if (to.matches('input, select, textarea') && event.key !== 'Escape') {
      if (event.key === 'Enter' && to.id === 'search') { event.preventDefault(); move(0); byId('list').focus(); }
      return;
    }
    // A button's and a link's own keys are theirs.
    if ([' ', 'Enter'].includes(event.key) && to.matches('button, a, summary')) return;
    event.preventDefault();
    action();
  });
}
