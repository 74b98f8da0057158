// The page's beginning: what the server tells goes to the parts that show it, once a frame.

import { setColours } from '../shared/colours.js';
import { byId, el } from '../shared/elements.js';
import { advance, clock, restart as restartClock } from './clock.js';
import { about, follow, tell } from './source.js';
import { showCard } from './card.js';
import { Latency } from './latency.js';
import { Meter } from './meter.js';
import { Microphone } from './microphone.js';
import { Picture } from './picture.js';
import { Plugins } from './plugins.js';
import { Steering } from './steering.js';
import { Tracks } from './tracks.js';
import { Words } from './words.js';

let listening = null, microphone = null, parts = [];

function fail(error) {
  byId('failure').hidden = !error;
  byId('failure').textContent = error ? error.message : '';
}

const say = text => { byId('state').textContent = text; };

/** Runs what a press asks for; what goes wrong is shown. */
const press = body => async event => {
  try {
    fail(null);
    await body(event);
  } catch (error) { fail(error); }
};

function sources({ devices, file }) {
  const options = [['page', 'This browser’s microphone'], ...file ? [['file', file]] : [],
    ...devices.map(d => [`device:${d.name}`, `${d.name}${d.is_default ? ' (default)' : ''}`])];
  byId('source').append(...options.map(([value, text]) => el('option', { value }, text)));
  if (file) byId('source').value = 'file';
}

function show(source) {
  listening = source;
  byId('start').textContent = source ? 'Stop' : 'Listen';
  byId('start').setAttribute('aria-pressed', String(Boolean(source)));
  byId('mark').disabled = !source;
  byId('source').disabled = Boolean(source);
}

async function begin() {
  const source = byId('source').value;
  // A microphone is asked for first: where it is not given nothing begins.
  if (source === 'page') {
    microphone = new Microphone();
    await microphone.open(error => { fail(error); end(); });
  }
  try {
    await tell('start', { source });
  } catch (error) {
    closeMicrophone();
    throw error;
  }
  microphone?.send();
}

function closeMicrophone() {
  microphone?.close();
  microphone = null;
}

async function end() {
  closeMicrophone();
  await tell('stop');
}

function hold() {
  clock.held = !clock.held;
  byId('pause').setAttribute('aria-pressed', String(clock.held));
}

function start(told) {
  setColours(told.colours);
  byId('model').textContent = told.model.split('/').pop();
  sources(told);
  const meter = new Meter(byId('meter'), byId('level'));
  const picture = new Picture(byId('spectrogram'), byId('picture'), byId('head'));
  const words = new Words(byId('words'), byId('plain-words')), latency = new Latency(byId('latency'));
  const plugins = new Plugins(byId('plugins'));
  let chosen = null;
  const tracks = new Tracks(byId('features'), told.features, track => choose(chosen === track ? null : track));
  const choose = press(async track => {
    chosen?.node.removeAttribute('aria-current');
    chosen = track;
    if (!track) return byId('card').replaceChildren();
    track.node.setAttribute('aria-current', 'true');
    await showCard(byId('card'), track, () => choose(null));
  });
  const steering = new Steering(byId('steering'), told, fail);
  parts = [meter, picture, tracks, words, plugins, latency];
  const takes = {
    began: event => {
      restartClock();
      for (const part of parts) part.restart();
      show(event.source);
      say('listening');
    },
    stopped: event => {
      closeMicrophone();
      show(null);
      say('stopped');
      if (!event.failure) return;
      fail(new Error(event.failure));
      // It may have been an intervention, which does not hold then.
      about().then(now => steering.set(now.steering)).catch(fail);
    },
    level: event => meter.take(event),
    heard: event => picture.take(event.start, event.pcm),
    readings: event => tracks.take(event),
    segment: event => words.take(event),
    hypothesis: event => words.take(event),
    plugin: event => plugins.take(event),
    gap: event => words.note('gap', `${(event.end - event.start).toFixed(1)} s lost`),
    mark: event => words.note('moment', event.label || `${event.time.toFixed(1)} s`),
    lost: event => say(`${event.device} is lost: ${event.reason}`),
    open: event => say(`listening to ${event.device}, ${event.sample_rate} Hz`),
    end: event => say(`${event.duration.toFixed(1)} s; ${event.merged_hops} hops and ${event.skipped_steps} steps came together with later ones`)
  };
  follow(event => {
    latency.take(event);
    takes[event.event]?.(event);
  }, isThere => { if (!isThere) say('the server does not answer'); });
  byId('start').addEventListener('click', press(() => listening ? end() : begin()));
  byId('mark').addEventListener('click', press(() => tell('mark')));
  byId('pause').addEventListener('click', hold);
  document.addEventListener('keydown', event => {
    if (event.target.closest('input, select, button') || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === ' ') { event.preventDefault(); hold(); }
    if (event.key === 'm' && listening) press(() => tell('mark'))();
  });
  setInterval(() => latency.show(), 500);
  requestAnimationFrame(function frame(time) {
    advance();
    meter.show();
    picture.show();
    tracks.show(time);
    requestAnimationFrame(frame);
  });
}

about().then(start).catch(fail);
