"""Words, phonemes, their times, and how far they are from known ones; what needs no daemon."""

from __future__ import annotations

import sys

import auscult
import numpy as np
import pytest
from auscult import TimedLabel
from auscult.alignment import _coarse, _espeak, _forced, _phones, _pieces, _textgrid, _words, compare


def labelled(*parts):
    return [TimedLabel(start, end, label) for start, end, label in parts]


# Text.


def test_words_lose_the_punctuation_around_them_and_keep_what_is_inside():
    words = _words.spoken_words("“Well,” he said — ‘don’t’ (half-asleep) … go!")
    assert [one.label for one in words] == ["well", "he", "said", "don't", "half-asleep", "go"]


def test_signs_that_are_spoken_stay_with_what_is_written():
    assert [one.written for one in _words.spoken_words("$5, 50% (of it).")] == ["$5", "50%", "of", "it"]
    assert [one.label for one in _words.spoken_words("$5, 50%")] == ["5", "50"]


def test_a_text_without_letters_has_no_words():
    assert _words.spoken_words("… — ! \n") == []


def test_a_word_of_parts_is_looked_up_whole_and_in_parts():
    assert _words.spellings("half-asleep") == [["half-asleep"], ["'half-asleep"], ["half-asleep'"], ["half", "asleep"]]
    assert _words.spellings("em") == [["em"], ["'em"], ["em'"]]


# Phonemes.


@pytest.mark.parametrize(
    ("sign", "language", "expected"),
    [
        ("ˈoʊ", "en", ("OW",)), ("ɾ", "en", ("D",)), ("ɾ", "es", ("R",)), ("iː", "de", ("IY",)), ("ˈɔːɹ", "en", ("AO", "R")),
        ("ɑ̃", "fr", ("AN",)), ("ʁ", "fr", ("RR",)), ("ç", "de", ("ç",)), ("(en)", "ja", ()), ("ˈ", "en", ()),
    ],
)  # fmt: skip
def test_signs_of_the_phonetic_alphabet_have_the_names_of_the_embedded_clips(sign, language, expected):
    assert _phones.from_ipa(sign, language) == expected


@pytest.mark.parametrize(
    ("label", "expected"),
    [("AH0", "AH"), ("ax", "AH"), ("axr", "ER"), ("dx", "D"), ("rr", "RR"), ("sil", None), ("sp", None), ("pcl", None),
     ("", None), ("NG", "NG")],
)  # fmt: skip
def test_other_sets_of_phonemes_are_folded_into_one(label, expected):
    assert _phones.folded(label) == expected


# Coarse times.


def test_words_that_were_not_heard_share_what_lies_between_those_that_were():
    heard = labelled((1.0, 1.5, "the"), (1.5, 2.0, "goat"), (3.0, 3.5, "cold"))
    times = _coarse.word_times(["the", "goat", "is", "very", "cold"], heard, 5.0)
    assert [one.label for one in times] == ["the", "goat", "is", "very", "cold"]
    assert (times[1].end, times[4].start) == (2.0, 3.0)
    assert times[2] == TimedLabel(2.0, 2.0 + 1 / 3, "is") and times[3].end == 3.0


def test_words_share_the_whole_where_nothing_was_heard():
    times = _coarse.word_times(["ab", "ab"], [], 4.0)
    assert [(one.start, one.end) for one in times] == [(0.0, 2.0), (2.0, 4.0)]
    assert _coarse.word_times([], [], 4.0) == []


def test_phonemes_fill_their_word_each_as_long_as_it_usually_is():
    times = _coarse.phoneme_times(["K", "AE", "T"], TimedLabel(1.0, 2.0, "cat"))
    assert [one.label for one in times] == ["K", "AE", "T"]
    assert times[0].start == 1.0 and times[-1].end == 2.0
    assert all(one.end == after.start for one, after in zip(times, times[1:]))
    assert times[0].end - times[0].start == pytest.approx(97 / (97 + 92 + 74))
    assert _coarse.phoneme_times([], TimedLabel(1.0, 2.0, "–")) == ()


# Pieces.


def test_a_long_recording_is_cut_where_it_is_quiet_between_words_that_were_heard():
    random = np.random.default_rng(1)
    samples = (random.standard_normal(16000 * 20) * 3000).astype(np.int16)
    samples[16000 * 9 + 12800 : 16000 * 10 + 3200] = 0  # from 9.8 to 10.2 s
    heard = labelled(*((float(second), second + 0.9, f"w{second}") for second in range(20)))
    words = [one.label for one in heard]
    words[4] = "another"
    found = _pieces.pieces(words, heard, samples, 5.0, 14.0)
    assert [(one.first, one.last) for one in found] == [(0, 10), (10, 20)]
    assert 9.8 <= found[0].end <= 10.2 and found[0].end == found[1].start and found[1].end == 20.0


