// Excerpts: their samples, and a moment brought out of its surroundings.

import { play as playSource, stop } from '../shared/player.js';
import { decode, wav } from '../shared/sound.js';
import { isStatic, recording, soundFile } from './source.js';

/** Of every excerpt, as the engine hears it. */
export const rate = 16000;

const decoded = new Map();

/** The samples of an excerpt, mono at 16 kHz. */
export function samples(name) {
  if (!decoded.has(name)) {
    const coming = isStatic ? taken(name) : soundFile(name).then(bytes => decode(bytes, rate));
    decoded.set(name, coming.catch(error => { decoded.delete(name); throw error; }));
    if (decoded.size > 60) decoded.delete(decoded.keys().next().value);
  }
  return decoded.get(name);
}

/** In files a recording that is short enough lies there once, and an excerpt (RECORDING-FIRST-LAST, in milliseconds) is a part of it. */
async function taken(name) {
  const [id, first, last] = name.split('-').map(Number), { excerpt } = await recording(id);
  if (!excerpt || excerpt.name === name) return decode(await soundFile(name), rate);
  return (await samples(excerpt.name)).subarray(first * rate / 1000, last * rate / 1000);
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

let address = null, turn = 0;

/**
 * Plays an excerpt, whole or with a moment brought out, in place of what plays.
 * listener: {begun(), at(seconds), ended()}.
 */
export async function play(name, centre, listener) {
  stop();
  const mine = ++turn, sound = await samples(name);
  if (mine !== turn) return;
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(wav(centre === null ? sound : broughtOut(sound, centre), rate));
  await playSource(address, listener);
}

/** Ends what plays, and what was about to. */
export function silence() {
  turn++;
  stop();
}
