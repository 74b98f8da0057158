extension ResultsPage {
    /// Bars, lines and timelines.
    package static let seriesPlots = #"""
        const seriesColour = i => css('--s' + i % 8);
        const mostSeries = 8;

        /** series: [{name, values}], one value for each position of the axis. */
        function seriesPlot(name, axis, all, unit, bars) {
          const series = all.slice(0, mostSeries), count = axis.count;
          const finite = series.flatMap(s => Array.from(s.values).filter(Number.isFinite));
          let low = finite.reduce((a, b) => Math.min(a, b), Infinity), high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
          if (!finite.length) [low, high] = [0, 1];
          if (bars || (low > 0 && low < high * .4)) low = Math.min(low, 0);
          if (bars) high = Math.max(high, 0);
          if (low === high) [low, high] = [low - .5, high + .5];
          const marks = roundValues(low, high, 6), step = marks.length > 1 ? marks[1] - marks[0] : 0;
          if (marks.at(-1) < high) high = marks.at(-1) + step;
          if (marks[0] > low) low = marks[0] - step;
          const figure = plot(name, (context, width) => {
            context.font = font(12);
            const labels = Math.max(...roundValues(low, high, 6).map(v => context.measureText(digits(v)).width));
            const area = { x: labels + (unit ? 32 : 14), y: 12, height: 260 };
            area.width = width - area.x - 8;
            const x = p => bars ? area.x + (p + .5) / Math.max(count, 1) * area.width
              : area.x + (count > 1 ? p / (count - 1) : .5) * area.width;
            const y = v => area.y + area.height - Math.min(Math.max((v - low) / (high - low), 0), 1) * area.height;
            const below = across(context, axis, area, x, false);
            const slot = area.width / Math.max(count, 1), used = slot > 3 ? slot * .8 : slot;
            return {
              height: area.y + area.height + below, size: [count, 1],
              draw() {
                context.textAlign = 'right';
                context.font = font(12);
                for (const v of roundValues(low, high, 6)) {
                  context.fillStyle = css(v === 0 ? '--muted' : '--rule');
                  context.fillRect(area.x, y(v) - .5, area.width, 1);
                  context.fillStyle = css('--muted');
                  context.fillText(digits(v), area.x - 6, y(v) + 4);
                }
                if (unit) {
                  context.save();
                  context.translate(12, area.y + area.height / 2);
                  context.rotate(-Math.PI / 2);
                  context.textAlign = 'center';
                  context.fillStyle = css('--ink');
                  context.fillText(fitted(context, unit, area.height), 0, 0);
                  context.restore();
                }
                series.forEach((s, k) => {
                  context.fillStyle = context.strokeStyle = seriesColour(k);
                  if (count > area.width * 2) return envelope(context, area, s.values, y, bars);
                  if (bars) {
                    const w = used / series.length;
                    s.values.forEach((v, i) => {
                      if (Number.isNaN(v)) return;
                      const top = Math.min(y(v), y(0));
                      context.fillRect(x(i) - used / 2 + k * w, top, Math.max(w - (slot > 12 ? .5 : 0), .4), Math.max(Math.abs(y(v) - y(0)), .5));
                    });
                  } else {
                    context.lineWidth = 1.8;
                    context.lineJoin = 'round';
                    context.beginPath();
                    let open = false;
                    s.values.forEach((v, i) => {
                      if (Number.isNaN(v)) { open = false; return; }
                      if (open) context.lineTo(x(i), y(v)); else { context.moveTo(x(i), y(v)); context.lineTo(x(i) + .01, y(v)); }
                      open = true;
                    });
                    context.stroke();
                  }
                });
                if (!finite.length) { context.fillStyle = css('--muted'); context.textAlign = 'center'; context.fillText('no values', area.x + area.width / 2, area.y + area.height / 2); }
                across(context, axis, area, x, true);
              },
              at(px, py) {
                if (!count || px < area.x - 4 || px > area.x + area.width + 4 || py > area.y + area.height) return null;
                const p = bars ? Math.floor((px - area.x) / slot) : Math.round((px - area.x) / area.width * (count - 1));
                return [Math.min(Math.max(p, 0), count - 1), 0];
              },
              box([i]) {
                const w = bars ? Math.max(slot, 2) : 2;
                const lines = series.map(s => (s.name ? s.name + ': ' : '') + digits(s.values[i], 5));
                return {
                  bare: true, x: x(i) - w / 2, y: area.y, width: w, height: area.height,
                  text: (axis.name ? axis.name + ': ' : '') + axisLabel(axis, i) + '\n' + lines.join('\n')
                };
              }
            };
          });
          const legend = series.length > 1 ? el('div', { class: 'legend' }, series.map((s, k) => {
            const item = el('span', {}, s.name);
            item.style.setProperty('--c', `var(--s${k % 8})`);
            return item;
          }), all.length > mostSeries ? `${all.length - mostSeries} more are not drawn` : null) : null;
          return el('figure', {}, legend, figure.frame);
        }

        /** The least and the most of the values that share a pixel. */
        function envelope(context, area, values, y, bars) {
          const width = Math.floor(area.width);
          for (let column = 0; column < width; column++) {
            const from = Math.floor(column * values.length / width);
            const to = Math.max(Math.floor((column + 1) * values.length / width), from + 1);
            let least = Infinity, most = -Infinity;
            for (let i = from; i < to; i++) if (!Number.isNaN(values[i])) { least = Math.min(least, values[i]); most = Math.max(most, values[i]); }
            if (least > most) continue;
            if (bars) { least = Math.min(least, 0); most = Math.max(most, 0); }
            context.fillRect(area.x + column, y(most), 1, Math.max(y(least) - y(most), 1.2));
          }
        }

        function timeline(name, events) {
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
        """#
}
