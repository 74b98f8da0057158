"""The page of `auscult reproduce` in a browser: it draws, plays, fits its screen, and asks the network for nothing.

REPRODUCTION_PAGE names the page; reproduction-page.sh makes one. REPRODUCTION_SHOTS names a folder for screenshots.
"""
import os

import pytest

from chromium import Chromium

PAGE = os.environ.get("REPRODUCTION_PAGE", "")
SHOTS = os.environ.get("REPRODUCTION_SHOTS", "")

pytestmark = pytest.mark.skipif(
    not os.path.exists(PAGE), reason="REPRODUCTION_PAGE names no page; see reproduction-page.sh")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_page(phone, dark):
    with Chromium() as page:
        width = 390 if phone else 1200
        page.open(PAGE, width, 844 if phone else 900, dark, phone)
        sections = page.run("document.querySelectorAll('section.claim').length")
        assert sections >= 1
        assert page.run("document.querySelectorAll('.overview li').length") == sections
        # Folded parts have to fit as well, and to be drawn when they open.
        page.run("document.querySelectorAll('details').forEach(d => d.open = true)")
        page.run("new Promise(r => setTimeout(r, 300))")
        assert page.run("document.documentElement.scrollWidth") <= width, "the page is wider than the screen"
        blank = page.run("""[...document.querySelectorAll('.plot canvas')].filter(c => {
          const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
          return !d.some((v, i) => i % 4 === 3 && v > 0);
        }).length""")
        assert blank == 0
        # A variable that nothing defines makes black bars on black ground.
        undefined = page.run("""[...new Set([...document.querySelector('style').textContent.matchAll(
          /var\\((--[a-z0-9-]+)\\)/g)].map(m => m[1]))].filter(name => !['--v', '--soft', '--c'].includes(name) &&
          !getComputedStyle(document.documentElement).getPropertyValue(name))""")
        assert undefined == []
        assert page.run("document.body.textContent.includes('[object')") is False
        ground = page.run("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") != dark
        verdicts(page)
        recordings(page)
        moments(page)
        if SHOTS:
            page.run("document.querySelectorAll('details').forEach(d => d.open = false)")
            page.screenshot(f"{SHOTS}/{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}.png")
        assert page.errors() == []
        assert page.requests() == []


def verdicts(page):
    """A verdict never stands alone: its thresholds and the measured number are beside it."""
    wrong = page.run("""[...document.querySelectorAll('section.claim')].filter(s =>
      s.dataset.verdict !== 'cannot_be_said' && (!s.querySelector('.criterion .measured') ||
      !/Holds (from|up to) [\\d.,−]+/.test(s.querySelector('.thresholds').textContent))).map(s => s.id)""")
    assert wrong == []


def recordings(page):
    """Every player has a sound that this browser can play, and a word starts it where the word begins."""
    states = page.run("""Promise.all([...document.querySelectorAll('audio')].map(async audio => {
      audio.muted = true;
      await audio.play();
      const state = [audio.duration, audio.error === null];
      audio.pause();
      return state;
    }))""")
    assert all(duration > 0.1 and sound for duration, sound in states), states
    if not page.run("document.querySelectorAll('.strip button').length"):
        return
    time = page.run("""(async () => {
      const card = [...document.querySelectorAll('.card')].find(c => c.querySelectorAll('.strip button').length > 1);
      const audio = card.querySelector('audio');
      audio.currentTime = 0;
      card.querySelectorAll('.strip button')[1].click();
      await new Promise(r => setTimeout(r, 300));
      audio.pause();
      return [audio.currentTime, audio.duration];
    })()""")
    assert 0 < time[0] <= time[1], time


def moments(page):
    """A moment plays when it is pressed, and the one before it falls silent."""
    if page.run("document.querySelectorAll('button.moment').length") < 2:
        return
    on = page.run("""(async () => {
      const play = HTMLMediaElement.prototype.play;
      const begun = [];
      HTMLMediaElement.prototype.play = function () { this.muted = true; begun.push(this); return play.call(this); };
      const [first, second] = document.querySelectorAll('button.moment');
      first.click();
      await new Promise(r => setTimeout(r, 150));
      const before = first.classList.contains('on');
      second.click();
      await new Promise(r => setTimeout(r, 150));
      const state = [before, first.classList.contains('on'), begun.length, begun[0].paused, begun[1].duration > 0];
      begun[1].pause();
      HTMLMediaElement.prototype.play = play;
      return state;
    })()""")
    assert on == [True, False, 2, True, True], on
