// A sound with its spectrogram, and what of the same recording lies over it.

import { el } from '../shared/elements.js';
import { watch } from '../shared/player.js';
import { bytesOf, samplesOfWav } from '../shared/sound.js';
import { spectrogram } from '../shared/spectrogram.js';
import { valuesOf } from './axes.js';
import { heatMap } from './heatmap.js';

const mostColumns = 1200;
const spectrograms = new WeakMap();

/** The spectrogram of a clip as an array that can be drawn; made once. */
function spectrogramOf(result) {
  if (!spectrograms.has(result)) {
    const { columns, rows, values, step, frequencies, decibels } =
      spectrogram(samplesOfWav(bytesOf(result.wav)), result.sample_rate, mostColumns);
    // Arrays have their lowest row first.
    const [low, high] = decibels, levels = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      levels[(rows - 1 - Math.floor(i / columns)) * columns + i % columns] = low + (high - low) * values[i];
    }
    spectrograms.set(result, {
      values: levels, shape: [rows, columns], range: decibels, cut: [true, false],
      axes: [
        { name: 'frequency', unit: 'Hz', labels: frequencies.map(f => String(Math.round(f))), first: 0, step: 1, count: rows },
        { name: 'time', unit: 's', labels: null, first: 0, step, count: columns }
      ]
    });
  }
  return spectrograms.get(result);
}

/** A player with a spectrogram that shows how far it is. */
export function listen(result, name, others) {
  const audio = el('audio', { controls: true, preload: 'auto', src: 'data:audio/wav;base64,' + result.wav, 'aria-label': name });
  const array = spectrogramOf(result), picture = heatMap(name, array, { upward: true, ...over(result, others) });
  const head = el('div', { class: 'head', hidden: true }), [, time] = array.axes;
  picture.figure.frame.append(head);
  watch(audio, {
    begun() {},
    at(seconds) {
      const layout = picture.figure.layout;
      if (!layout) return;
      head.hidden = false;
      Object.assign(head.style, {
        left: layout.x((seconds - time.first) / time.step) + 'px', top: layout.area.y + 'px', height: layout.area.height + 'px'
      });
    },
    ended() {}
  });
  return el('div', {}, audio, picture.node);
}

/** What lies over the spectrogram of a result's recording. */
export function over(result, others) {
  const same = others.filter(r => r.file === result.file && r.plot === 'spectrogram_overlay' && r !== result);
  return {
    events: same.filter(r => r.events).flatMap(r => r.events), line: same.find(r => r.kind === 'vector' && r.base64) || null
  };
}

/** A spectrogram of the same recording to draw over, where there is one. */
export function ground(result, others) {
  for (const other of others) {
    if (other.file !== result.file) continue;
    if (other.kind === 'matrix' && other.plot === 'spectrogram_overlay' && other.base64) return upright(other);
    if (other.wav) return spectrogramOf(other);
  }
  return null;
}

const isTime = axis => !axis.labels && axis.unit === 's';

/** With time to the right. */
export function upright(array) {
  if (!isTime(array.axes[0]) || isTime(array.axes[1])) return array;
  const values = valuesOf(array), [rows, columns] = array.shape, turned = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = values[r * columns + c];
  return { ...array, shape: [columns, rows], axes: [array.axes[1], array.axes[0]], values: turned };
}
