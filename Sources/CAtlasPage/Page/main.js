// The page's beginning: what is asked for goes into the address, and what is in the address is shown.

import { byId, count, el } from './elements.js';
import { begin as follow, go, onChange, state } from './address.js';
import { atlas } from './source.js';
import { setColours } from './spectrogram.js';
import { featureCard, recordingCard } from './card.js';
import { mark, search } from './list.js';
import { begin as listenToKeys } from './keys.js';
import { stop } from './sound.js';

const sorts = {
  selectivity: 'selectivity', precision: 'precision', lift: 'lift', f1: 'F1', auc: 'AUC', ap: 'average precision', density: 'density', maximum: 'maximum', label: 'label',
  number: 'hook and number'
};

function controls(about) {
  // Several scans may have features of one hook point: neurons, and latents or directions.
  const hooks = new Map();
  for (const { hook, features } of about.scans.flatMap(s => s.hooks)) hooks.set(hook, (hooks.get(hook) ?? 0) + features);
  byId('hook').append(el('option', { value: '' }, 'all'), ...[...hooks].map(([hook, n]) => el('option', { value: hook }, `${hook} (${count(n)})`)));
  byId('kind').append(el('option', { value: '' }, 'any'), ...about.kinds.map(kind => el('option', { value: kind }, kind)));
  byId('lift').append(...['', '1.25', '2', '5', '10', '20'].map(liftOption));
  byId('sort').append(...Object.entries(sorts).map(([value, text]) => el('option', { value }, text)));
  byId('finder').addEventListener('submit', event => event.preventDefault());
  let timer = null;
  byId('search').addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => go({ q: byId('search').value }, true), 150);
  });
  for (const name of ['hook', 'kind', 'lift']) byId(name).addEventListener('change', event => go({ [name]: event.target.value }));
  // Words and numbers begin with the first, scores with the largest.
  byId('sort').addEventListener('change', event => go({ sort: event.target.value, order: ['label', 'number'].includes(event.target.value) ? 'up' : 'down' }));
  byId('down').addEventListener('click', () => go({ order: state.order === 'down' ? 'up' : 'down' }));
  byId('sounding').append(...[['out', 'brought out'], ['plain', 'plain']].map(([value, text]) =>
    el('button', { type: 'button', role: 'radio', 'data-value': value, onclick: () => go({ sound: value }, true) }, text)));
}

const liftOption = value => el('option', { value }, value ? `${value} or more` : 'any');

function showControls() {
  // An address may have any number.
  if (![...byId('lift').options].some(option => option.value === state.lift)) byId('lift').append(liftOption(state.lift));
  for (const name of ['hook', 'kind', 'lift', 'sort']) byId(name).value = state[name];
  if (byId('search').value !== state.q) byId('search').value = state.q;
  byId('down').textContent = state.order === 'down' ? '↓' : '↑';
  byId('down').setAttribute('aria-label', state.order === 'down' ? 'Largest first' : 'Smallest first');
  byId('down').setAttribute('aria-pressed', String(state.order === 'down'));
  for (const button of byId('sounding').children) button.setAttribute('aria-checked', String(button.dataset.value === state.sound));
}

let turn = 0;

async function show(about) {
  const mine = ++turn, main = byId('card');
  stop();
  document.body.dataset.view = state.feature || state.recording ? 'card' : 'list';
  const ids = [state.with, state.feature].filter(Boolean);
  const cards = state.recording ? [recordingCard(state.recording)]
    : ids.map(id => featureCard(id, { compared: !!state.with && ids.length > 1 }));
  const parts = await Promise.all(cards.map(card => card.catch(error =>
    el('article', { class: 'card' }, el('p', { class: 'failure', role: 'alert' }, error.message)))));
  if (mine !== turn) return;
  const back = el('p', { class: 'back' }, el('button', { type: 'button', class: 'plain', onclick: () => go({ feature: '', with: '', recording: '' }) }, '← Features'));
  const waiting = state.with && !state.feature && !state.recording
    && el('p', { class: 'waiting', role: 'status' }, 'Choose another feature in the list; it will stand beside this one. ',
      el('button', { type: 'button', class: 'plain', onclick: () => go({ feature: state.with, with: '' }) }, 'Not now'));
  main.className = parts.length > 1 ? 'two' : '';
  main.replaceChildren(...(parts.length ? [back] : [welcome(about)]), ...(waiting ? [waiting] : []), ...parts);
  main.scrollTop = 0;
  if (matchMedia('(max-width: 52rem)').matches && parts.length) scrollTo(0, 0);
  document.title = [...main.querySelectorAll('h2')].map(h => h.textContent).join(' | ') || 'Atlas · auscult';
}

function welcome(about) {
  return el('article', { class: 'card welcome' }, el('h2', {}, 'Features you can hear'),
    el('p', {}, 'Choose a feature in the list: what it says, when it says it, and how that sounds. Press ? for keys.'),
    about.scans.map(({ scan, model, dataSet, hooks, selective, problems }) => el('section', { class: 'scan' },
      el('h3', {}, model.name || 'a model'),
      el('dl', { class: 'facts' }, [
        ['recordings', count(dataSet.recordings)], ['features', count(hooks.reduce((a, h) => a + h.features, 0))], ['hook points', count(hooks.length)],
        ['seed', scan.seed], ['left out', problems ? count(problems) : 'none']
      ].map(([k, v]) => el('div', {}, el('dt', {}, k), el('dd', {}, v)))), el('p', { class: 'quiet' }, `${scan.plugin} ${scan.version}`),
      selective.length ? el('table', { class: 'selective' }, el('thead', {}, el('tr', {}, ['hook point', 'features', 'selective', 'share'].map(t => el('th', { scope: 'col' }, t)))),
        el('tbody', {}, selective.map(s => el('tr', {}, el('th', { scope: 'row' }, s.hook), el('td', {}, count(s.features)), el('td', {}, count(s.selective)),
          el('td', {}, s.share === null || s.share === undefined ? '–' : `${(s.share * 100).toFixed(1)} %`))))) : null)),
    about.scans.length ? null : el('p', { class: 'quiet' }, 'There is no complete scan in this atlas yet.'));
}

async function start() {
  try {
    const about = await atlas();
    setColours(about.colours);
    byId('atlas-name').textContent = about.name;
    controls(about);
    listenToKeys();
    onChange(changed => {
      showControls();
      if (changed.some(name => ['q', 'hook', 'kind', 'lift', 'sort', 'order'].includes(name))) search(); else mark();
      if (changed.some(name => ['feature', 'with', 'recording', 'side', 'kind'].includes(name))) show(about);
    });
    follow();
  } catch (error) {
    byId('card').replaceChildren(el('p', { class: 'failure', role: 'alert' }, `The atlas could not be read: ${error.message}`));
  }
}

start();