def test_a_recording_of_which_nothing_was_heard_stays_whole():
    found = _pieces.pieces(["a", "b"], [], np.zeros(16000 * 50, np.int16), 5.0, 14.0)
    assert [(one.first, one.last, one.start, one.end) for one in found] == [(0, 2, 0.0, 50.0)]


# TextGrids.


def test_a_textgrid_fills_what_lies_between_labels():
    text = _textgrid.textgrid(2.0, [("words", labelled((0.5, 1.0, 'say "a"'), (0.9, 1.5, "b"))), ("phones", [])])
    assert "size = 2" in text and 'text = "say ""a"""' in text
    bounds = [line.split("= ")[1] for line in text.splitlines() if line.startswith("            xm")]
    assert bounds == ["0", "0.5", "0.5", "1", "1", "1.5", "1.5", "2", "0", "2"]


# Scores.


def test_a_shift_that_was_planted_is_what_the_score_says():
    known = labelled((0.0, 0.1, "A"), (0.1, 0.3, "B"), (0.3, 0.4, "C"), (0.4, 0.6, "B"))
    found = labelled((0.01, 0.12, "A"), (0.12, 0.2, "X"), (0.2, 0.33, "B"), (0.44, 0.61, "B"))
    errors = compare(known, found)
    assert (errors.known, len(errors.starts)) == (4, 3)
    assert np.allclose(sorted(errors.starts), [0.01, 0.04, 0.1]) and np.allclose(sorted(errors.ends), [0.01, 0.02, 0.03])
    assert errors.quantile(0.5) == pytest.approx(0.025) and errors.bias == pytest.approx(0.04)
    assert errors.within(0.02) == pytest.approx(3 / 6) and errors.matched == 0.75


def test_nothing_in_common_has_no_error_but_is_counted():
    errors = compare(labelled((0, 1, "A")), labelled((0, 1, "B")))
    assert errors.matched == 0 and np.isnan(errors.quantile(0.5)) and np.isnan(errors.bias)
    assert np.isnan(compare([], []).matched)


# What is not installed.


def test_without_pocketsphinx_the_error_names_the_command_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(auscult.FailedPrecondition, match=r"pip install '\./clients/python\[align\]'") as caught:
        _forced.ForcedAligner(lambda _: ())
    assert caught.value.reason == "not_installed"


def test_without_espeak_the_error_names_the_command_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    monkeypatch.setattr(_espeak.ctypes.util, "find_library", lambda _: None)
    _espeak.library.cache_clear()
    with pytest.raises(auscult.FailedPrecondition, match=r"pip install '\./clients/python\[align\]'"):
        _espeak.phonemes("woodcutters", "en")


def test_espeak_says_words_and_refuses_a_language_that_it_does_not_know():
    _espeak.library.cache_clear()
    try:
        _espeak.library()
    except auscult.FailedPrecondition as fault:
        pytest.skip(fault.message)
    assert _espeak.phonemes("fish", "en") == ("F", "IH", "SH")
    assert _espeak.phonemes("homme", "fr") == ("AO", "M")
    assert _espeak.phonemes("…", "en") == ()
    with pytest.raises(auscult.InvalidArgument, match="'xx'"):
        _espeak.phonemes("fish", "xx")


# pocketsphinx itself.


@pytest.fixture(scope="module")
def forced():
    pytest.importorskip("pocketsphinx", reason="pocketsphinx is not installed: pip install './clients/python[align]'")
    return _forced.ForcedAligner({"zxqv": ("Z", "IH", "K")}.get)


def test_silence_and_words_that_are_not_in_it_are_told_apart_from_an_alignment(forced):
    short = np.zeros(1600, np.int16).tobytes()
    with pytest.raises(_forced.NotAligned):
        forced.align(short, _words.spoken_words("a long sentence does not fit into a tenth of a second"))
    assert forced.align(short, []) == []


def test_a_text_of_far_more_words_than_can_be_said_is_not_searched_for(forced):
    second = np.zeros(16000, np.int16).tobytes()
    with pytest.raises(_forced.NotAligned, match="200000 words in 1.00 s"):
        forced.align(second, _words.spoken_words("word " * 200_000))


def test_words_that_the_dictionary_has_not_are_known_by_their_parts(forced):
    assert forced.knows(_words.SpokenWord("half-asleep", "half-asleep"))
    assert not forced.knows(_words.SpokenWord("zxqv", "zxqv"))
