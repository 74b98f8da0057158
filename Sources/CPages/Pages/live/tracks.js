// The features: a row each, whose values are solid once they have settled and faint before.

import { css, el } from '../shared/elements.js';
import { fixed } from '../shared/numbers.js';
import { clock, fit, shown } from './clock.js';

const rate = 50, kept = 2 * shown * rate, mostRows = 24, period = 2000;

class Track {
  constructor(feature, index, choose) {
    Object.assign(this, { feature, index, values: new Map(), greatest: 0, settled: 0 });
    this.canvas = el('canvas', { role: 'img', 'aria-label': `Values of ${feature.name}` });
    this.output = el('output');
    this.node = el('div', { class: 'track' },
      el('button', { type: 'button', title: feature.name, onclick: () => choose(this) },
        feature.label ? el('b', {}, feature.label) : null, el('span', {}, el('bdi', {}, feature.name))),
      this.canvas, this.output);
  }

  restart() {
    this.values.clear();
    [this.greatest, this.settled] = [0, 0];
  }

  take(frame, value, isSettled) {
    this.values.set(frame, value);
    this.greatest = Math.max(this.greatest, Math.abs(value));
    if (isSettled) this.settled = Math.max(this.settled, frame + 1);
  }

  forget(before) { for (const frame of this.values.keys()) if (frame < before) this.values.delete(frame); }

  /** How strongly it answers in the last half second, of what it ever did. */
  strength(end) {
    let most = 0;
    for (let frame = end - rate / 2; frame <= end; frame++) most = Math.max(most, Math.abs(this.values.get(frame) ?? 0));
    return this.greatest > 0 ? most / this.greatest : 0;
  }

  show(end) {
    const { context, width, height } = fit(this.canvas), frames = shown * rate, column = width / frames;
    context.clearRect(0, 0, width, height);
    const solid = css('--accent'), faint = css('--bar');
    for (let i = 0; i < frames; i++) {
      const frame = end - frames + i, value = this.values.get(frame);
      if (value === undefined) continue;
      const share = this.greatest > 0 ? Math.abs(value) / this.greatest : 0, high = Math.max(share * (height - 2), share > 0 ? 1 : 0);
      context.globalAlpha = frame < this.settled ? 1 : .45;
      context.fillStyle = value < 0 ? faint : solid;
      context.fillRect(i * column, height - high, Math.max(column, 1), high);
    }
    const newest = this.values.get(end - 1) ?? this.values.get(end - 2);
    // Three digits of the greatest, as far as there is room for them.
    const decimals = Math.min(3, Math.max(0, 2 - Math.floor(Math.log10(this.greatest || 1))));
    this.output.textContent = newest === undefined ? '' : fixed(newest, decimals);
    this.node.classList.toggle('lit', this.strength(end) > .5 && this.greatest > 0);
  }
}

export class Tracks {
  constructor(node, features, choose) {
    this.node = node;
    this.tracks = features.map((feature, i) => new Track(feature, i, choose));
    this.newest = 0;
    this.order(0);
  }

  restart() {
    this.newest = 0;
    for (const track of this.tracks) track.restart();
  }

  take(reading) {
    const first = Math.round(reading.times[0] * rate);
    for (const track of this.tracks) {
      const values = reading.features[track.feature.name] ?? [];
      values.forEach((value, i) => track.take(Math.round(reading.times[i] * rate), value, i < reading.settled));
    }
    this.newest = Math.max(this.newest, first, Math.round(reading.end * rate));
    if (this.newest % rate < 5) for (const track of this.tracks) track.forget(this.newest - kept);
  }

  /** Where there are more than fit, those that answer most are shown, and change places rarely. */
  order(time) {
    if (this.rows && (this.tracks.length <= mostRows || clock.held || time - this.ordered < period)) return;
    this.ordered = time;
    const rows = this.tracks.length <= mostRows ? this.tracks
      : [...this.tracks].sort((a, b) => b.strength(this.newest) - a.strength(this.newest)).slice(0, mostRows).sort((a, b) => a.index - b.index);
    this.rows = rows;
    this.node.replaceChildren(...rows.map(track => track.node));
  }

  show(time) {
    this.order(time);
    for (const track of this.rows) track.show(Math.round(clock.at * rate));
  }
}
