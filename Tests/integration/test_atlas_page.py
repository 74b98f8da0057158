"""The page of an atlas in a browser: it finds, draws, plays and compares, served and as files, and asks nobody else.

ATLAS_FOLDER has the synthetic atlases that AtlasForBrowserTests writes; AUSCULT is the command line. atlas-page.sh sets
both. ATLAS_SHOTS names a folder for screenshots, to be looked at.
"""
import base64
import json
import math
import os
import re
import struct
import subprocess
import time

import pytest

from chromium import Chromium

FOLDER = os.environ.get("ATLAS_FOLDER", "")
AUSCULT = os.environ.get("AUSCULT", "")
SHOTS = os.environ.get("ATLAS_SHOTS", "")
PATIENCE = 120
HOSTILE = "<script>document.title='taken'</script>"
VOWELS = ["aa", "ae", "ah", "eh", "er", "iy", "ow", "uw"]
HOOK = "encoder.blocks.2.mlp.1"

pytestmark = pytest.mark.skipif(not os.path.isdir(FOLDER), reason="ATLAS_FOLDER names no folder; see atlas-page.sh")


def serve(name):
    process = subprocess.Popen([AUSCULT, "atlas", "serve", f"{FOLDER}/{name}/synthetic.atlas"], stdout=subprocess.PIPE)
    return process, process.stdout.readline().decode().strip()


@pytest.fixture(scope="module")
def served():
    process, address = serve("few")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[0-9a-f]{32}/atlas/", address), address
    yield address
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def many():
    process, address = serve("many")
    yield address
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def exported():
    site = FOLDER + "/site"
    subprocess.run([AUSCULT, "atlas", "export", f"{FOLDER}/few/synthetic.atlas", "--out", site], check=True)
    return "file://" + site + "/index.html"


@pytest.fixture(params=["served", "exported"])
def address(request):
    return request.getfixturevalue(request.param)


