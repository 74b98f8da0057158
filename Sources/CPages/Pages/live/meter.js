// How loud it is, with the loudest of late.

import { css } from '../shared/elements.js';
import { fit } from './clock.js';

const lowest = -60, hold = 1.5;

export class Meter {
  constructor(canvas, output) {
    [this.canvas, this.output] = [canvas, output];
    this.restart();
  }

  restart() { Object.assign(this, { level: -120, peak: -120, peakTime: 0, voice: false }); }

  take(event) {
    [this.level, this.voice] = [event.rms_db, event.voice];
    if (event.peak_db >= this.peak || event.end - this.peakTime > hold) [this.peak, this.peakTime] = [event.peak_db, event.end];
  }

  show() {
    const { context, width, height } = fit(this.canvas), place = level => Math.max(0, Math.min(1, 1 - level / lowest)) * width;
    context.fillStyle = css('--panel');
    context.fillRect(0, 0, width, height);
    context.fillStyle = css(this.peak > -1 ? '--s3' : this.voice ? '--s2' : '--bar');
    context.fillRect(0, 0, place(this.level), height);
    if (this.peak > lowest) {
      context.fillStyle = css('--ink');
      context.fillRect(Math.max(0, place(this.peak) - 2), 0, 2, height);
    }
    this.output.textContent = this.level > -120 ? `${this.level.toFixed(0).replace('-', '−')} dB` : '';
  }
}
