"""The page of results in a browser: it draws, plays, answers pointer and keys, and asks the network for nothing.

RESULTS_PAGE names the page; ResultsPicturesTests writes the planted one there. results-page.sh does both.
RESULTS_SHOTS names a folder for screenshots, to be looked at.
"""
import os

import pytest

from chromium import Chromium

PAGE = os.environ.get("RESULTS_PAGE", "")
SHOTS = os.environ.get("RESULTS_SHOTS", "")

pytestmark = pytest.mark.skipif(not os.path.exists(PAGE), reason="RESULTS_PAGE names no page; see results-page.sh")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_page(phone, dark):
    with Chromium() as page:
        width = 390 if phone else 1200
        page.open(PAGE, width, 844 if phone else 900, dark, phone)
        assert page.run("document.querySelectorAll('section').length") >= 14
        assert page.run("document.documentElement.scrollWidth") <= width, "the page is wider than the screen"
        # Every plot has something on it.
        blank = page.run("""[...document.querySelectorAll('.plot canvas')].filter(c => {
          const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
          return !d.some((v, i) => i % 4 === 3 && v > 0);
        }).length""")
        assert blank == 0
        ground = page.run("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") != dark
        hover(page)
        keys(page)
        sorting(page)
        playing(page)
        if SHOTS:
            page.screenshot(f"{SHOTS}/{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}.png")
        assert page.errors() == []
        assert page.requests() == []


def hover(page):
    """The pointer over the first heat map: what is said of a cell is what was planted there."""
    page.run("document.querySelector('#r2 .plot').scrollIntoView({block: 'center'})")
    left, top, width, height = page.run("""(() => {
      const box = document.querySelector('#r2 .plot').getBoundingClientRect();
      return [box.left, box.top, box.width, box.height];
    })()""")
    seen = {}
    for down in range(1, 12):
        for across in range(1, 16):
            page.call("Input.dispatchMouseEvent", type="mouseMoved", x=left + width * across / 16,
                      y=top + height * down / 12)
            if page.run("getComputedStyle(document.querySelector('#r2 .value')).display") == "block":
                value, layer, head = page.run("document.querySelector('#r2 .value').textContent").split("\n")
                seen[int(layer.removeprefix("layer: block ")), int(head.removeprefix("head: "))] = value
    assert len(seen) >= 20, seen
    for (layer, head), value in seen.items():
        if (layer, head) == (1, 1):
            assert value == "no value"
        else:
            assert abs(float(value) - (0.4 * head + 0.15 * layer)) < 1e-4, (layer, head, value)


def keys(page):
    page.run("document.querySelector('#r2 .plot').focus()")
    for _ in range(2):
        page.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowDown", code="ArrowDown")
    live = page.run("document.querySelector('#r2 .live').textContent")
    assert "layer: block" in live, live


def sorting(page):
    first = "document.querySelector('#r8 tbody tr td').textContent"
    page.run("document.querySelector('#r8 th button').click()")
    assert page.run(first) == "851"
    page.run("document.querySelector('#r8 th button').click()")
    assert page.run(first) == "0"


def playing(page):
    """Every player has its sound, and comes to its end."""
    players = page.run("""(async () => {
      const out = [];
      for (const audio of document.querySelectorAll('audio')) {
        audio.muted = true;
        await audio.play();
        await new Promise(resolve => { audio.onended = audio.onerror = resolve; });
        out.push([audio.readyState, audio.duration, audio.currentTime, audio.error && audio.error.message]);
      }
      return out;
    })()""")
    assert len(players) == 1
    for ready, duration, time, error in players:
        assert ready >= 2 and abs(duration - 2) < 0.01 and abs(time - duration) < 0.05 and error is None, players
