// Recordings with their spectrograms, words that light up, and moments to press.

import { paint } from '../shared/colours.js';
import { el } from '../shared/elements.js';
import { digits } from '../shared/numbers.js';
import { now, play, stop, watch } from '../shared/player.js';
import { bytesOf, decode } from '../shared/sound.js';
import { spectrogram } from '../shared/spectrogram.js';

/** Spectrograms are made when they come near the window: a page has dozens. */
const near = new IntersectionObserver(entries => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) { near.unobserve(target); target.draw(); }
}, { rootMargin: '300px' });

const rate = 16000, mostColumns = 1500;

/** A button that plays a short sound; one at a time. */
function moment({ label, sound }, sounds) {
  const source = sounds[sound];
  if (!source) return el('span', { class: 'quiet' }, label);
  const listener = { begun() {}, at() {}, ended() { button.classList.remove('on'); } };
  const button = el('button', { type: 'button', class: 'moment', 'aria-label': 'play ' + label, onclick: () => {
    if (now() === listener) return stop();
    button.classList.add('on');
    play(source, listener).catch(() => {});
  } }, label);
  return button;
}

function changed(words) {
  const line = el('span', { class: 'text', dir: 'auto' }), marks = { removed: 'del', added: 'ins', marked: 'mark' };
  if (!words.length) line.append(el('span', { class: 'quiet' }, 'nothing'));
  for (const [kind, word] of words) line.append(marks[kind] ? el(marks[kind], {}, word) : word, ' ');
  return line;
}

/** The spectrogram of a recording; pressing it plays from there. */
function picture(source, audio) {
  const canvas = el('canvas', { 'aria-hidden': 'true' }), head = el('div', { class: 'head', hidden: true });
  const node = el('div', { class: 'picture' }, canvas, head);
  node.draw = async () => {
    try {
      const samples = await decode(bytesOf(source.slice(source.indexOf(',') + 1)).buffer, rate);
      paint(canvas, spectrogram(samples, rate, mostColumns));
    } catch {
      // The player beside it says what is wrong with the sound.
      node.remove();
    }
  };
  node.at = seconds => {
    head.hidden = false;
    head.style.left = `${Math.min(seconds / audio.duration, 1) * 100}%`;
  };
  node.addEventListener('click', event => {
    const box = node.getBoundingClientRect();
    if (!Number.isFinite(audio.duration)) return;
    audio.currentTime = (event.clientX - box.left) / box.width * audio.duration;
    audio.play().catch(() => {});
  });
  near.observe(node);
  return node;
}

/** A card of one recording: how it sounds, its words in time, and how it was written down. */
export function recording(card, sounds) {
  const source = sounds[card.sound];
  const audio = source ? el('audio', { controls: true, preload: 'metadata', src: source, 'aria-label': card.title }) : null;
  const buttons = card.words.map(w => el('button', { type: 'button', 'aria-label': `play from ${w.text}`, onclick: () => {
    if (!audio) return;
    audio.currentTime = Math.max(w.start ?? 0, 0);
    audio.play().catch(() => {});
  } }, w.text));
  const image = audio ? picture(source, audio) : null;
  const light = time => card.words.forEach((w, i) => buttons[i].classList.toggle('now', time >= w.start && time < w.end));
  if (audio) watch(audio, { begun() {}, at(time) { light(audio.paused ? -1 : time); image.at(time); }, ended() { light(-1); } });
  return el('div', { class: 'card' }, el('h4', {}, card.title),
    audio ?? el('p', { class: 'quiet' }, 'The sound is in the files beside this page, or could not be had.'), image,
    buttons.length ? el('div', { class: 'strip', 'aria-label': 'words' }, buttons) : null,
    card.texts.length ? el('div', { class: 'texts' }, card.texts.flatMap(t => [
      el('span', { class: 'name' }, t.name), changed(t.words), el('span', { class: 'note' }, t.note)])) : null);
}

const fewRows = 12;

/** Rows of words, numbers and moments. */
export function soundTable(card, sounds) {
  const numeric = card.columns.map((_, c) => card.rows.every(r => typeof r[c] === 'number' || r[c] === null));
  const body = el('tbody'), more = el('div');
  const line = row => el('tr', {}, row.map((cell, i) => el('td', { class: numeric[i] ? 'number' : '' },
    Array.isArray(cell) ? el('div', { class: 'moments' }, cell.map(m => moment(m, sounds)))
      : cell?.texts ? el('div', { class: 'marked' }, cell.texts.map(t => el('div', {}, changed(t))))
      : typeof cell === 'string' ? cell : digits(cell, 3))));
  const fill = limit => {
    body.replaceChildren(...card.rows.slice(0, limit).map(line));
    more.replaceChildren(...(card.rows.length > limit ? [el('div', { class: 'choose' },
      el('span', { class: 'quiet' }, `${limit} of ${card.rows.length} rows`),
      el('button', { type: 'button', class: 'plain', onclick: () => fill(card.rows.length) }, 'Show all'))] : []));
  };
  fill(card.rows.length > fewRows + 3 ? fewRows : card.rows.length);
  return el('div', {}, card.title ? el('h3', {}, card.title) : null,
    el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': card.title || 'table' }, el('table', { class: 'sounds' },
      el('thead', {}, el('tr', {}, card.columns.map((c, i) => el('th', { scope: 'col', class: numeric[i] ? 'number' : '' }, c)))), body)), more);
}
