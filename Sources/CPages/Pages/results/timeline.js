// Events in time.

import { css, el } from '../shared/elements.js';
import { digits } from '../shared/numbers.js';
import { across, empty, fitted, font, plot } from './plot.js';
import { seriesColour } from './series.js';

export function timeline(name, events) {
  const shown = events.filter(e => Number.isFinite(e.start) && Number.isFinite(e.end)).sort((a, b) => a.start - b.start).slice(0, 5000);
  const from = Math.min(0, ...shown.map(e => e.start)), to = shown.reduce((t, e) => Math.max(t, e.end, e.start), from);
  const span = to > from ? to - from : 1, mostLanes = 4, tall = 28;
  const axis = { name: 'time', unit: 's', labels: null, first: from, step: span / 1000, count: 1001 };
  const figure = plot(name, (context, width) => {
    const area = { x: 12, y: 8, width: width - 24, height: tall };
    const x = t => area.x + (t - from) / span * area.width;
    const ends = [];
    const boxes = shown.map(e => {
      const left = x(e.start), w = Math.max(x(Math.max(e.end, e.start)) - left, 3);
      let lane = ends.findIndex(end => end <= left);
      if (lane < 0) lane = ends.length < mostLanes ? ends.length : ends.indexOf(Math.min(...ends));
      ends[lane] = left + w;
      return { x: left, y: area.y + lane * tall + 2, width: w, height: tall - 4 };
    });
    area.height = tall * Math.max(ends.length, 1);
    const at = p => area.x + p / 1000 * area.width;
    return {
      height: area.y + area.height + across(context, axis, area, at, false), size: [shown.length, 1],
      draw() {
        if (!shown.length) return empty(context, area);
        context.font = font(12);
        shown.forEach((e, i) => {
          const b = boxes[i];
          context.fillStyle = seriesColour(0);
          context.beginPath();
          context.roundRect(b.x, b.y, b.width, b.height, 3);
          context.fill();
          if (b.width < 16) return;
          context.fillStyle = css('--paper');
          context.textAlign = 'left';
          context.fillText(fitted(context, e.label, b.width - 8), b.x + 4, b.y + b.height / 2 + 4);
        });
        across(context, axis, area, at, true);
      },
      at(px, py) {
        const i = boxes.findIndex(b => px >= b.x - 1 && px <= b.x + b.width + 1 && py >= b.y && py <= b.y + b.height);
        return i < 0 ? null : [i, 0];
      },
      box([i]) {
        const e = shown[i];
        return { ...boxes[i], text: `${e.label}\n${digits(e.start)} – ${digits(e.end)} s` + (e.value ? `\nvalue: ${digits(e.value, 5)}` : '') };
      }
    };
  });
  return el('figure', {}, figure.frame);
}
