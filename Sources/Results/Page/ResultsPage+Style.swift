extension ResultsPage {
    package static let style = #"""
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; }
        body {
          margin: 0; background: var(--paper); color: var(--ink);
          font: 16px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
        }
        main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
        h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
        h2 { font-size: 1.2rem; margin: 2.6rem 0 .2rem; overflow-wrap: anywhere; }
        h3 { font-size: 1rem; font-weight: 600; margin: 1.2rem 0 .4rem; overflow-wrap: anywhere; }
        p { margin: .3rem 0; max-width: 44rem; }
        .quiet { color: var(--muted); font-size: .9rem; overflow-wrap: anywhere; }
        dl.run {
          display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .5rem 1rem;
          margin: 1.2rem 0 0; padding: .8rem 1rem; background: var(--panel); border-radius: .5rem;
        }
        dl.run dt { color: var(--muted); font-size: .8rem; }
        dl.run dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
        nav ul { list-style: none; margin: 1rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem; }
        nav a {
          display: inline-block; padding: .2rem .7rem; border: 1px solid var(--rule); border-radius: 1rem;
          font-size: .9rem; text-decoration: none; max-width: 80vw; overflow-wrap: anywhere;
        }
        a { color: var(--accent); }
        figure { margin: .8rem 0 0; position: relative; }
        .plot { position: relative; width: 100%; outline-offset: 2px; border-radius: 2px; touch-action: pan-y; }
        .plot canvas { display: block; width: 100%; }
        .mark {
          position: absolute; pointer-events: none; display: none; border: 1.5px solid #fff; outline: 1px solid #000;
        }
        .mark.bare { border: 0; outline: 0; background: var(--ink); opacity: .35; }
        .value {
          position: absolute; pointer-events: none; display: none; z-index: 2; background: var(--ink);
          color: var(--paper); font-size: .85rem; line-height: 1.35; padding: .3rem .55rem; border-radius: .3rem;
          max-width: 16rem; white-space: pre-line; overflow-wrap: anywhere; font-variant-numeric: tabular-nums;
        }
        .play { position: absolute; pointer-events: none; width: 2px; background: #fff; box-shadow: 0 0 0 1px #000; }
        .legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; font-size: .85rem; margin: .3rem 0; }
        .legend span::before {
          content: ""; display: inline-block; width: .75rem; height: .75rem; margin-right: .4rem;
          border-radius: 2px; background: var(--c); vertical-align: -1px;
        }
        .scale {
          display: grid; grid-template-columns: auto minmax(6rem, 14rem) auto auto; gap: .5rem; align-items: center;
          justify-content: start; font-size: .85rem; color: var(--muted); margin-top: .4rem;
          font-variant-numeric: tabular-nums;
        }
        .scale i { display: block; height: .75rem; border-radius: 2px; }
        .scale b { font-weight: 400; white-space: nowrap; }
        .scale b::before {
          content: ""; display: inline-block; width: .75rem; height: .75rem; margin: 0 .4rem 0 .5rem;
          background: var(--missing); border-radius: 2px; vertical-align: -1px;
        }
        .scroll { overflow-x: auto; margin-top: .6rem; border: 1px solid var(--rule); border-radius: .4rem; }
        table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
        th, td { padding: .3rem .7rem; text-align: start; border-bottom: 1px solid var(--rule); max-width: 26rem; }
        td { overflow-wrap: break-word; min-width: 3.2rem; }
        tbody tr:last-child td { border-bottom: 0; }
        th { background: var(--panel); white-space: nowrap; padding: 0; }
        .number { text-align: end; white-space: nowrap; }
        th button {
          all: unset; box-sizing: border-box; cursor: pointer; display: block; width: 100%; padding: .4rem .7rem;
          font-weight: 600;
        }
        th button::after { content: " ↕"; color: var(--muted); opacity: .5; }
        th[aria-sort=ascending] button::after { content: " ↑"; opacity: 1; }
        th[aria-sort=descending] button::after { content: " ↓"; opacity: 1; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
        th button:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
        .choose { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-top: .6rem; }
        button.plain, select {
          font: inherit; font-size: .92rem; color: var(--ink); background: var(--panel);
          border: 1px solid var(--rule); border-radius: .4rem; padding: .35rem .7rem; max-width: 100%;
        }
        select { min-width: 0; flex: 0 1 24rem; }
        button.plain { cursor: pointer; }
        audio { width: 100%; margin-top: .5rem; }
        pre {
          white-space: pre-wrap; overflow-wrap: anywhere; background: var(--panel); padding: .8rem 1rem;
          border-radius: .4rem; font: .9rem/1.5 ui-monospace, "Cascadia Mono", Menlo, monospace; max-height: 30rem;
          overflow-y: auto;
        }
        .big { font-size: 1.6rem; font-variant-numeric: tabular-nums; }
        .problems { border-inline-start: 4px solid #c2410c; padding-inline-start: 1rem; }
        .live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        @media print { nav, .choose { display: none; } }
        """#
}
