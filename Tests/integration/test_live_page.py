"""The live page in a browser: it listens to the browser's own microphone, which is a file, and to a file that is played.

LIVE_FOLDER is a folder for what the tests make; AUSCULT is the command line. live-page.sh sets both. LIVE_SHOTS names a folder for
screenshots, to be looked at.
"""
import os
import re
import subprocess
import time

import pytest

from chromium import Chromium

FOLDER = os.environ.get("LIVE_FOLDER", "")
AUSCULT = os.environ.get("AUSCULT", "")
SHOTS = os.environ.get("LIVE_SHOTS", "")
PATIENCE = 120
CLIP = "en-slt-01"
SAID = {"goat", "cold", "horse", "famous"}
FEATURES = "encoder.blocks.2.mlp.1:17,40-47"
NONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")

pytestmark = pytest.mark.skipif(not os.path.isdir(FOLDER), reason="LIVE_FOLDER names no folder; see live-page.sh")


@pytest.fixture(scope="module")
def recording():
    """The clip as a WAV file, with silence behind it: the browser plays it again and again."""
    import base64, json, struct
    answer = subprocess.run([AUSCULT, "call", "auscult.v1.Audio/Excerpt", json.dumps({"audio": {"clip": CLIP}, "span": {"start": 0, "end": 4}})],
                            check=True, capture_output=True)
    data = base64.b64decode(json.loads(answer.stdout)["data"])
    samples = data[data.index(b"data") + 8:] + bytes(2 * 16000 * 3)
    path = FOLDER + "/said.wav"
    with open(path, "wb") as file:
        file.write(b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16000, 32000, 2, 16)
                   + b"data" + struct.pack("<I", len(samples)) + samples)
    return path


