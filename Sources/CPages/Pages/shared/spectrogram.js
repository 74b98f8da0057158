// The power of a sound's frequencies over time, in decibels, from its samples: what is drawn behind an activation.
//
// Hann windows of 32 ms every 5 ms, summed into 80 bands that are evenly spaced in mel (O'Shaughnessy: 2595 log10(1 + f/700)),
// between 0 and 8 kHz: near to how Whisper hears, and rows enough to see formants. A display; no analysis uses it.

const bands = 80, range = 65, highest = 8000;

/** What a transform of so many samples at a rate needs. */
function prepare(rate) {
  let size = 64;
  while (size < .032 * rate) size *= 2;
  const hann = Float64Array.from({ length: size }, (_, i) => .5 - .5 * Math.cos(2 * Math.PI * i / size));
  const turns = Float64Array.from({ length: size }, (_, i) => i < size / 2
    ? Math.cos(2 * Math.PI * i / size) : -Math.sin(2 * Math.PI * (i - size / 2) / size));
  return { size, hann, turns, triangles: triangles(rate, size) };
}

const prepared = new Map();

/** Radix 2, in place. */
function transform(re, im, size, turns) {
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
    if (i < j) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
  }
  for (let length = 2; length <= size; length <<= 1) {
    const half = length >> 1, step = size / length;
    for (let start = 0; start < size; start += length) {
      for (let k = 0; k < half; k++) {
        const c = turns[k * step], s = turns[size / 2 + k * step], a = start + k, b = a + half;
        const x = re[b] * c - im[b] * s, y = re[b] * s + im[b] * c;
        re[b] = re[a] - x; im[b] = im[a] - y;
        re[a] += x; im[a] += y;
      }
    }
  }
}

const mel = f => 2595 * Math.log10(1 + f / 700);
const hertz = m => 700 * (10 ** (m / 2595) - 1);

/** The frequency in the middle of a band, or at its edges with halves, in hertz. */
const middle = (band, rate) => hertz(mel(Math.min(rate / 2, highest)) * (band + 1) / (bands + 1));

/** For each band the first bin, and triangles' weights from there. */
function triangles(rate, size) {
  return Array.from({ length: bands }, (_, b) => {
    const [low, centre, high] = [b - 1, b, b + 1].map(i => middle(i, rate) * size / rate);
    const weights = [];
    const first = Math.max(Math.floor(low), 0);
    for (let bin = first; bin <= Math.min(Math.ceil(high), size / 2); bin++) {
      weights.push(Math.max(0, Math.min((bin - low) / (centre - low), (high - bin) / (high - centre))));
    }
    // Below 500 Hz bands are narrower than bins: the nearest one stands for them.
    if (!weights.some(w => w > 0)) return { first: Math.round(centre), weights: [1] };
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map(w => w / sum) };
  });
}

/**
 * samples at a rate, at most so many columns →
 * {columns, rows, values: 0…1 with the lowest frequency last, as pictures are drawn, step: seconds of a column,
 *  frequencies: of the rows from the lowest, in hertz, decibels: of 0 and of 1}.
 */
export function spectrogram(samples, rate, most = Infinity) {
  if (!prepared.has(rate)) prepared.set(rate, prepare(rate));
  const { size, hann, turns, triangles } = prepared.get(rate);
  const hop = Math.max(Math.round(rate * .005), Math.ceil(samples.length / most), 1);
  const columns = Math.max(Math.ceil(samples.length / hop), 1), values = new Float32Array(columns * bands);
  const re = new Float64Array(size), im = new Float64Array(size), power = new Float64Array(size / 2 + 1);
  let loudest = -Infinity;
  for (let column = 0; column < columns; column++) {
    const from = Math.floor(column * hop + hop / 2 - size / 2);
    for (let i = 0; i < size; i++) { re[i] = (samples[from + i] ?? 0) * hann[i]; im[i] = 0; }
    transform(re, im, size, turns);
    for (let i = 0; i <= size / 2; i++) power[i] = re[i] * re[i] + im[i] * im[i];
    for (let b = 0; b < bands; b++) {
      const { first, weights } = triangles[b];
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * power[first + k];
      const level = 10 * Math.log10(Math.max(sum, 1e-10));
      loudest = Math.max(loudest, level);
      values[(bands - 1 - b) * columns + column] = level;
    }
  }
  const floor = loudest - range;
  for (let i = 0; i < values.length; i++) values[i] = Math.max(0, (values[i] - floor) / range);
  const frequencies = Array.from({ length: bands }, (_, b) => middle(b, rate));
  return { columns, rows: bands, values, step: hop / rate, frequencies, decibels: [floor, loudest] };
}