def until(page, script, what=None):
    """Waits for something to become true; a loaded machine may take long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if page.run(f"!!({script})"):
            return
        time.sleep(0.05)
    shown = page.run("document.body.innerText.slice(0, 2000)")
    raise AssertionError(f"never: {what or script}; errors: {page.errors()}; shown: {shown}")


def press(page, key):
    code = {"/": "Slash", "?": "Slash", " ": "Space"}.get(key, "Key" + key.upper() if len(key) == 1 else key)
    more = {"text": key} if len(key) == 1 else {}
    # What the browser itself does with a key goes by its number.
    more["windowsVirtualKeyCode"] = {"Escape": 27, "Enter": 13, "End": 35, " ": 32, "/": 191, "?": 191}.get(key) or ord(key.upper())
    page.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=code, **more)
    page.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=code)


def open_page(page, address, state="", phone=False, dark=False):
    page.open(address + state, 390 if phone else 1280, 844 if phone else 900, dark, phone)
    until(page, "/feature/.test(document.getElementById('count').textContent)", "a list")


def shoot(page, name):
    if SHOTS:
        page.screenshot(f"{SHOTS}/{name}.png", whole=False)


def is_clean(page, address):
    assert page.errors() == []
    # Served, what pages share lies beside the page.
    own = (address,) if address.startswith("file") else (address, address.removesuffix("atlas/") + "shared/")
    for asked in page.requests():
        assert asked.startswith(own), asked


# The parts of the page, whether they are modules or in one script.
MODULE = "(name => typeof modules === 'undefined' ? import(new URL(name, document.baseURI)) : Promise.resolve(modules['atlas/' + name]))"


def ids(page):
    """The id of each feature, by hook point and number."""
    rows = page.run(f"""{MODULE}('source.js').then(s => s.features(
      {{q: '', hook: '', kind: '', sort: 'number', order: 'up'}}, 0, 500)).then(a => a.rows.map(r =>
      [r.feature.hook, r.feature.number, r.feature.id]))""")
    return {(hook, number): feature for hook, number, feature in rows}


def drawn(page):
    """Waits for the first example; those that are far from the window wait until it comes near."""
    until(page, "document.querySelector('main .strip')", "an example")
    page.run("document.querySelector('main .strip').scrollIntoView({block: 'center', behavior: 'instant'})")
    until(page, "document.querySelector('main .strip').querySelector('.phonemes .here')", "what is heard below it")


def card(page, feature, address, extra="", **how):
    open_page(page, address, f"#feature={feature}{extra}", **how)
    until(page, "document.querySelector('main article h2')?.textContent", "a card")


@pytest.mark.parametrize("phone, dark", [(False, False), (False, True), (True, False), (True, True)],
                         ids=["desktop-light", "desktop-dark", "phone-light", "phone-dark"])
def test_card(address, phone, dark):
    with Chromium() as page:
        open_page(page, address, phone=phone, dark=dark)
        name = f"{'files' if address.startswith('file') else 'served'}-{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}"
        shoot(page, name + "-list")
        feature = ids(page)[HOOK, 6]
        card(page, feature, address, phone=phone, dark=dark)
        assert page.run("document.querySelector('.glyph').textContent") == VOWELS[6]
        assert page.run("document.querySelector('main h2').textContent") == f"{HOOK} · 6"
        # The first spectrogram has something on it, and the moment is on the vowel that the feature prefers.
        drawn(page)
        assert page.run("document.querySelector('.strip .phonemes .here').textContent") == VOWELS[6]
        assert page.run("""(() => {
          const c = document.querySelector('.strip canvas');
          const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
          return new Set(d).size > 50;
        })()""")
        assert page.run("document.querySelector('.overlay .curve').getAttribute('d').split('L').length") == 100
        # One group per bin, from the highest down; a bar per sound.
        assert page.run("document.querySelectorAll('.groups .group').length") == 10
        heights = page.run("[...document.querySelectorAll('.groups .group')].map(g => [...g.querySelectorAll('i')].map(i => i.title))")
        strong, weak = 9 * 60 + 10, 5
        assert heights[0][0].startswith(f"{VOWELS[6]}: {100 * strong / (strong + weak):.2g}\u00a0%"), heights[0]
        width = page.run("document.documentElement.scrollWidth")
        assert width <= (390 if phone else 1280), "the page is wider than the screen"
        shoot(page, name + "-card")
        is_clean(page, address)


def test_names_stay_text(address):
    with Chromium() as page:
        open_page(page, address)
        known = ids(page)
        for number in (3, 5):
            card(page, known[HOOK, number], address)
            drawn(page)
            text = page.run("document.body.textContent")
            assert HOSTILE in text
            assert "taken" != page.run("document.title")
            assert page.run("[...document.scripts].every(s => s.src)")
            is_clean(page, address)


def test_plays_and_stops(address):
    with Chromium() as page:
        open_page(page, address)
        card(page, ids(page)[HOOK, 6], address)
        drawn(page)
        press(page, " ")
        until(page, "document.querySelector('.strip.playing .head')?.style.left", "a moving head")
        press(page, " ")
        until(page, "!document.querySelector('.playing')")
        press(page, "m")
        assert "sound=plain" in page.run("location.hash")
        assert page.run("document.querySelector('#sounding [aria-checked=true]').dataset.value") == "plain"
        press(page, "n")
        press(page, " ")
        until(page, "document.activeElement.classList.contains('strip') && document.activeElement.classList.contains('playing')")
        # It ends by itself.
        until(page, "!document.querySelector('.playing')")
        page.run("document.querySelector('.bins .chip').scrollIntoView({behavior: 'instant'})")
        page.run("document.querySelector('.bins .chip').click()")
        until(page, "document.querySelector('.bins .shown .strip.playing')", "a bin's example that plays")
        is_clean(page, address)


def test_moment_is_brought_out_as_the_engine_does(served):
    with Chromium() as page:
        open_page(page, served)
        recording, frame = f"{FOLDER}/few/recording-4.wav", 43
        answers = {}
        for name, moment in (("plain", {}), ("out", {"moment": {"frame": frame}})):
            request = {"audio": {"path": recording}, "span": {"start": 0.5, "end": 2}, **moment}
            answer = subprocess.run([AUSCULT, "call", "auscult.v1.Audio/Excerpt", json.dumps(request)], check=True,
                                    capture_output=True)
            wav = base64.b64decode(json.loads(answer.stdout)["data"])
            answers[name] = [value / 32768 for value, in struct.iter_unpack("<h", wav[wav.index(b"data") + 8:])]
        assert len(answers["plain"]) == 24000
        centre = frame * 320 - 8000
        page.run("window.plain = Float32Array.from(%s)" % json.dumps(answers["plain"]))
        ours = page.run(f"import(new URL('sound.js', document.baseURI)).then(s => Array.from(s.broughtOut(window.plain, {centre})))")
        assert max(abs(a - b) for a, b in zip(ours, answers["out"])) < 1.1 / 32768
        # And as it is written: the window as it is, raised cosines of 128 samples, −20 dB elsewhere.
        for i in range(0, 24000, 7):
            away = max(centre - 500 - i, i - (centre + 500) + 1, 0)
            fall = 1 if away == 0 else 0 if away > 128 else (1 + math.cos(math.pi * away / 129)) / 2
            assert abs(ours[i] - answers["plain"][i] * (0.1 + 0.9 * fall)) < 1e-6


def test_compares(address):
    with Chromium() as page:
        open_page(page, address)
        known = ids(page)
        card(page, known[HOOK, 6], address, "&sort=number&order=up")
        press(page, "c")
        until(page, "document.querySelector('.waiting')")
        page.run("[...document.querySelectorAll('.option')].find(o => o.id === 'option-5').click()")
        until(page, "document.querySelectorAll('main article.card').length === 2", "two cards")
        state = page.run("location.hash")
        assert f"with={known[HOOK, 6]}" in state and "feature=" in state
        titles = page.run("[...document.querySelectorAll('main h2')].map(h => h.textContent)")
        # The state is a link.
        open_page(page, address, state)
        until(page, "document.querySelectorAll('main article.card').length === 2", "two cards from a link")
        assert page.run("[...document.querySelectorAll('main h2')].map(h => h.textContent)") == titles
        shoot(page, f"{'files' if address.startswith('file') else 'served'}-compare")
        press(page, "c")
        until(page, "document.querySelectorAll('main article.card').length === 1")
        is_clean(page, address)


def test_keys(address):
    with Chromium() as page:
        open_page(page, address)
        press(page, "/")
        assert page.run("document.activeElement.id") == "search"
        page.call("Input.insertText", text="iy")
        until(page, "location.hash.includes('q=iy')")
        until(page, "document.getElementById('count').textContent === '4 features'")
        press(page, "Enter")
        until(page, "document.querySelector('main article h2')")
        assert page.run("document.activeElement.id") == "list"
        first = page.run("location.hash")
        press(page, "j")
        until(page, f"location.hash !== {json.dumps(first)} && document.querySelector('.option.cursor')?.id === 'option-1'")
        press(page, "k")
        until(page, f"location.hash === {json.dumps(first)}")
        assert page.run("document.getElementById('list').getAttribute('aria-activedescendant')") == "option-0"
        press(page, "Enter")
        assert page.run("document.activeElement.id") == "card"
        press(page, "?")
        until(page, "document.getElementById('help').open")
        shoot(page, f"{'files' if address.startswith('file') else 'served'}-help")
        press(page, "Escape")
        until(page, "!document.getElementById('help').open")
        is_clean(page, address)


def test_sides_and_decoder(address):
    with Chromium() as page:
        open_page(page, address)
        known = ids(page)
        card(page, known[HOOK, 3], address)
        assert page.run("document.querySelectorAll('.sides button').length") == 2
        press(page, "s")
        until(page, "document.querySelector('.strip .value')?.textContent.startsWith('−')", "the other side's examples")
        card(page, known["decoder.blocks.0.mlp.1", 1], address)
        page.run("document.querySelector('.tokens').scrollIntoView({behavior: 'instant'})")
        until(page, "document.querySelector('.tokens mark')", "a marked token")
        assert page.run("document.querySelector('.tokens mark').textContent") == " three"
        # Of the second window, and shaded by its own activation: the marked token is the darkest.
        assert page.run("document.querySelector('.tokens').textContent") == "one two three four"
        assert page.run("document.querySelector('.tokens mark').title") == "token 450: 5"
        shades = page.run("[...document.querySelector('.tokens').children].map(t => Number(t.className.slice(1)))")
        assert shades == [0, 0, 5, 0]
        shoot(page, f"{'files' if address.startswith('file') else 'served'}-decoder")
        is_clean(page, address)


def test_labels(address):
    """What a scan says of a label is what stands on the card, on either side."""
    with Chromium() as page:
        open_page(page, address)
        feature = ids(page)[HOOK, 6]
        card(page, feature, address)
        rows = """[...document.querySelectorAll('table.labels tbody tr')].map(r => [...r.children].map(c => c.textContent))"""
        caption = "document.querySelector('.histogram figcaption').textContent"
        line = "document.querySelector('.histogram .threshold').style.left"
        assert page.run("[...document.querySelectorAll('table.labels thead th')].map(c => c.textContent)") == [
            "label", "kind", "precision", "base", "lift", "named", "recall", "F1", "AUC", "AP", "MI", "selectivity", "lag", "p",
            "threshold", "frames"]
        assert page.run(rows) == [
            [VOWELS[6], "phoneme", "0.60", "0.125", "4.82 ×", "0.60", "0.50", "0.60", "0.90", "–", "0.03", "0.37", "40 ms",
             "0.001", "0.8", "600 / 600"],
            ["two", "word", "0.40", "0.25", "1.6 ×", "0.40", "0.50", "0.60", "0.90", "–", "0.03", "0.37", "40 ms", "0.001",
             "0.8", "600 / 600"]]
        assert page.run("document.querySelector('.heading').textContent").startswith(
            f"{VOWELS[6]}{HOOK} · 6phoneme {VOWELS[6]}, 40 ms after it")
        # The threshold is within a cell: how many of its frames are above is not known.
        counts = [round(40000 * math.exp(-cell / 4)) + 1 for cell in range(40)]
        least, most = (f"{100 * sum(counts[first:]) / sum(counts):.2g}\u00a0%" for first in (7, 6))
        assert f", {least} to {most} of them above the label’s threshold of 0.8" in page.run(caption)
        assert page.run(line) == "16%"
        card(page, feature, address, "&side=-")
        until(page, f"{rows}.length === 1")
        assert page.run(rows)[0][-2] == "−0.1"
        assert page.run(caption).startswith("distance below zero; ")
        assert page.run(caption).endswith(", 30\u00a0% of them above the label’s threshold of 0.1")
        assert page.run(line) == "50%"
        shoot(page, f"{'files' if address.startswith('file') else 'served'}-smallest")
        # One of those that a scan gave no lift.
        card(page, ids(page)[HOOK, 7], address)
        assert page.run(rows)[0][3:5] == ["–", "–"]
        is_clean(page, address)


def test_lift(address):
    """Labels that say little can be left out, and the best are first."""
    def lift(feature):
        return (0.5 + feature * 17 % 500 / 1000) / 0.125

    with Chromium() as page:
        open_page(page, address)
        page.run("(() => { const s = document.getElementById('lift'); s.value = '5'; s.dispatchEvent(new Event('change')); })()")
        wanted = [f for features in (40, 4) for f in range(features) if f % 5 != 4 and f != 7 and lift(f) >= 5]
        until(page, f"document.getElementById('count').textContent === '{len(wanted)} features'")
        page.run("(() => { const s = document.getElementById('sort'); s.value = 'lift'; s.dispatchEvent(new Event('change')); })()")
        state = page.run("location.hash")
        assert "lift=5" in state and "sort=lift" in state
        first = max(wanted, key=lift)
        until(page, f"document.querySelector('.option b')?.textContent === '{first}'")
        assert page.run("document.querySelector('.option .number').textContent") == f"{lift(first):.3g} ×"
        # Any number may stand in the address.
        open_page(page, address, "#lift=5.5&sort=lift")
        few = sum(lift(f) >= 5.5 for f in wanted)
        until(page, f"document.getElementById('count').textContent === '{few} features'")
        assert page.run("document.getElementById('lift').value") == "5.5"
        shoot(page, f"{'files' if address.startswith('file') else 'served'}-lift")
        is_clean(page, address)


def test_recording(address):
    with Chromium() as page:
        open_page(page, address)
        card(page, ids(page)[HOOK, 6], address)
        page.run("document.querySelector('.strip .where a').click()")
        until(page, "document.getElementById('recording-name')")
        until(page, "document.querySelectorAll('.strip .phonemes span').length === 8", "what is heard in all of it")
        page.run("document.querySelector('main tbody a').click()")
        until(page, "document.querySelector('.glyph')", "a feature that it excites")
        is_clean(page, address)


def test_both_forms_find_the_same(served, exported):
    queries = [{"q": q, "hook": hook, "kind": kind, "sort": "number", "order": "up"} for q in
               ("", "iy", "IY", "two", "12", "#12", "mlp.1 ae", "%", "_", "script", "nothing-like-it")
               for hook in ("", HOOK) for kind in ("", "word")]
    queries += [{"q": "", "hook": "", "kind": kind, "lift": lift, "sort": sort, "order": order}
                for kind in ("", "phoneme", "word") for lift in ("", "2", "6.4")
                for sort in ("density", "precision", "lift", "selectivity", "auc", "f1", "maximum", "label", "number")
                for order in ("up", "down")]
    found = []
    for address in (served, exported):
        with Chromium() as page:
            open_page(page, address)
            found.append([page.run(f"""{MODULE}('source.js').then(s => s.features({json.dumps(query)}, 0, 100)).then(a =>
              [a.total, a.rows.map(r => [r.feature.hook, r.feature.number, r.label?.label ?? null])])""") for query in queries])
    for query, one, other in zip(queries, *found):
        assert one == other, query
    assert found[0][0][0] == 44


def test_refuses_what_is_not_there(served):
    with Chromium() as page:
        open_page(page, served, "#feature=99999")
        until(page, "document.querySelector('main [role=alert]')")
        assert "99999" in page.run("document.querySelector('main [role=alert]').textContent")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_contrast(served, dark):
    def luminance(colour):
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    with Chromium() as page:
        open_page(page, served, dark=dark)
        get = lambda name: page.run(f"getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim()")
        pairs = [(text, ground, 4.5) for text in ("ink", "muted", "accent") for ground in ("paper", "panel", "chosen")]
        # Text on what is pressed; edges of what can be pressed (WCAG 1.4.11).
        pairs += [("paper", "accent", 4.5), ("edge", "paper", 3), ("bar", "paper", 3)]
        for text, ground, least in pairs:
            a, b = sorted((luminance(get(text)), luminance(get(ground))))
            assert (b + 0.05) / (a + 0.05) >= least, (text, ground)


def test_ten_thousand(many):
    """Only what is in view is there, wherever one is in the list."""
    with Chromium() as page:
        open_page(page, many)
        assert page.run("document.getElementById('count').textContent").startswith("11\u202f000")
        options = "document.querySelectorAll('.option').length"
        for place in ("scrollHeight / 2", "scrollHeight", "scrollHeight / 3", "0"):
            page.run(f"(() => {{ const l = document.getElementById('list'); l.scrollTop = l.{place}; }})()"
                     if place != "0" else "document.getElementById('list').scrollTop = 0")
            until(page, """(() => {
              const box = document.getElementById('list').getBoundingClientRect();
              const seen = [...document.querySelectorAll('.option')].filter(o => {
                const b = o.getBoundingClientRect(); return b.bottom > box.top && b.top < box.bottom; });
              return seen.length >= 5 && seen.every(o => o.children.length);
            })()""", f"rows at {place}")
            assert page.run(options) < 60
            assert page.run("document.querySelectorAll('*').length") < 1500
        page.run("document.getElementById('list').focus()")
        press(page, "End")
        until(page, "document.querySelector('.option.cursor')?.id === 'option-10999'")
        until(page, "document.querySelector('main article h2')")
        press(page, "/")
        page.call("Input.insertText", text="9999")
        until(page, "document.getElementById('count').textContent === '1 feature'")
        until(page, "document.querySelector('.option b')?.textContent === '9999'")
        is_clean(page, many)