class Served:
    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [AUSCULT, "listen", "--page", "--language", "en", "--context", "800", "--features", FEATURES, *arguments],
            stdout=subprocess.PIPE)
        self.address = self.process.stdout.readline().decode().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[0-9a-f]{32}/live/", self.address), self.address

    def __enter__(self):
        return self.address

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def until(page, script, what=None):
    """Waits for something to become true; a loaded machine may take long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if page.run(f"!!({script})"):
            return
        time.sleep(0.1)
    raise AssertionError(f"never: {what or script}; errors: {page.errors()}; shown: {page.run('document.body.innerText.slice(0, 2000)')}")


def open_page(page, address, phone=False, dark=False):
    page.open(address, 390 if phone else 1280, 844 if phone else 900, dark, phone)
    until(page, "document.getElementById('source').options.length && document.querySelectorAll('.track').length === 9", "its parts")


def shoot(page, name):
    if SHOTS:
        page.screenshot(f"{SHOTS}/{name}.png", whole=False)


def is_clean(page, address):
    assert page.errors() == []
    for asked in page.requests():
        assert asked.startswith((address, address.removesuffix("live/") + "shared/")), asked


WORDS = "document.getElementById('words').textContent"


def heard(page):
    until(page, f"({'&&'.join(f'/{word}/i.test({WORDS})' for word in sorted(SAID))})", "the words")


def drawn(page, node):
    """How many different colours a canvas has."""
    return page.run(f"""(() => {{ const canvas = document.querySelector('{node}');
      const data = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
      return new Set(data).size; }})()""")


@pytest.mark.parametrize("look", ["desk", "phone"])
def test_listens_to_the_browsers_microphone(recording, look):
    flags = (*NONE, "--use-file-for-fake-audio-capture=" + recording)
    with Served("--intervene", "encoder.ln_post = zero") as address, Chromium(*flags) as page:
        open_page(page, address, phone=look == "phone", dark=look == "phone")
        # The switch of the command line is on, and is turned off before anything is said.
        page.run("document.querySelector('#steering input[type=checkbox]').click()")
        page.run("document.getElementById('start').click()")
        until(page, "document.getElementById('start').textContent === 'Stop'", "a session")
        heard(page)
        until(page, "[...document.querySelectorAll('.track output')].some(o => o.textContent)", "values")
        assert drawn(page, "#spectrogram") > 20 and drawn(page, ".track canvas") > 1
        until(page, "/features \\d+ . \\d+ ms/.test(document.getElementById('latency').textContent)", "the latency")
        page.run("document.getElementById('mark').click()")
        until(page, "document.querySelector('.moment')", "the mark")
        shoot(page, "microphone-" + look)
        width = page.run("document.documentElement.scrollWidth")
        assert width <= (390 if look == "phone" else 1280), "the page is wider than the screen"
        # Another page that comes later knows the words.
        page.run("document.getElementById('start').click()")
        until(page, "document.getElementById('start').textContent === 'Listen'", "the end")
        open_page(page, address)
        heard(page)
        is_clean(page, address)


def test_interventions_are_switched_and_written(recording):
    flags = (*NONE, "--use-file-for-fake-audio-capture=" + recording)
    with Served() as address, Chromium(*flags) as page:
        open_page(page, address)
        page.run("document.getElementById('start').click()")
        heard(page)
        page.run("document.querySelector('#steering input[type=text]').value = 'encoder.ln_post = zero'")
        page.run("document.querySelector('#steering form').requestSubmit()")
        until(page, "document.querySelector('#steering input[type=checkbox]')?.checked", "a switch that is on")
        # What the engine does not take ends the session with the reason, and does not hold in the next.
        page.run("document.querySelector('#steering input[type=text]').value = 'encoder.nowhere = zero'")
        page.run("document.querySelector('#steering form').requestSubmit()")
        until(page, "/nowhere/.test(document.getElementById('failure').textContent)", "the refusal")
        until(page, "[...document.querySelectorAll('#steering input[type=checkbox]')].map(b => b.checked).join() === 'true,false'", "the switches")
        page.run("document.getElementById('start').click()")
        until(page, "document.getElementById('start').textContent === 'Stop'", "a session")
        is_clean(page, address)


def test_plays_a_file_and_shows_cards(recording):
    with Served("--file", recording) as address, Chromium() as page:
        open_page(page, address)
        assert page.run("document.getElementById('source').value") == "file"
        page.run("document.getElementById('start').click()")
        heard(page)
        page.run("document.querySelector('.track button').click()")
        until(page, "/encoder.blocks.2.mlp.1:17/.test(document.getElementById('card').textContent)", "a card")
        shoot(page, "file-card")
        # Sound is heard again from where the picture is clicked.
        page.run("""(() => { const box = document.getElementById('picture').getBoundingClientRect();
          document.getElementById('picture').dispatchEvent(new MouseEvent('click', {clientX: box.right - box.width / 4, clientY: box.top + 5})); })()""")
        until(page, "!document.getElementById('head').hidden", "the head")
        until(page, "document.getElementById('start').textContent === 'Listen'", "the file's end")
        is_clean(page, address)


def test_plugins_hear_it_too(recording):
    plugin = FOLDER + "/loudness"
    if not os.path.isdir(plugin):
        subprocess.run([AUSCULT, "plugins", "new", "loudness", "--lang", "c"], cwd=FOLDER, check=True, capture_output=True)
        subprocess.run(["make", "-C", plugin], check=True, capture_output=True)
    with Served("--file", recording, "--plugin", plugin + "/build/org.example.loudness", "-p", "silence=-40") as address, Chromium() as page:
        open_page(page, address)
        page.run("document.getElementById('start').click()")
        until(page, "document.querySelector('#plugins h2')?.textContent === 'org.example.loudness'", "the plugin")
        until(page, "[...document.querySelectorAll('#plugins dd')].some(d => /\\d/.test(d.textContent))", "what it gives")
        shoot(page, "plugin")
        is_clean(page, address)


def test_a_microphone_that_is_not_given_is_said(recording):
    with Served() as address, Chromium("--deny-permission-prompts") as page:
        open_page(page, address)
        page.run("document.getElementById('start').click()")
        until(page, "document.getElementById('failure').textContent", "the reason")
        assert page.run("document.getElementById('start').textContent") == "Listen"
