import StrictJSON

extension ResultsPage {
    /// Numbers, colours and elements.
    package static let script = #"""
        const data = JSON.parse(document.getElementById('results').textContent);
        const colours = JSON.parse(document.getElementById('colours').textContent);
        const rgb = colours.map(c => [1, 3, 5].map(i => parseInt(c.slice(i, i + 2), 16)));

        /** An element. Strings become text, never markup. */
        function el(name, props = {}, ...children) {
          const node = document.createElement(name);
          for (const [key, value] of Object.entries(props)) {
            if (key === 'class') node.className = value;
            else if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
            else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value);
          }
          for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
          return node;
        }

        /** Four significant digits, or seven; a dash for no value. */
        function digits(value, count = 4) {
          if (value === null || value === undefined || Number.isNaN(value)) return '–';
          if (value === Infinity) return '∞';
          if (value === -Infinity) return '−∞';
          if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value).replace('-', '−');
          return String(parseFloat(value.toPrecision(count))).replace('-', '−');
        }

        /** The numbers of an array as they were packed: little-endian float32. */
        function unpack(base64) {
          const text = atob(base64);
          const bytes = new Uint8Array(text.length);
          for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
          const view = new DataView(bytes.buffer);
          return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
        }

        const axisTitle = axis => axis.unit ? (axis.name ? `${axis.name} (${axis.unit})` : axis.unit) : axis.name;
        const axisValue = (axis, i) => axis.first + i * axis.step;
        function axisLabel(axis, i) {
          if (axis.labels && i < axis.labels.length) return axis.labels[i];
          return digits(axisValue(axis, i), 7) + (axis.unit && axis.unit.length < 4 ? ' ' + axis.unit : '');
        }

        /** Round values between two: multiples of 1, 2 or 5. */
        function roundValues(low, high, most) {
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
        function ticks(axis, most) {
          most = Math.max(most, 2);
          if (axis.count < 1) return [];
          if (axis.labels) {
            const step = Math.ceil(axis.count / most), out = [];
            for (let i = 0; i < axis.count; i += step) out.push([i, axisLabel(axis, i)]);
            return out;
          }
          const last = axisValue(axis, axis.count - 1);
          return roundValues(Math.min(axis.first, last), Math.max(axis.first, last), most)
            .map(v => [(v - axis.first) / axis.step, digits(v, 7)]);
        }

        const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
        const font = (size, weight = 400) => `${weight} ${size}px system-ui, "Segoe UI", Arial, sans-serif`;

        /** Text that is at most so wide, without its middle: names of layers differ in their ends. */
        function shortened(context, text, width) {
          if (context.measureText(text).width <= width) return text;
          const all = Array.from(text.slice(0, 300));
          for (let kept = all.length - 1; kept > 1; kept--) {
            const cut = all.slice(0, Math.ceil(kept / 2)).join('') + '…' + all.slice(all.length - Math.floor(kept / 2)).join('');
            if (context.measureText(cut).width <= width) return cut;
          }
          return '…';
        }

        /** Text that is at most so wide. */
        function fitted(context, text, width) {
          if (context.measureText(text).width <= width) return text;
          let cut = Array.from(text.slice(0, 300));
          while (cut.length && context.measureText(cut.join('') + '…').width > width) cut.pop();
          return cut.join('') + '…';
        }
        """#

    /// What all plots have: a canvas as wide as the page, a mark, a value, keys; and heat maps.
    package static let plots = #"""
        const redraws = new Set();
        matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => redraws.forEach(draw => draw()));

        /**
         * A plot that is drawn anew at each width.
         * layout(context, width) gives {height, draw(), at(x, y), place(key), box(key)}: at() finds what lies under a
         * point, as a key [across, down]; box() says where it is and what to say of it.
         */
        function plot(name, layout) {
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
        function across(context, axis, area, at, write) {
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

        function heatMap(name, array, { upward = false, events = [], line = null } = {}) {
          const values = unpack(array.base64), [rows, columns] = array.shape, [low, high] = array.range;
          const [down, right] = array.axes;
          const pixels = document.createElement('canvas');
          function paint() {
            pixels.width = Math.max(columns, 1);
            pixels.height = Math.max(rows, 1);
            const image = pixels.getContext('2d').createImageData(pixels.width, pixels.height);
            const missing = [1, 3, 5].map(i => parseInt(css('--missing').slice(i, i + 2), 16));
            for (let i = 0; i < values.length; i++) {
              const row = Math.floor(i / columns), to = ((upward ? rows - 1 - row : row) * columns + i % columns) * 4;
              const v = values[i];
              const share = v <= low ? 0 : v >= high ? 1 : (v - low) / (high - low);
              const c = Number.isNaN(v) ? missing : rgb[Math.round(share * (rgb.length - 1))];
              image.data[to] = c[0]; image.data[to + 1] = c[1]; image.data[to + 2] = c[2]; image.data[to + 3] = 255;
            }
            pixels.getContext('2d').putImageData(image, 0, 0);
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
                paint();
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

        function empty(context, area) {
          context.fillStyle = css('--panel');
          context.fillRect(area.x, area.y, area.width, area.height);
          context.fillStyle = css('--muted');
          context.textAlign = 'center';
          context.fillText('no values', area.x + area.width / 2, area.y + area.height / 2);
        }

        /** Which colour is which value. */
        function scale(array, values) {
          const ramp = el('i');
          ramp.style.background = `linear-gradient(90deg, ${colours.filter((_, i) => i % 12 === 0).join(', ')})`;
          const [below, above] = array.cut;
          return el('div', { class: 'scale' }, el('span', {}, (below ? '≤ ' : '') + digits(array.range[0])), ramp,
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
          const values = unpack(line.base64), [low, high] = line.range;
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
        """#
}
