import Results

extension ReproductionPage {
    /// Verdicts and the numbers behind them.
    static let verdicts = #"""
        const verdictWords = {
          holds: ['✓', 'holds'], holds_partly: ['◐', 'holds partly'], does_not_hold: ['✗', 'does not hold'],
          cannot_be_said: ['–', 'cannot be said']
        };
        function badge(verdict) {
          const [mark, words] = verdictWords[verdict] ?? ['?', verdict];
          return el('span', { class: 'badge', 'data-verdict': verdict }, el('span', { 'aria-hidden': 'true' }, mark), words);
        }
        const share = v => v === null || v === undefined ? '–' : Math.abs(v) <= 2 ? digits(Math.round(v * 1000) / 10) + '\u00a0%' : digits(v);

        /** A number on the scale of its thresholds. */
        function criterion(c) {
          const up = c.direction === 'at_least', word = up ? 'from' : 'up to';
          const said = c.value !== null;
          const top = Math.max(1, c.holds, c.partly, said ? c.value : 0), low = Math.min(0, said ? c.value : 0);
          const at = v => Math.min(Math.max((v - low) / (top - low), 0), 1) * 100;
          const edges = up ? [['not', 0, at(c.partly)], ['partly', at(c.partly), at(c.holds)], ['holds', at(c.holds), 100]]
            : [['holds', 0, at(c.holds)], ['partly', at(c.holds), at(c.partly)], ['not', at(c.partly), 100]];
          const meter = el('div', { class: 'meter', 'aria-hidden': 'true' }, edges.map(([zone, from, to], i) => {
            const part = el('i', { class: `z-${zone}${i === 2 ? ' end' : ''}` });
            part.style.width = (to - from) + '%';
            return part;
          }));
          if (said) {
            const mark = el('b');
            mark.style.left = at(c.value) + '%';
            meter.append(mark);
          }
          return el('div', { class: 'criterion', 'data-verdict': c.verdict },
            el('span', {}, c.question[0].toUpperCase() + c.question.slice(1)),
            el('span', { class: 'measured' }, said ? share(c.value) : '–', said && c.of ? el('small', {}, ` · ${c.count} ${c.of}`) : null),
            meter,
            el('p', { class: 'quiet thresholds' }, `Holds ${word} ${share(c.holds)}, partly ${word} ${share(c.partly)}`
              + (c.least > 1 ? `, measured on ${c.least} at least` : '') + `: ${c.because}.`
              + (c.reason ? ` Here nothing can be said: ${c.reason}.` : '')));
        }
        """#

    /// Players, words that light up, and moments to press.
    static let listening = #"""
        const address = path => path ? data.sounds[path] ?? null : null;
        let playing = null;
        function hush() {
          if (!playing) return;
          playing.sound.pause();
          playing.button?.classList.remove('on');
          playing = null;
        }

        /** A button that plays a short sound; one at a time. */
        function moment({ label, sound }) {
          const source = address(sound);
          if (!source) return el('span', { class: 'quiet' }, label);
          const button = el('button', { type: 'button', class: 'moment', 'aria-label': 'play ' + label, onclick: () => {
            if (playing?.button === button) return hush();
            hush();
            const audio = new Audio(source);
            playing = { sound: audio, button };
            button.classList.add('on');
            audio.addEventListener('ended', () => { if (playing?.button === button) hush(); });
            audio.play().catch(() => { if (playing?.button === button) hush(); });
          } }, label);
          return button;
        }

        function changed(words) {
          const line = el('span', { class: 'text', dir: 'auto' });
          if (!words.length) line.append(el('span', { class: 'quiet' }, 'nothing'));
          for (const [kind, word] of words) {
            line.append(kind === 'kept' ? word : kind === 'removed' ? el('del', {}, word) : kind === 'marked' ? el('mark', {}, word) : el('ins', {}, word), ' ');
          }
          return line;
        }

