// Axes: their titles and values, where to write on them, and the numbers of arrays.

import { digits } from '../shared/numbers.js';
import { bytesOf } from '../shared/sound.js';

/** The numbers of an array as they were packed: little-endian float32. */
export function unpack(base64) {
  const bytes = bytesOf(base64), view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
}

/** The numbers of an array, row by row. */
export const valuesOf = array => array.values ?? unpack(array.base64);

export const axisTitle = axis => axis.unit ? (axis.name ? `${axis.name} (${axis.unit})` : axis.unit) : axis.name;
export const axisValue = (axis, i) => axis.first + i * axis.step;
export function axisLabel(axis, i) {
  if (axis.labels && i < axis.labels.length) return axis.labels[i];
  return digits(axisValue(axis, i), 7) + (axis.unit && axis.unit.length < 4 ? ' ' + axis.unit : '');
}

/** Round values between two: multiples of 1, 2 or 5. */
export function roundValues(low, high, most) {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const raw = span / Math.max(most, 1), power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(k => k * power).find(s => s >= raw * 0.999);
  const out = [];
  if (!step) return [low];
  for (let k = Math.ceil(low / step); k <= high / step + 1e-9 && out.length < 1000; k++) out.push(k * step);
  return out;
}

/** Positions of an axis to write on, and what to write there. */
export function ticks(axis, most) {
  most = Math.max(most, 2);
  if (axis.count < 1) return [];
  if (axis.labels) {
    const step = Math.ceil(axis.count / most), out = [];
    for (let i = 0; i < axis.count; i += step) out.push([i, axisLabel(axis, i)]);
    return out;
  }
  const last = axisValue(axis, axis.count - 1);
  const all = roundValues(Math.min(axis.first, last), Math.max(axis.first, last), most)
    .map(v => [(v - axis.first) / axis.step, digits(v, 7)]);
  // Few cells have round values between them, and none there: of four layers nobody asks for 0.5.
  const ofCells = all.filter(([position]) => Math.abs(position - Math.round(position)) < 1e-6);
  return ofCells.length < 2 ? all : ofCells;
}
