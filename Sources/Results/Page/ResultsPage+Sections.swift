extension ResultsPage {
    /// Tables, players, and a result by its declaration.
    package static let drawing = #"""
        const mostRows = 200;

        function table(columns, rows) {
          const numeric = columns.map((_, c) => rows.some(r => typeof r[c] === 'number') && rows.every(r => typeof r[c] !== 'string'));
          const body = el('tbody'), more = el('div');
          let order = rows, limit = mostRows, sorted = null;
          const heads = columns.map((title, c) => el('th', { scope: 'col', class: numeric[c] ? 'number' : '' },
            el('button', { type: 'button', onclick: () => sort(c) }, title || '–')));
          function sort(c) {
            const down = sorted && sorted[0] === c ? !sorted[1] : numeric[c];
            sorted = [c, down];
            const missing = v => v === null || v === undefined;
            order = [...rows].sort((a, b) => {
              const [p, q] = [a[c], b[c]];
              if (missing(p) || missing(q)) return missing(p) - missing(q);
              const by = typeof p === 'number' && typeof q === 'number' ? p - q : String(p).localeCompare(String(q));
              return down ? -by : by;
            });
            heads.forEach((h, i) => i === c ? h.setAttribute('aria-sort', down ? 'descending' : 'ascending') : h.removeAttribute('aria-sort'));
            fill();
          }
          function fill() {
            body.replaceChildren(...order.slice(0, limit).map(row => el('tr', {}, row.map((cell, c) =>
              el('td', { class: numeric[c] ? 'number' : '', dir: typeof cell === 'string' ? 'auto' : null }, typeof cell === 'string' ? cell : digits(cell))))));
            more.replaceChildren(...(rows.length > limit ? [el('div', { class: 'choose' },
              el('span', { class: 'quiet' }, `${limit} of ${rows.length} rows`),
              el('button', { type: 'button', class: 'plain', onclick: () => { limit = rows.length; fill(); } }, 'Show all'))] : []));
          }
          fill();
          return el('div', {}, el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'table' },
            el('table', {}, el('thead', {}, el('tr', {}, heads)), body)),
            rows.length ? null : el('p', { class: 'quiet' }, 'no rows'), more);
        }

        function player(result, name) {
          const audio = el('audio', { controls: '', preload: 'auto', src: 'data:audio/wav;base64,' + result.wav, 'aria-label': name });
          const picture = heatMap(name, result.spectrogram, { upward: true, ...over_(result) });
          const head = el('div', { class: 'play' });
          head.style.display = 'none';
          picture.figure.frame.append(head);
          const axis = result.spectrogram.axes[1];
          function follow() {
            const layout = picture.figure.layout;
            if (layout) Object.assign(head.style, {
              display: 'block', left: layout.x((audio.currentTime - axis.first) / axis.step) + 'px',
              top: layout.area.y + 'px', height: layout.area.height + 'px'
            });
            if (!audio.paused) requestAnimationFrame(follow);
          }
          audio.addEventListener('play', follow);
          audio.addEventListener('seeked', follow);
          return el('div', {}, audio, picture.node);
        }

        /** What lies over the spectrogram of a result's recording. */
        function over_(result) {
          const same = data.results.filter(r => r.file === result.file && r.plot === 'spectrogram_overlay' && r !== result);
          return {
            events: same.filter(r => r.events).flatMap(r => r.events), line: same.find(r => r.kind === 'vector' && r.base64) || null
          };
        }

        const turned = array => {
          const values = unpack(array.base64), [rows, columns] = array.shape;
          return Array.from({ length: columns }, (_, c) => ({ name: axisLabel(array.axes[1], c), values: Float64Array.from({ length: rows }, (_, r) => values[r * columns + c]) }));
        };
        const byRow = array => {
          const values = unpack(array.base64), [rows, columns] = array.shape;
          return Array.from({ length: rows }, (_, r) => ({ name: axisLabel(array.axes[0], r), values: values.slice(r * columns, (r + 1) * columns) }));
        };
        const isTime = axis => !axis.labels && axis.unit === 's';

        function upright(array) {
          if (!isTime(array.axes[0]) || isTime(array.axes[1])) return array;
          const values = unpack(array.base64), [rows, columns] = array.shape, bytes = new Uint8Array(values.length * 4), view = new DataView(bytes.buffer);
          for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) view.setFloat32((c * rows + r) * 4, values[r * columns + c], true);
          let text = '';
          for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
          return { ...array, shape: [columns, rows], axes: [array.axes[1], array.axes[0]], base64: btoa(text) };
        }

        /** A spectrogram of the same recording to draw over, where there is one. */
        function ground(result) {
          for (const other of data.results) {
            if (other.file !== result.file) continue;
            if (other.kind === 'matrix' && other.plot === 'spectrogram_overlay' && other.base64) return upright(other);
            if (other.spectrogram) return other.spectrogram;
          }
          return null;
        }

        function draw(result, output) {
          const name = (output.title || output.id) + (result.file ? ', ' + result.file : ''), unit = output.unit;
          if (result.too_large) return [el('p', { class: 'quiet' }, 'Left out of this page for its size; the files have it (--out FOLDER).')];
          switch (result.kind) {
            case 'scalar': return [el('p', { class: 'big' }, digits(result.value, 6) + (unit ? ' ' + unit : ''))];
            case 'text': return [el('pre', { dir: 'auto', tabindex: 0 }, result.text)];
            case 'audio_clip': return [player(result, name)];
            case 'events': case 'timed_events': {
              const list = table(['start', 'end', 'label', 'value'], result.events.map(e => [e.start, e.end, e.label, e.value]));
              const below = result.plot === 'spectrogram_overlay' ? ground(result) : null;
              if (result.plot === 'none') return [list];
              return [below ? heatMap(name, below, { upward: true, events: result.events }).node : timeline(name, result.events),
                el('details', {}, el('summary', {}, `${result.events.length} events`), list)];
            }
            case 'table': {
              const parts = [], number = result.columns.findIndex((_, c) => result.rows.some(r => typeof r[c] === 'number'));
              if ((result.plot === 'bar' || result.plot === 'line') && number >= 0) {
                const text = result.columns.findIndex((_, c) => result.rows.some(r => typeof r[c] === 'string'));
                const axis = { name: text < 0 ? 'row' : result.columns[text], unit: null, first: 0, step: 1, count: result.rows.length, labels: text < 0 ? null : result.rows.map(r => String(r[text] ?? '')) };
                parts.push(seriesPlot(name, axis, [{ name: '', values: result.rows.map(r => typeof r[number] === 'number' ? r[number] : NaN) }], result.columns[number], result.plot === 'bar'));
              }
              return [...parts, table(result.columns, result.rows)];
            }
            case 'vector': {
              if (result.plot === 'none') return [table([axisTitle(result.axes[0]) || 'position', unit || 'value'], Array.from(unpack(result.base64), (v, i) => [axisLabel(result.axes[0], i), Number.isNaN(v) ? null : v]))];
              if (result.plot === 'heat_map') return [heatMap(name, { ...result, shape: [1, result.shape[0]], axes: [{ name: '', unit: null, labels: [''], first: 0, step: 1, count: 1 }, result.axes[0]] }).node];
              const below = result.plot === 'spectrogram_overlay' ? ground(result) : null;
              if (below) return [heatMap(name, below, { upward: true, line: result }).node];
              return [seriesPlot(name, result.axes[0], [{ name: '', values: unpack(result.base64) }], unit, result.plot === 'bar')];
            }
            case 'matrix': {
              const note = result.shape.join() === result.whole_shape.join() ? null
                : el('p', { class: 'quiet' }, `${result.whole_shape.join(' × ')} values, shown as ${result.shape.join(' × ')} means of neighbours; the files have all.`);
              if (result.plot === 'none') return [table([''].concat(Array.from({ length: result.shape[1] }, (_, c) => axisLabel(result.axes[1], c))), byRow(result).map(r => [r.name, ...Array.from(r.values, v => Number.isNaN(v) ? null : v)])), note];
              if (result.plot === 'bar') return [seriesPlot(name, result.axes[0], turned(result), unit, true), note];
              if (result.plot === 'line') return [seriesPlot(name, result.axes[1], byRow(result), unit, false), note];
              const upward = result.plot === 'spectrogram_overlay';
              return [heatMap(name, upward ? upright(result) : result, upward ? { upward, ...over_(result) } : {}).node, note];
            }
          }
          return [el('p', { class: 'quiet' }, 'Of a kind that this page does not know: ' + result.kind)];
        }

        /** Several recordings: a few below each other, many one at a time. */
        function several(results, output) {
          if (results.length <= 3) return results.map(r => el('div', {}, r.file ? el('h3', {}, r.file) : null, draw(r, output)));
          const choice = el('select', { 'aria-label': 'recording' }, results.map((r, i) => el('option', { value: i }, r.file || `result ${i + 1}`)));
          const place = el('div');
          const show = i => { choice.value = i; place.replaceChildren(...draw(results[i], output).filter(Boolean)); };
          const turn = by => show((Number(choice.value) + by + results.length) % results.length);
          choice.addEventListener('change', () => show(Number(choice.value)));
          show(0);
          return [el('div', { class: 'choose' }, choice,
            el('button', { type: 'button', class: 'plain', onclick: () => turn(-1), 'aria-label': 'previous recording' }, '←'),
            el('button', { type: 'button', class: 'plain', onclick: () => turn(1), 'aria-label': 'next recording' }, '→'),
            el('span', { class: 'quiet' }, `${results.length} results`)), place];
        }

        function scalarTable(scalars, outputs) {
          const files = new Map();
          for (const r of scalars) {
            const rows = files.get(r.file) ?? files.set(r.file, [{}]).get(r.file);
            let row = rows.at(-1);
            if (r.output in row) rows.push(row = {});
            row[r.output] = r.value;
          }
          const used = outputs.filter(o => scalars.some(r => r.output === o.id));
          const rows = [...files].flatMap(([file, list]) => list.map(row => [file, ...used.map(o => row[o.id] ?? null)]));
          return table(['recording', ...used.map(o => (o.title || o.id) + (o.unit ? ` (${o.unit})` : ''))], rows);
        }
        """#

    /// The page of one run.
    package static let sections = #"""
        function page() {
          const main = document.getElementById('page'), { plugin, run } = data;
          main.replaceChildren(el('header', {}, el('h1', {}, plugin.name || plugin.id || 'Results'),
            plugin.description ? el('p', {}, plugin.description) : null,
            el('p', { class: 'quiet' }, [plugin.id, plugin.version, plugin.vendor].filter(Boolean).join(' · '))));
          if (run) main.append(el('dl', { class: 'run' }, [
            ['Model', run.model], ['Recordings', digits(run.recordings)], ['Left out', run.skipped ? digits(run.skipped) : ''],
            ['Seed', String(run.seed)], ['Time', digits(run.seconds, 3) + ' s'], ['in the engine', digits(run.engine_seconds, 3) + ' s'],
            ['Model’s SHA-256', run.model_sha256 ? run.model_sha256.slice(0, 10) + '…' : ''],
            ['Precision', run.precision === 'exact' ? '' : run.precision]
          ].filter(([, v]) => v).map(([k, v]) => el('div', {}, el('dt', {}, k), el('dd', {}, v)))));
          const scalars = data.results.filter(r => r.kind === 'scalar' && r.file);
          const groups = data.outputs.map((output, i) => ({ output, id: 'r' + i, results: data.results.filter(r => r.output === output.id && !(r.kind === 'scalar' && r.file)) })).filter(g => g.results.length);
          const links = groups.map(g => [g.id, g.output.title || g.output.id]);
          if (scalars.length) links.unshift(['scalars', 'Scalars']);
          if (links.length > 1) main.append(el('nav', { 'aria-label': 'results' }, el('ul', {}, links.map(([id, title]) => el('li', {}, el('a', { href: '#' + id }, title))))));
          if (scalars.length) main.append(el('section', { id: 'scalars' }, el('h2', {}, 'Scalars'), scalarTable(scalars, data.outputs)));
          for (const { output, id, results } of groups) {
            const section = el('section', { id }, el('h2', {}, (output.title || output.id) + (output.unit ? ` (${output.unit})` : '')),
              output.description ? el('p', { class: 'quiet' }, output.description) : null);
            main.append(section);
            section.append(...several(results, output));
          }
          if (!data.results.length) main.append(el('p', { class: 'quiet' }, 'The run gave no results.'));
          if (data.problems.length) main.append(el('section', { class: 'problems' }, el('h2', {}, 'Not as declared'), data.problems.map(p => el('p', {}, p))));
          if (data.skipped.length) main.append(el('section', {}, el('h2', {}, 'Left out'), table(['recording', 'reason'], data.skipped.map(s => [s.file, s.reason]))));
        }
        page();
        """#
}