        function recording(card) {
          const source = address(card.sound);
          const audio = source ? el('audio', { controls: '', preload: 'metadata', src: source, 'aria-label': card.title }) : null;
          const buttons = card.words.map(w => el('button', { type: 'button', 'aria-label': `play from ${w.text}`, onclick: () => {
            if (!audio) return;
            audio.currentTime = Math.max(w.start ?? 0, 0);
            audio.play().catch(() => {});
          } }, w.text));
          function follow() {
            const t = audio.currentTime;
            card.words.forEach((w, i) => buttons[i].classList.toggle('now', !audio.paused && t >= w.start && t < w.end));
            if (!audio.paused) requestAnimationFrame(follow);
          }
          audio?.addEventListener('play', () => { if (playing?.sound !== audio) hush(); playing = { sound: audio }; follow(); });
          audio?.addEventListener('pause', follow);
          return el('div', { class: 'card' }, el('h4', {}, card.title),
            audio ?? el('p', { class: 'quiet' }, 'The sound is in the files beside this page, or could not be had.'),
            buttons.length ? el('div', { class: 'strip', 'aria-label': 'words' }, buttons) : null,
            card.texts.length ? el('div', { class: 'texts' }, card.texts.flatMap(t => [
              el('span', { class: 'name' }, t.name), changed(t.words), el('span', { class: 'note' }, t.note)])) : null);
        }

