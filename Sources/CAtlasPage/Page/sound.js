// Sounds: their samples, a moment brought out of its surroundings, and the one player of the page.

import { soundFile } from './source.js';
import { rate } from './spectrogram.js';

const decoded = new Map();

/** The samples of an excerpt, mono at 16 kHz. */
export function samples(name) {
  if (!decoded.has(name)) {
    decoded.set(name, decode(name).catch(error => { decoded.delete(name); throw error; }));
    if (decoded.size > 60) decoded.delete(decoded.keys().next().value);
  }
  return decoded.get(name);
}

async function decode(name) {
  const bytes = await soundFile(name);
  // The decoder takes the buffer away, and the file may be wanted again.
  const sound = await new OfflineAudioContext(1, 1, rate).decodeAudioData(bytes.slice(0));
  return sound.getChannelData(0);
}

/** How a moment is brought out: the window around it and its edges in samples, and the level of what is around, in decibels. */
export const moment = { window: 1000, edge: 128, surroundings: -20 };

/**
 * The samples with all but the moment made quieter, as the engine does it: the window as it is, and outside of it a raised
 * cosine on each side. Nothing is made louder, so nothing clips.
 * centre: in samples.
 */
export function broughtOut(samples, centre) {
  const { window, edge } = moment, floor = 10 ** (moment.surroundings / 20), start = centre - window / 2;
  return samples.map((sample, i) => {
    const distance = Math.max(start - i, i - (start + window) + 1, 0);
    const fall = distance > edge ? 0 : distance === 0 ? 1 : (1 + Math.cos(Math.PI * distance / (edge + 1))) / 2;
    return sample * (floor + (1 - floor) * fall);
  });
}

/** A WAV file of 16 bits, to be played or kept. */
export function wav(samples) {
  const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const text = (at, letters) => [...letters].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
  text(0, 'RIFF'); view.setUint32(4, 36 + samples.length * 2, true); text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
  view.setUint32(24, rate, true); view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true); view.setUint16(34, 16, true);
  text(36, 'data'); view.setUint32(40, samples.length * 2, true);
  for (let i = 0; i < samples.length; i++) {
    view.setInt16(44 + i * 2, Math.round(Math.min(Math.max(samples[i], -1), 1) * 32767), true);
  }
  return new Blob([view.buffer], { type: 'audio/wav' });
}

const audio = new Audio();
let playing = null, address = null, turn = 0;

/** What is heard now: {listener, audio}; null in silence. */
export const now = () => playing;

/**
 * Plays an excerpt, whole or with a moment brought out, in place of what plays.
 * listener: {begun(), at(seconds), ended()}.
 */
export async function play(name, centre, listener) {
  stop();
  const mine = ++turn, sound = await samples(name);
  if (mine !== turn) return;
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(wav(centre === null ? sound : broughtOut(sound, centre)));
  audio.src = address;
  playing = listener;
  try {
    await audio.play();
  } catch (error) {
    if (playing === listener) stop();
    // Another was asked for meanwhile.
    if (error.name === 'AbortError') return;
    throw error;
  }
  listener.begun();
  requestAnimationFrame(follow);
}

function follow() {
  if (!playing || audio.paused) return;
  playing.at(audio.currentTime);
  requestAnimationFrame(follow);
}

export function stop() {
  turn++;
  audio.pause();
  const was = playing;
  playing = null;
  was?.ended();
}

/** To a place in what plays, in seconds. */
export function seek(seconds) { if (playing && Number.isFinite(audio.duration)) audio.currentTime = seconds; }

audio.addEventListener('ended', stop);
