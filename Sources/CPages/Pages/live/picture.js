// The spectrogram that scrolls, and the sound behind it, which can be heard again.

import { paint } from '../shared/colours.js';
import { css } from '../shared/elements.js';
import { now, play, stop } from '../shared/player.js';
import { bytesOf, wav } from '../shared/sound.js';
import { spectrogram } from '../shared/spectrogram.js';
import { clock, fit, heardUntil, shown } from './clock.js';

const rate = 16000, step = .005, kept = 2 * shown;
/** Samples before a piece that its first columns look at. */
const before = 512;

/** Draws sound as it comes, and plays it again from where the picture is clicked. */
export class Picture {
  constructor(canvas, box, head) {
    [this.canvas, this.box, this.head] = [canvas, box, head];
    this.strip = document.createElement('canvas');
    this.piece = document.createElement('canvas');
    box.addEventListener('click', event => this.hear(event));
    this.restart();
  }

  restart() {
    this.samples = new Float32Array(0);
    /** Of the first sample that is kept, in seconds. */
    this.start = 0;
    this.strip.width = 0;
    this.columns = 0;
    this.loudest = -20;
  }

  /** start in seconds; base64 of 16-bit samples. */
  take(start, base64) {
    const bytes = bytesOf(base64), view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const added = Float32Array.from({ length: bytes.length >> 1 }, (_, i) => view.getInt16(i * 2, true) / 32768);
    const end = this.start + this.samples.length / rate;
    // What was lost is silent, however long it is.
    const lost = Math.min(Math.max(0, Math.round((start - end) * rate)), kept * rate);
    const all = new Float32Array(this.samples.length + lost + added.length);
    all.set(this.samples);
    all.set(added, this.samples.length + lost);
    this.start = start - (this.samples.length + lost) / rate;
    this.samples = all;
    this.draw(lost + added.length);
    const extra = this.samples.length - kept * rate;
    if (extra > rate) {
      this.samples = this.samples.slice(extra);
      this.start += extra / rate;
    }
    heardUntil(start + added.length / rate);
  }

  /** The last samples become columns at the end of the strip. */
  draw(count) {
    const from = Math.max(0, this.samples.length - count - before), piece = this.samples.subarray(from);
    const drawn = spectrogram(piece, rate), [floor, loudest] = drawn.decibels;
    this.loudest = Math.max(this.loudest - .05, loudest, -50);
    const low = this.loudest - (loudest - floor);
    for (let i = 0; i < drawn.values.length; i++) {
      drawn.values[i] = Math.max(0, (floor + drawn.values[i] * (loudest - floor) - low) / (loudest - floor));
    }
    paint(this.piece, drawn);
    const fresh = Math.max(1, Math.round(count / rate / step)), width = Math.round(kept / step);
    if (this.strip.width !== width || this.strip.height !== drawn.rows) [this.strip.width, this.strip.height] = [width, drawn.rows];
    const context = this.strip.getContext('2d');
    context.drawImage(this.strip, -fresh, 0);
    context.drawImage(this.piece, drawn.columns - fresh, 0, fresh, drawn.rows, width - fresh, 0, fresh, drawn.rows);
  }

  show() {
    const { context, width, height } = fit(this.canvas);
    context.fillStyle = css('--night');
    context.fillRect(0, 0, width, height);
    if (!this.strip.width) return;
    const columns = shown / step, ahead = (clock.end - clock.at) / step;
    const left = Math.max(0, this.strip.width - columns - ahead);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.strip, left, 0, columns, this.strip.height, 0, 0, width, height);
  }

  async hear(event) {
    if (now()) return stop();
    const box = this.box.getBoundingClientRect(), share = (event.clientX - box.left) / box.width;
    const from = clock.at - shown * (1 - share), first = Math.max(0, Math.round((from - this.start) * rate));
    const sound = this.samples.slice(first);
    if (sound.length < rate / 10) return;
    const address = URL.createObjectURL(wav(sound, rate)), begin = this.start + first / rate;
    await play(address, {
      begun: () => { this.head.hidden = false; },
      at: seconds => { this.head.style.left = `${Math.min(Math.max(1 - (clock.at - begin - seconds) / shown, 0), 1) * 100}%`; },
      ended: () => { this.head.hidden = true; URL.revokeObjectURL(address); }
    });
  }
}