        function soundTable(card) {
          const numeric = card.columns.map((_, c) => card.rows.every(r => typeof r[c] === 'number' || r[c] === null));
          const body = el('tbody'), more = el('div'), few = 12;
          const line = row => el('tr', {}, row.map((cell, i) => el('td', { class: numeric[i] ? 'number' : '' },
            Array.isArray(cell) ? el('div', { class: 'moments' }, cell.map(moment))
              : cell?.texts ? el('div', { class: 'marked' }, cell.texts.map(t => el('div', {}, changed(t))))
              : typeof cell === 'string' ? cell : digits(cell, 3))));
          const fill = limit => {
            body.replaceChildren(...card.rows.slice(0, limit).map(line));
            more.replaceChildren(...(card.rows.length > limit ? [el('div', { class: 'choose' },
              el('span', { class: 'quiet' }, `${limit} of ${card.rows.length} rows`),
              el('button', { type: 'button', class: 'plain', onclick: () => fill(card.rows.length) }, 'Show all'))] : []));
          };
          fill(card.rows.length > few + 3 ? few : card.rows.length);
          return el('div', {}, card.title ? el('h3', {}, card.title) : null,
            el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': card.title || 'table' }, el('table', { class: 'sounds' },
              el('thead', {}, el('tr', {}, card.columns.map((c, i) => el('th', { scope: 'col', class: numeric[i] ? 'number' : '' }, c)))), body)), more);
        }
        """#

    /// The page itself.
    static let page = #"""
        function exhibit(shown) {
          const parts = [
            ...(shown.output ? several(shown.results, shown.output).flat().filter(Boolean) : []),
            ...shown.problems.map(p => el('p', { class: 'problems' }, p))
          ];
          const narrow = shown.results.every(r => r.kind === 'matrix' && r.plot === 'heat_map' && r.shape[1] <= 16);
          if (!shown.folded) return el('div', { class: narrow ? 'figure' : 'figure wide' }, el('p', {}, shown.caption),
            shown.output?.title ? el('p', { class: 'quiet' }, shown.output.title + (shown.output.unit ? ` (${shown.output.unit})` : '')) : null, parts);
          // Drawn when it is opened: a plot has no width before.
          const details = el('details', { class: 'more' }, el('summary', {}, shown.caption));
          details.addEventListener('toggle', () => { if (details.open && details.children.length < 2) details.append(...parts); });
          return details;
        }

        function how(section) {
          const columns = ['part', 'what', 'arguments', 'seconds', 'files'];
          const rows = section.parts.map(p => [p.id, p.what,
            Object.entries(p.arguments).map(([k, v]) => `${k}=${v.length > 60 ? v.slice(0, 60) + '…' : v}`).join(', '),
            p.kept ? `${digits(p.seconds, 3)} (kept)` : digits(p.seconds, 3), p.folder ?? 'transcripts.jsonl']);
          return el('details', { class: 'more' }, el('summary', {}, 'How this was done'), el('p', {}, section.method),
            section.notes.map(n => el('p', { class: 'quiet' }, n)), rows.length ? table(columns, rows) : null);
        }

        function claim(section, i) {
          const node = el('section', { class: 'claim', id: section.id, 'data-verdict': section.verdict },
            el('h2', {}, `${i + 1}. ${section.title}`), badge(section.verdict),
            el('div', { class: 'sides' },
              el('div', {}, el('h3', {}, 'What the post found'), el('p', {}, section.claim)),
              el('div', { class: 'here' }, el('h3', {}, 'This model, on these samples'),
                el('p', {}, section.finding || (section.reason ? 'Nothing can be said: ' + section.reason + '.' : '–')))),
            section.failure ? el('p', { class: 'problems' }, 'This section failed: ' + section.failure) : null,
            section.criteria.length ? el('div', { class: 'criteria' }, section.criteria.map(criterion)) : null);
          const cards = section.listening;
          if (cards.length) {
            node.append(el('h3', {}, 'Listen'));
            node.append(...cards.map(c => c.kind === 'table' ? soundTable(c) : recording(c)));
          }
          const open = section.exhibits.filter(x => !x.folded), folded = section.exhibits.filter(x => x.folded);
          if (open.length) node.append(el('div', { class: 'figures' }, open.map(exhibit)));
          node.append(...folded.map(exhibit), how(section));
          return node;
        }

        function whole() {
          const main = document.getElementById('page'), { samples, model } = data;
          main.replaceChildren(el('header', {}, el('p', { class: 'kicker' }, 'auscult reproduce'),
            el('h1', {}, 'Interpreting Whisper, on these samples'),
            el('p', { class: 'lead' }, 'The experiments of “Interpreting OpenAI’s Whisper” (E. Reid, 2023), repeated with one model on one set of recordings. '
              + 'Each verdict is computed from the thresholds that stand beside it.')),
            el('dl', { class: 'run' }, [
              ['Model', model.name], ['Precision', model.precision === 'exact' ? '' : model.precision], ['SHA-256', model.sha256 ? model.sha256.slice(0, 10) + '…' : ''], ['Recordings', digits(samples.recordings)],
              ['with speech', digits(samples.spoken)], ['Written down', `${Math.min(samples.spoken, data.options.recordings)} recordings`],
              ['Seed', String(data.options.seed)], ['Time', digits(data.seconds, 3) + ' s'], ['Date', data.date.slice(0, 10)], ['auscult', data.version]
            ].filter(([, v]) => v).map(([k, v]) => el('div', {}, el('dt', {}, k), el('dd', {}, v)))),
            el('ul', { class: 'overview' }, data.sections.map((s, i) => el('li', {}, el('a', { href: '#' + s.id },
              el('span', {}, badge(s.verdict)), el('b', {}, `${i + 1}. ${s.title}`), el('p', {}, s.finding || s.reason || ''))))));
          // A section that cannot be drawn does not take the others with it.
          data.sections.forEach((s, i) => {
            try { main.append(claim(s, i)); } catch (error) {
              main.append(el('section', { class: 'claim', id: s.id }, el('h2', {}, s.title), el('p', { class: 'problems' }, 'This section cannot be drawn: ' + error)));
              console.error(error);
            }
          });
          if (data.problems.length) main.append(el('details', { class: 'more' }, el('summary', {}, `${data.problems.length} recordings were left out`), data.problems.map(p => el('p', { class: 'quiet' }, p))));
          main.append(el('footer', {}, el('p', { class: 'quiet' }, 'Beside this page: results.json and verdicts.csv with every number, and a folder for each section with its tables (CSV, NPY), figures (SVG, PNG) and sounds (FLAC).')));
        }
        whole();
        """#
}
