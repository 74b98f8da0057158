// Matrices as colours, and what lies over spectrograms.

import { paint, ramp } from '../shared/colours.js';
import { css, el } from '../shared/elements.js';
import { digits } from '../shared/numbers.js';
import { axisLabel, axisTitle, axisValue, ticks, valuesOf } from './axes.js';
import { across, empty, fitted, font, plot, shortened } from './plot.js';

export function heatMap(name, array, { upward = false, events = [], line = null } = {}) {
  const values = valuesOf(array), [rows, columns] = array.shape, [low, high] = array.range;
  const [down, right] = array.axes;
  const pixels = document.createElement('canvas');
  const shares = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const row = Math.floor(i / columns), v = values[i];
    shares[(upward ? rows - 1 - row : row) * columns + i % columns] = v <= low ? 0 : v >= high ? 1 : (v - low) / (high - low);
  }
  const figure = plot(name, (context, width) => {
    context.font = font(12);
    const widest = down.labels ? Math.max(0, ...down.labels.slice(0, 2000).map(t => context.measureText(t).width)) : 34;
    const labels = Math.min(widest, width / 4, 120), title = axisTitle(down);
    const area = { x: labels + (title ? 34 : 16), y: 8 };
    area.width = width - area.x - 8;
    const cell = Math.min(area.width / Math.max(columns, 1), 48);
    // Rows with names are as high as their names, where that is possible.
    const least = down.labels ? Math.max(60, Math.min(15 * rows, 640)) : 60;
    area.height = upward ? 220 : Math.min(Math.max(cell * rows, least), 640);
    if (!upward && rows && columns) {
      const square = area.height * columns / rows;
      area.width = Math.min(area.width, Math.max(Math.min(square, cell * columns), Math.min(240, area.width)));
    }
    const x = p => area.x + (p + .5) / columns * area.width;
    const y = p => area.y + (upward ? 1 - (p + .5) / rows : (p + .5) / rows) * area.height;
    const below = across(context, right, area, x, false);
    return {
      height: area.y + area.height + below, area, size: [columns, rows], x,
      draw() {
        paint(pixels, { columns, rows, values: shares }, css('--missing'));
        context.imageSmoothingEnabled = columns > area.width * 1.5;
        context.drawImage(pixels, area.x, area.y, area.width, area.height);
        if (!rows || !columns) return empty(context, area);
        across(context, right, area, x, true);
        context.font = font(12);
        context.textAlign = 'right';
        context.fillStyle = css('--muted');
        for (const [p, text] of ticks(down, area.height / (down.labels ? 14 : 30))) {
          context.fillRect(area.x - 4, y(p) - .5, 3, 1);
          context.fillText(shortened(context, text, labels), area.x - 7, y(p) + 4);
        }
        context.save();
        context.translate(13, area.y + area.height / 2);
        context.rotate(-Math.PI / 2);
        context.textAlign = 'center';
        context.fillStyle = css('--ink');
        context.fillText(fitted(context, title, area.height + 30), 0, 0);
        context.restore();
        over(context, area, right, events, line, x);
      },
      at(px, py) {
        if (px < area.x || py < area.y || px >= area.x + area.width || py >= area.y + area.height) return null;
        const row = Math.floor((py - area.y) / area.height * rows);
        return [Math.floor((px - area.x) / area.width * columns), row];
      },
      box([column, shown]) {
        const row = upward ? rows - 1 - shown : shown;
        const w = area.width / columns, h = area.height / rows, side = Math.max(w, 5), tall = Math.max(h, 5);
        const v = values[row * columns + column];
        const where = [[down, row], [right, column]].filter(([a]) => a.count > 1 || axisTitle(a))
          .map(([a, i]) => `${a.name || 'position'}: ${axisLabel(a, i)}`).join('\n');
        return {
          x: area.x + (column + .5) * w - side / 2, y: area.y + (shown + .5) * h - tall / 2, width: side,
          height: tall, text: (Number.isNaN(v) ? 'no value' : digits(v, 5)) + '\n' + where
        };
      }
    };
  });
  return { figure, node: el('figure', {}, figure.frame, scale(array, values)) };
}

/** Which colour is which value. */
function scale(array, values) {
  const colours = el('i');
  colours.style.background = ramp();
  const [below, above] = array.cut;
  return el('div', { class: 'scale' }, el('span', {}, (below ? '≤ ' : '') + digits(array.range[0])), colours,
    el('span', {}, (above ? '≥ ' : '') + digits(array.range[1])), values.some(Number.isNaN) ? el('b', {}, 'no value') : null);
}

/** Events and a line over a spectrogram, along its time. */
function over(context, area, axis, events, line, x) {
  const place = time => Math.min(Math.max(x((time - axis.first) / axis.step), area.x), area.x + area.width);
  context.font = font(12, 600);
  context.textAlign = 'left';
  let free = -1;
  for (const event of events.slice(0, 500)) {
    const from = place(event.start), to = place(event.end);
    if (!Number.isFinite(from) || !Number.isFinite(to)) continue;
    context.fillStyle = 'rgb(255 255 255 / .2)';
    context.fillRect(from, area.y, Math.max(to - from, 1.5), area.height);
    context.fillStyle = '#fff';
    context.fillRect(from, area.y, 1.2, area.height);
    if (from < free) continue;
    const text = fitted(context, event.label, Math.max(to - from - 6, 50));
    context.lineWidth = 3;
    context.strokeStyle = 'rgb(0 0 0 / .6)';
    context.strokeText(text, from + 4, area.y + 15);
    context.fillText(text, from + 4, area.y + 15);
    free = from + context.measureText(text).width + 10;
  }
  if (!line) return;
  const values = valuesOf(line), [low, high] = line.range;
  for (const [colour, width] of [['#000', 3.5], ['#fff', 1.8]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.lineJoin = 'round';
    context.beginPath();
    let open = false;
    values.forEach((v, i) => {
      if (Number.isNaN(v)) { open = false; return; }
      const share = Math.min(Math.max((v - low) / (high - low), 0), 1);
      const px = place(axisValue(line.axes[0], i)), py = area.y + area.height - 4 - share * (area.height - 8);
      if (open) context.lineTo(px, py); else context.moveTo(px, py);
      open = true;
    });
    context.stroke();
  }
}
