import Results

extension ReproductionPage {
    /// Beside the style of the page of results.
    static let style = #"""
        :root {
          --yes: #13714a; --yes-soft: #d8f0e4; --part: #8a5a00; --part-soft: #fbebc8; --no: #a5303a; --no-soft: #f9dcdd;
          --none: #5b6875; --none-soft: #e8ebee;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --yes: #6fd3a5; --yes-soft: #173a2c; --part: #efb95a; --part-soft: #40300f; --no: #f08d92; --no-soft: #452023;
            --none: #9aa7b4; --none-soft: #2a323a;
          }
        }
        [data-verdict=holds] { --v: var(--yes); --soft: var(--yes-soft); }
        [data-verdict=holds_partly] { --v: var(--part); --soft: var(--part-soft); }
        [data-verdict=does_not_hold] { --v: var(--no); --soft: var(--no-soft); }
        [data-verdict=cannot_be_said] { --v: var(--none); --soft: var(--none-soft); }
        header .kicker { color: var(--muted); font-size: .9rem; margin-bottom: .4rem; }
        header h1 { font-size: clamp(1.7rem, 5vw, 2.3rem); letter-spacing: -.01em; }
        header .lead { font-size: 1.05rem; max-width: 46rem; }
        .badge {
          display: inline-flex; align-items: center; gap: .35em; padding: .12rem .6rem; border-radius: 1rem;
          background: var(--soft); color: var(--v); font-size: .85rem; font-weight: 600; white-space: nowrap;
        }
        .overview { list-style: none; margin: 1.6rem 0 0; padding: 0; border-top: 1px solid var(--rule); }
        .overview a {
          display: grid; grid-template-columns: 9.5rem 1fr; gap: .2rem 1rem; padding: .7rem .2rem; color: inherit;
          text-decoration: none; border-bottom: 1px solid var(--rule);
        }
        .overview a:hover b { text-decoration: underline; }
        .overview b { font-weight: 600; }
        .overview p { grid-column: 2; margin: 0; color: var(--muted); font-size: .92rem; max-width: none; }
        section.claim { margin-top: 3.5rem; padding-top: 1.2rem; border-top: 3px solid var(--v); scroll-margin-top: .5rem; }
        section.claim > h2 { margin: 0 0 .5rem; font-size: 1.45rem; line-height: 1.25; }
        .sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; margin: 1rem 0; }
        .sides > div { padding: .8rem 1rem; border-radius: .5rem; background: var(--panel); }
        .sides > div.here { background: var(--soft); }
        .sides h3 { margin: 0 0 .3rem; font-size: .82rem; color: var(--muted); font-weight: 600; }
        .sides .here h3 { color: var(--v); }
        .sides p { margin: 0; max-width: none; }
        .criteria { display: grid; gap: 1rem; margin: 1.2rem 0 0; }
        .criterion { display: grid; grid-template-columns: 1fr auto; gap: .1rem 1rem; align-items: baseline; }
        .criterion .measured { font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums; color: var(--v); }
        .criterion .measured small { font-size: .8rem; font-weight: 400; color: var(--muted); }
        .meter { grid-column: 1 / -1; position: relative; height: .6rem; border-radius: .3rem; overflow: visible; margin: .35rem 0 .1rem; display: flex; }
        .meter i { display: block; height: 100%; }
        .meter i:first-child { border-radius: .3rem 0 0 .3rem; }
        .meter i.end { border-radius: 0 .3rem .3rem 0; }
        .meter .z-holds { background: var(--yes-soft); } .meter .z-partly { background: var(--part-soft); }
        .meter .z-not { background: var(--no-soft); }
        .meter b {
          position: absolute; top: -.25rem; width: .3rem; height: 1.1rem; margin-left: -.15rem; border-radius: .15rem;
          background: var(--v); box-shadow: 0 0 0 2px var(--paper);
        }
        .criterion .thresholds { grid-column: 1 / -1; margin: 0; max-width: none; }
        .card { border: 1px solid var(--rule); border-radius: .6rem; padding: .9rem 1rem; margin-top: .9rem; }
        .card h4 { margin: 0; font-size: .95rem; overflow-wrap: anywhere; }
        .card audio { height: 2.6rem; }
        .strip { display: flex; flex-wrap: wrap; gap: .1rem .15rem; margin: .6rem 0 .2rem; font-size: 1.08rem; }
        .strip button {
          all: unset; cursor: pointer; padding: .05rem .3rem; border-radius: .3rem; transition: background .1s;
        }
        .strip button:hover { background: var(--panel); }
        .strip button:focus-visible { outline: 2px solid var(--accent); }
        .strip button.now { background: var(--accent); color: var(--paper); }
        .texts { display: grid; grid-template-columns: max-content minmax(0, 1fr) max-content; gap: .3rem .9rem; margin-top: .6rem; align-items: baseline; }
        .texts > * { min-width: 0; }
        .texts .name, .texts .note { color: var(--muted); font-size: .88rem; font-variant-numeric: tabular-nums; }
        :is(.texts, td) del { color: var(--no); text-decoration-thickness: 1.5px; opacity: .85; }
        :is(.texts, td) ins { color: var(--yes); text-decoration: none; border-bottom: 2px solid currentColor; }
        :is(.texts, td) mark { background: var(--part-soft); color: inherit; border-radius: .2rem; padding: 0 .15rem; }
        .moments { display: flex; flex-wrap: wrap; gap: .3rem; }
        button.moment {
          font: inherit; font-size: .85rem; cursor: pointer; color: var(--ink); background: var(--panel);
          border: 1px solid var(--rule); border-radius: 1rem; padding: .15rem .65rem; max-width: 18rem; text-align: start;
        }
        button.moment::before { content: "▶"; color: var(--accent); margin-right: .4em; font-size: .75em; }
        button.moment.on { border-color: var(--accent); background: var(--accent); color: var(--paper); }
        button.moment.on::before { content: "■"; color: inherit; }
        table.sounds th { padding: .4rem .7rem; }
        td .moments { min-width: 12rem; }
        td .marked { min-width: 14rem; }
        .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0 2rem; }
        .figures > * { min-width: 0; }
        .figure { margin-top: 1.6rem; }
        .figure.wide { grid-column: 1 / -1; }
        .figure > p { margin: 0 0 .2rem; }
        .figure > p:first-child { font-weight: 600; }
        details.more { margin-top: .7rem; border-top: 1px solid var(--rule); padding-top: .5rem; }
        details.more summary { cursor: pointer; color: var(--accent); font-size: .95rem; }
        details.more p { font-size: .92rem; }
        footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
        @media (max-width: 40rem) {
          .sides { grid-template-columns: 1fr; }
          .overview a { grid-template-columns: 1fr; }
          .overview p { grid-column: 1; }
          .texts { grid-template-columns: minmax(0, 1fr) max-content; }
          .texts .text { grid-column: 1 / -1; order: 0; margin-bottom: .4rem; }
          .texts { grid-auto-flow: row dense; }
        }
        @media print { .card audio, button.moment { display: none; } }
        """#
}
