// An example: its spectrogram with the activation over it, what is heard below, and a player.

import { paint } from '../shared/colours.js';
import { el } from '../shared/elements.js';
import { digits } from '../shared/numbers.js';
import { now, seek } from '../shared/player.js';
import { spectrogram } from '../shared/spectrogram.js';
import { svg } from '../shared/svg.js';
import { say } from './words.js';
import { link, state } from './address.js';
import { recording as recordingOf } from './source.js';
import { play, rate, samples, silence } from './sound.js';

/** The encoder's frame, in seconds: a moment is brought out around the beginning of the one that it is in. */
const frame = .02;
const begins = ({ frame: position, rate }) => Math.floor(position * 50 / (rate ?? 50)) * frame;
/** Strips are drawn when they come near the window: a page has dozens. */
const near = new IntersectionObserver(entries => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) { near.unobserve(target); target.draw(); }
}, { rootMargin: '300px' });

let current = null;

/** The strip that keys act on: the one in focus, or the last one that was, or the first. */
export function currentStrip() {
  if (current?.isConnected) return current;
  return document.querySelector('.strip');
}

export function nextStrip(by) {
  const all = [...document.querySelectorAll('.strip')];
  const at = all.indexOf(current), next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}

/**
 * example: {recording, frame, seconds, value, first, activation, excerpt}; recording: what is known of it.
 * peak: the value that reaches the top.
 */
export function strip(example, recording, { peak, title }) {
  const { excerpt } = example;
  const button = el('button', { type: 'button', class: 'play', 'aria-label': `Play ${title}` }, playSign());
  const caption = el('div', { class: 'caption' }, button,
    example.value === null ? null : el('span', { class: 'value' }, digits(example.value)),
    el('span', { class: 'where' }, ...whereabouts(example, recording)));
  const node = el('figure', { class: 'strip', tabindex: 0, 'aria-label': title }, caption);
  node.toggle = () => { say('No sound is known for this example.'); };
  node.addEventListener('focusin', () => { current = node; });
  if (!excerpt) {
    button.disabled = true;
    node.append(el('p', { class: 'quiet' }, 'The atlas does not know where this recording lies.'));
    return node;
  }
  const canvas = el('canvas', { 'aria-hidden': 'true' }), head = el('div', { class: 'head', hidden: true });
  const picture = el('div', { class: 'picture' }, canvas, overlay(example, peak), head);
  const heard = el('div', { class: 'heard' });
  node.append(picture, heard);
  const length = excerpt.end - excerpt.start;
  const centre = example.seconds === null || example.seconds === undefined
    ? null : Math.round((begins(example) - excerpt.start) * rate);
  const listener = {
    begun() { node.classList.add('playing'); button.replaceChildren(stopSign()); say(`Playing ${title}`); head.hidden = false; },
    at(seconds) { head.style.left = `${Math.min(seconds / length, 1) * 100}%`; },
    ended() { node.classList.remove('playing'); button.replaceChildren(playSign()); head.hidden = true; }
  };
  node.toggle = async () => {
    if (now() === listener) return silence();
    current = node;
    try { await play(excerpt.name, state.sound === 'out' ? centre : null, listener); } catch (error) { failed(node, error); }
  };
  button.addEventListener('click', node.toggle);
  picture.addEventListener('click', async event => {
    const box = picture.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
    if (now() !== listener) await node.toggle();
    seek(share * length);
  });
  node.draw = async () => {
    try {
      const [sound, detail] = await Promise.all([samples(excerpt.name), recordingOf(example.recording)]);
      paint(canvas, spectrogram(sound, rate));
      heard.replaceChildren(...spoken(detail.sounds, excerpt, example));
      // What has no room is told by its title.
      for (const part of heard.querySelectorAll('span')) part.classList.toggle('narrow', part.scrollWidth > part.clientWidth + 1);
    } catch (error) { failed(node, error); }
  };
  near.observe(node);
  return node;
}

function failed(node, error) {
  if (node.querySelector('.failure')) return;
  node.append(el('p', { class: 'failure', role: 'alert' }, error.message || 'The sound could not be read.'));
}

const playSign = () => svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { d: 'M4.5 2.5v11l9-5.5z' }));
const stopSign = () => svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { d: 'M3.5 3.5h9v9h-9z' }));

function whereabouts(example, recording) {
  const time = example.seconds === null || example.seconds === undefined ? `token ${example.frame}` : `${digits(example.seconds, 4)} s`;
  const name = recording?.name || `recording ${example.recording}`;
  const more = [recording?.speaker, recording?.language, recording?.split && { name: 'named on', score: 'scored on' }[recording.split]];
  if (example.value === null) return [];
  return [el('a', { href: link({ recording: example.recording, feature: '', with: '' }) }, name),
    ` · ${time}`, el('span', { class: 'more' }, more.filter(Boolean).join(' · '))];
}

