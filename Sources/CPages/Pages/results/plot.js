// What all plots have: a canvas as wide as the page, a mark, a value, keys; and writing on it.

import { css, el } from '../shared/elements.js';
import { axisTitle, ticks } from './axes.js';

export const font = (size, weight = 400) => `${weight} ${size}px system-ui, "Segoe UI", Arial, sans-serif`;

/** Text that is at most so wide, without its middle: names of layers differ in their ends. */
export function shortened(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  const all = Array.from(text.slice(0, 300));
  for (let kept = all.length - 1; kept > 1; kept--) {
    const cut = all.slice(0, Math.ceil(kept / 2)).join('') + '…' + all.slice(all.length - Math.floor(kept / 2)).join('');
    if (context.measureText(cut).width <= width) return cut;
  }
  return '…';
}

/** Text that is at most so wide. */
export function fitted(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let cut = Array.from(text.slice(0, 300));
  while (cut.length && context.measureText(cut.join('') + '…').width > width) cut.pop();
  return cut.join('') + '…';
}

const redraws = new Set();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => redraws.forEach(draw => draw()));

/**
 * A plot that is drawn anew at each width.
 * layout(context, width) gives {height, draw(), at(x, y), place(key), box(key)}: at() finds what lies under a
 * point, as a key [across, down]; box() says where it is and what to say of it.
 */
export function plot(name, layout) {
  const canvas = el('canvas', { 'aria-hidden': 'true' });
  const mark = el('div', { class: 'mark' }), value = el('div', { class: 'value' });
  const live = el('div', { class: 'live', 'aria-live': 'polite' });
  const frame = el('div', {
    class: 'plot', tabindex: 0, role: 'application', 'aria-roledescription': 'plot',
    'aria-label': name + '. Arrow keys read values.'
  }, canvas, mark, value, live);
  let now = null, key = null, width = 0;
  function draw() {
    width = frame.clientWidth;
    if (!width) return;
    const context = canvas.getContext('2d'), ratio = Math.min(devicePixelRatio || 1, 3);
    now = layout(context, width);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(now.height * ratio);
    canvas.style.height = now.height + 'px';
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, now.height);
    now.draw();
    hide();
  }
  function hide() { mark.style.display = value.style.display = 'none'; }
  function show(next, say) {
    if (!next) return hide();
    key = next;
    const box = now.box(key);
    mark.className = 'mark' + (box.bare ? ' bare' : '');
    Object.assign(mark.style, {
      display: 'block', left: box.x + 'px', top: box.y + 'px', width: box.width + 'px', height: box.height + 'px'
    });
    value.textContent = box.text;
    value.style.display = 'block';
    const left = box.x + box.width / 2 - value.offsetWidth / 2;
    value.style.left = Math.min(Math.max(left, 0), width - value.offsetWidth) + 'px';
    const above = box.y - value.offsetHeight - 6;
    value.style.top = (above >= 0 ? above : Math.min(box.y + box.height + 6, now.height - 10)) + 'px';
    if (say) live.textContent = box.text;
  }
  const point = event => {
    const area = canvas.getBoundingClientRect();
    show(now && now.at(event.clientX - area.left, event.clientY - area.top));
  };
  frame.addEventListener('pointermove', point);
  frame.addEventListener('pointerdown', point);
  frame.addEventListener('pointerleave', event => { if (event.pointerType === 'mouse') hide(); });
  frame.addEventListener('blur', hide);
  frame.addEventListener('keydown', event => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === 'Escape') return hide();
    if (!step || !now || !now.size || !now.size[0] || !now.size[1]) return;
    event.preventDefault();
    const far = event.shiftKey ? 10 : 1;
    const move = (at, by, count) => Math.min(Math.max(at + by * far, 0), count - 1);
    show(key ? [move(key[0], step[0], now.size[0]), move(key[1], step[1], now.size[1])] : [0, 0], true);
  });
  new ResizeObserver(() => { if (frame.clientWidth !== width) draw(); }).observe(frame);
  redraws.add(draw);
  return { frame, get layout() { return now; } };
}

/** The writing along the bottom; at(position) is in pixels. Gives the height that it takes. */
export function across(context, axis, area, at, write) {
  context.font = font(12);
  const labelled = !!axis.labels;
  const widest = labelled ? Math.max(0, ...axis.labels.slice(0, 2000).map(t => context.measureText(t).width)) : 40;
  const turned = labelled && widest + 6 > Math.max(area.width / Math.max(axis.count, 1), 18);
  const longest = turned ? 120 : Math.max(90, area.width / Math.max(axis.count, 1) - 6);
  const room = turned ? Math.min(widest, longest) + 8 : 18, title = axisTitle(axis);
  if (write) {
    context.fillStyle = context.strokeStyle = css('--muted');
    for (const [position, text] of ticks(axis, area.width / (labelled ? 17 : 70))) {
      const x = at(position), label = shortened(context, text, longest);
      // What is written below the first and the last stays in the picture.
      const half = context.measureText(label).width / 2;
      const middle = turned ? x : Math.max(Math.min(x, area.x + area.width + 8 - half), half);
      context.fillRect(x - .5, area.y + area.height, 1, 4);
      context.save();
      context.translate(middle, area.y + area.height + (turned ? 7 : 17));
      context.textAlign = turned ? 'right' : 'center';
      if (turned) { context.rotate(-Math.PI / 2); context.translate(0, 4); }
      context.fillText(label, 0, 0);
      context.restore();
    }
    context.fillStyle = css('--ink');
    context.textAlign = 'center';
    context.fillText(fitted(context, title, area.width), area.x + area.width / 2, area.y + area.height + room + 17);
  }
  return room + (title ? 24 : 6);
}

export function empty(context, area) {
  context.fillStyle = css('--panel');
  context.fillRect(area.x, area.y, area.width, area.height);
  context.fillStyle = css('--muted');
  context.textAlign = 'center';
  context.fillText('no values', area.x + area.width / 2, area.y + area.height / 2);
}
