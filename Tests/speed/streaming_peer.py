"""Windows of whisper_streaming (arXiv 2307.14743), made by faster-whisper: the peer of live_words.py.

Each look hears all sound since the last cut, with the text before it as a prompt, and comes when the one before is through and at least
`chunk` seconds are new. Words that two looks one after the other agree on are stable (LocalAgreement-2). A buffer longer than
`longest` seconds is cut behind the last segment that is stable.

Time is not waited for: the clock is moved on by what each look took to compute, and to the end of the sound that it hears.
"""
import time

RATE = 16000


class Words:
    """Words of looks, with their times from the first sample."""

    def __init__(self):
        self.stable = []
        self.before = []

    def take(self, found):
        """found: (start, end, word) of the newest look. Commits what it and the look before begin with alike."""
        last = self.stable[-1][1] if self.stable else 0.0
        found = self._without_known([one for one in found if one[0] > last - 0.1], last)
        agreed = 0
        while agreed < min(len(found), len(self.before)) and found[agreed][2] == self.before[agreed][2]:
            agreed += 1
        self.stable += found[:agreed]
        self.before = found[agreed:]

    def _without_known(self, found, last):
        """Without what was said again at the beginning: one to five words that the stable ones end with."""
        if found and self.stable and abs(found[0][0] - last) < 1:
            for count in range(min(len(found), len(self.stable), 5), 0, -1):
                if [one[2] for one in self.stable[-count:]] == [one[2] for one in found[:count]]:
                    return found[count:]
        return found


def listen(model, samples, words, chunk=1.0, longest=15.0, beam=5):
    """Hears `samples` (float32, 16 kHz) as time goes by.

    model: a faster_whisper.WhisperModel; words: a text as a list of words, as they are compared.
    Returns the text, and the times of looks with what they say: all of it, and what is stable of it.
    """
    heard, offset, now = Words(), 0.0, 0.0
    total = len(samples) / RATE
    end, looks, stable = 0.0, [], []
    while end < total:
        end = min(total, max(now, end + chunk))
        now = max(now, end)
        began = time.perf_counter()
        prompt = "".join(one[2] for one in heard.stable if one[1] <= offset)[-200:]
        segments, _ = model.transcribe(
            samples[int(offset * RATE):int(end * RATE)], language="en", beam_size=beam, word_timestamps=True,
            condition_on_previous_text=True, initial_prompt=prompt or None)
        segments = list(segments)
        now += time.perf_counter() - began
        heard.take([(one.start + offset, one.end + offset, one.word)
                    for segment in segments if segment.no_speech_prob <= 0.9 for one in segment.words])
        if end - offset > longest and heard.stable:
            done = [segment.end + offset for segment in segments if segment.end + offset <= heard.stable[-1][1]]
            offset = max([offset] + done[-1:])
        stable.append((now, words("".join(one[2] for one in heard.stable))))
        looks.append((now, words("".join(one[2] for one in heard.stable + heard.before))))
    last = looks[-1][1] if looks else []
    # At the sound's end the rest is as good as it will be.
    stable.append((now, last))
    return last, looks, stable