/** The activation over the excerpt's time, and the moment: in a box of 1000 × 100 that is stretched. */
function overlay(example, peak) {
  const { excerpt } = example, length = excerpt.end - excerpt.start;
  const x = seconds => (seconds - excerpt.start) / length * 1000;
  const box = svg('svg', { class: 'overlay', viewBox: '0 0 1000 100', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  if (example.seconds !== null && example.seconds !== undefined) {
    const at = begins(example), half = .03125;
    box.append(svg('rect', { class: 'moment', x: x(at - half), width: half * 2 / length * 1000, y: 0, height: 100 }));
  }
  if (!example.activation?.length || example.first === null || example.first === undefined || !(peak > 0)) return box;
  const sign = example.value < 0 ? -1 : 1;
  // A position stands for its middle.
  const points = example.activation.map((v, i) => {
    const share = Math.min(Math.max(sign * Number(v) / peak, 0), 1);
    return `${x((example.first + i + .5) / (example.rate ?? 50)).toFixed(1)} ${(97 - share * 92).toFixed(2)}`;
  });
  const path = 'M' + points.join('L');
  box.append(svg('path', { class: 'under', d: path }), svg('path', { class: 'curve', d: path }));
  return box;
}

/** Phonemes and words, each below the time in which it is heard. */
function spoken(sounds, excerpt, example) {
  const length = excerpt.end - excerpt.start, rows = [];
  for (const kind of ['phoneme', 'word']) {
    const inside = sounds.filter(s => s.kind === kind && s.end > excerpt.start && s.start < excerpt.end);
    if (!inside.length) continue;
    rows.push(el('div', { class: `sounds ${kind}s` }, inside.map(sound => {
      const from = Math.max((sound.start - excerpt.start) / length, 0), to = Math.min((sound.end - excerpt.start) / length, 1);
      const at = example.seconds, is = at !== null && at !== undefined && sound.start <= at && at < sound.end;
      const part = el('span', { class: is ? 'here' : null, title: `${sound.label}, ${digits(sound.start)}–${digits(sound.end)} s` }, sound.label);
      part.style.left = `${from * 100}%`;
      part.style.width = `${(to - from) * 100}%`;
      return part;
    })));
  }
  return rows;
}

/** The tokens of the window that has the position `at`: those of a long recording are of several, with gaps between them. */
function windowOf(tokens, at) {
  const place = tokens.findIndex(t => t.start <= at && at < t.end);
  if (place < 0) return [];
  let first = place, end = place + 1;
  while (first > 0 && tokens[first - 1].end >= tokens[first].start) first--;
  while (end < tokens.length && tokens[end - 1].end >= tokens[end].start) end++;
  return tokens.slice(first, end);
}

/** A decoder's example: the transcript with the token marked, shaded by the activation where that is known. */
export function transcript(example, recording, { peak, title }) {
  const text = el('p', { class: 'tokens', dir: 'auto' }, recording?.text ?? '');
  const node = el('figure', { class: 'strip', tabindex: 0, 'aria-label': title },
    el('div', { class: 'caption' }, el('span', { class: 'value' }, digits(example.value)),
      el('span', { class: 'where' }, ...whereabouts(example, recording))), text);
  const player = example.excerpt ? playerOf(example, title, node) : null;
  if (player) node.firstChild.prepend(player);
  else node.toggle = () => say('No sound is known for this example.');
  node.addEventListener('focusin', () => { current = node; });
  node.draw = async () => {
    try {
      const { sounds } = await recordingOf(example.recording), sign = example.value < 0 ? -1 : 1;
      // A token begins at its position: its place in the list is another one in all windows but the first.
      const tokens = windowOf(sounds.filter(s => s.kind === 'token'), example.frame);
      if (tokens.length) text.replaceChildren(...tokens.map(({ start, label }) => {
        const value = example.activation?.[start - (example.first ?? 0)], is = start === example.frame;
        const share = peak > 0 && value !== undefined ? Math.min(Math.max(sign * Number(value) / peak, 0), 1) : 0;
        return el(is ? 'mark' : 'span', { class: `a${Math.round(share * 5)}`,
          title: `token ${start}${value === undefined ? '' : `: ${digits(Number(value))}`}` }, label);
      }));
    } catch (error) { failed(node, error); }
  };
  near.observe(node);
  return node;
}

function playerOf(example, title, node) {
  const button = el('button', { type: 'button', class: 'play', 'aria-label': `Play ${title}` }, playSign());
  const listener = {
    begun() { button.replaceChildren(stopSign()); say(`Playing ${title}`); }, at() {}, ended() { button.replaceChildren(playSign()); }
  };
  node.toggle = async () => {
    if (now() === listener) return silence();
    try { await play(example.excerpt.name, null, listener); } catch (error) { failed(node, error); }
  };
  button.addEventListener('click', node.toggle);
  return button;
}
