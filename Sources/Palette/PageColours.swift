/// The colours of pages, as variables of CSS, for light and dark screens.
///
/// Text has at least 4.5 : 1 against what it stands on in both (WCAG 2.2, AA).
package enum PageColours {
    package static let css = #"""
        :root {
          --paper: #ffffff; --panel: #f6f7f9; --ink: #1f2933; --muted: #5b6875; --rule: #dde2e7;
          --accent: #1d5fa8; --missing: #cdd0d4; --shadow: 0 1px 3px rgb(0 0 0 / .10);
          --edge: #8a95a1; --bar: #8a95a1; --chosen: #e6eff9; --night: #14181d;
          --s0: #2166ac; --s1: #d97706; --s2: #0f766e; --s3: #be3c5a; --s4: #7c5cc4; --s5: #608c28; --s6: #5a5a5a;
          --s7: #28aac8;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --paper: #14181d; --panel: #1c2229; --ink: #e4e8ec; --muted: #9aa7b4; --rule: #323b45;
            --accent: #7db7f0; --missing: #4a525b; --shadow: none;
            --edge: #66727f; --bar: #66727f; --chosen: #22354a; --night: #0c0f13;
            --s0: #6aaef0; --s1: #f0a14a; --s2: #3fbfae; --s3: #ee7d98; --s4: #ae94ee; --s5: #9cc85c; --s6: #b4b4b4;
            --s7: #6fd3ea;
          }
        }
        """#
}
