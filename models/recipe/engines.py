"""Three speech synthesisers, each with the times of its phonemes and words.

espeak-ng and flite run inside this process through ctypes, because a process per sentence would cost more than the
synthesis; festival runs in batches. espeak-ng reports phonemes and words as events, flite and festival as relations of
the utterance. None needs anything but its Debian package.
"""

import ctypes
import itertools
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile

from .phonemes import SILENCE, from_espeak, from_radio


@dataclass
class Speech:
    """What one engine said: samples at the engine's own rate, times in seconds.

    `words` are (start, end, first, last): words first..last of the text, counted from 0, were spoken from start to end.
    An entry spans more than one word where the engine runs them together, as espeak-ng does with "for the".
    """

    samples: np.ndarray
    sample_rate: int
    phonemes: list[tuple[float, float, str]] = field(default_factory=list)
    words: list[tuple[float, float, int, int]] = field(default_factory=list)


def _merge_runs(phonemes):
    """Join neighbours of one label, and drop what has no length."""
    merged = []
    for start, end, label in phonemes:
        if end - start < 1e-4:
            continue
        if merged and merged[-1][2] == label and abs(merged[-1][1] - start) < 1e-3:
            merged[-1] = (merged[-1][0], end, label)
        else:
            merged.append((start, end, label))
    return merged


# ------------------------------------------------------------------------------------------------------------ espeak-ng


class _Identity(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = [("type", ctypes.c_int), ("unique_identifier", ctypes.c_int), ("text_position", ctypes.c_int),
                ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
                ("user_data", ctypes.c_void_p), ("id", _Identity)]


_SYNTH_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
_EVENT_END, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_OUTPUT_SYNCHRONOUS, _PHONEME_EVENTS = 2, 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_POSITION_CHARACTER, _CHARS_UTF8 = 1, 1


class Espeak:
    """libespeak-ng. One per process: the library keeps its voice and parameters in globals."""

    def __init__(self):
        self._library = library = ctypes.CDLL("libespeak-ng.so.1")
        self.sample_rate = library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, None, _PHONEME_EVENTS)
        if self.sample_rate <= 0:
            raise RuntimeError("espeak-ng could not be initialised: is espeak-ng-data installed?")
        self._callback = _SYNTH_CALLBACK(self._on_audio)  # the library keeps only the pointer
        library.espeak_SetSynthCallback(self._callback)
        library.espeak_Synth.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint,
                                         ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p]
        self._voice = None

    def _on_audio(self, samples, count, events):
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        for index in itertools.count():
            event = events[index]
            if event.type == _EVENT_END:
                return 0
            seconds = event.audio_position / 1000
            if event.type == _EVENT_PHONEME:
                raw = ctypes.string_at(ctypes.addressof(event.id), 8).split(b"\0")[0]
                self._phonemes.append((seconds, raw.decode("utf-8", "replace")))
            elif event.type == _EVENT_WORD:
                self._words.append((seconds, event.text_position - 1))

    def speak(self, text: str, voice: str, language: str, rate=175, pitch=50, pitch_range=50) -> Speech:
        self._chunks, self._phonemes, self._words = [], [], []
        if voice != self._voice:
            if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise ValueError(f"espeak-ng knows no voice {voice!r}")
            self._voice = voice
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, int(value), 0)
        encoded = text.encode() + b"\0"
        self._library.espeak_Synth(encoded, len(encoded), 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None)
        self._library.espeak_Synchronize()
        samples = np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.int16)
        duration = len(samples) / self.sample_rate
        phonemes = self._timed_phonemes(language, duration)
        last_sound = max((end for _, end, label in phonemes if label != SILENCE), default=duration)
        return Speech(samples.astype(np.float32) / 32768, self.sample_rate, phonemes,
                      self._timed_words(text, last_sound))

    def _timed_phonemes(self, language, duration):
        """Each event names the sound that begins there; a modifier continues the sound before it."""
        starts = []
        for seconds, mnemonic in self._phonemes:
            label = from_espeak(mnemonic, language)
            if label is not None:
                starts.append((seconds, label))
        starts.sort(key=lambda item: item[0])
        ends = [seconds for seconds, _ in starts[1:]] + [duration]
        return _merge_runs([(start, min(end, duration), label) for (start, label), end in zip(starts, ends)])

    def _timed_words(self, text, last_sound):
        """Events carry character positions, so that merged words are seen as gaps in the count, not as a mismatch."""
        index_at, position = {}, 0
        for index, word in enumerate(text.split()):
            index_at.update(dict.fromkeys(range(position, position + len(word)), index))
            position += len(word) + 1
        first_seen = {}
        for seconds, character in self._words:
            if character in index_at:
                first_seen.setdefault(index_at[character], seconds)
        heads = sorted(first_seen)
        if not heads or heads[0] != 0:
            return []
        words = []
        for head, following in zip(heads, heads[1:] + [None]):
            last = (following if following is not None else len(text.split())) - 1
            end = first_seen[following] if following is not None else last_sound
            words.append((first_seen[head], end, head, last))
        return words if all(end > start for start, end, _, _ in words) else []


# ---------------------------------------------------------------------------------------------------------------- flite


class _FliteWave(ctypes.Structure):
    """cst_wave of cst_wave.h."""

    _fields_ = [("type", ctypes.c_char_p), ("sample_rate", ctypes.c_int), ("num_samples", ctypes.c_int),
                ("num_channels", ctypes.c_int), ("samples", ctypes.POINTER(ctypes.c_short))]


class Flite:
    VOICES = ("kal", "kal16", "awb", "rms", "slt")

    def __init__(self):
        load = lambda name: ctypes.CDLL(name, mode=ctypes.RTLD_GLOBAL)  # noqa: E731 (voices resolve against these)
        self._library = library = load("libflite.so.1")
        load("libflite_cmulex.so.1"), load("libflite_usenglish.so.1")
        pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float
        library.flite_init()
        for name, result, arguments in (
                ("flite_synth_text", pointer, [text, pointer]), ("utt_wave", ctypes.POINTER(_FliteWave), [pointer]),
                ("delete_utterance", None, [pointer]), ("utt_relation", pointer, [pointer, text]),
                ("relation_head", pointer, [pointer]), ("item_next", pointer, [pointer]),
                ("item_feat_string", text, [pointer, text]), ("item_feat_float", number, [pointer, text]),
                ("ffeature_string", text, [pointer, text]), ("feat_set_float", None, [pointer, text, number])):
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        self._voices = {}
        for name in self.VOICES:
            register = getattr(load(f"libflite_cmu_us_{name}.so.1"), f"register_cmu_us_{name}")
            register.restype, register.argtypes = pointer, [text]
            self._voices[name] = register(None)

    def speak(self, text: str, voice: str, stretch=1.0, pitch_hz: float | None = None) -> Speech:
        library, handle = self._library, self._voices[voice]
        features = ctypes.cast(handle, ctypes.POINTER(ctypes.c_void_p))[1]  # cst_voice {name; features; ...}
        library.feat_set_float(features, b"duration_stretch", stretch)
        if pitch_hz:
            library.feat_set_float(features, b"int_f0_target_mean", pitch_hz)
        utterance = library.flite_synth_text(text.encode(), handle)
        try:
            wave = library.utt_wave(utterance).contents
            samples = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).astype(np.float32) / 32768
            phonemes, heard = [], []
            start = 0.0
            segment = library.relation_head(library.utt_relation(utterance, b"Segment"))
            while segment:
                label = from_radio(library.item_feat_string(segment, b"name").decode())
                end = library.item_feat_float(segment, b"end")
                if label is not None:
                    phonemes.append((start, end, label))
                    word = library.ffeature_string(segment, b"R:SylStructure.parent.parent.name").decode().replace("'", "")
                    if label != SILENCE and word not in ("", "0"):
                        heard.append((start, end, word, _starts_word(library, segment)))
                start, segment = end, library.item_next(segment)
            return Speech(samples, wave.sample_rate, _merge_runs(phonemes), _group_words(text, heard))
        finally:
            library.delete_utterance(utterance)


def _starts_word(library, segment):
    """Whether this segment is the first of its word (so that "four four" counts as two)."""
    initial = library.ffeature_string(segment, b"R:SylStructure.p.name").decode() in ("", "0")
    return initial and library.ffeature_string(segment, b"R:SylStructure.parent.p.daughter1.name").decode() in ("", "0")


def _group_words(text, heard):
    """(start, end, word, starts a word) per segment -> words. flite drops apostrophes and may split at them."""
    spoken = []
    for start, end, word, starts in heard:
        if starts or not spoken or spoken[-1][2] != word:
            spoken.append([start, end, word])
        else:
            spoken[-1][1] = end
    words, position = [], 0
    for index, expected in enumerate(text.replace("'", "").split()):
        if position >= len(spoken):
            return []
        start, end, so_far = spoken[position]
        position += 1
        while so_far != expected and position < len(spoken) and expected.startswith(so_far + spoken[position][2]):
            end, so_far = spoken[position][1], so_far + spoken[position][2]
            position += 1
        if so_far != expected:
            return []
        words.append((start, end, index, index))
    return words if position == len(spoken) else []


# ------------------------------------------------------------------------------------------------------------- festival

_FESTIVAL_SPEAK = """
(define (speak_to text stem stretch)
  (Parameter.set 'Duration_Stretch stretch)
  (let ((utt (eval (list 'Utterance 'Text text))))
    (utt.synth utt)
    (utt.save.wave utt (string-append stem ".wav") 'riff)
    (utt.save.segs utt (string-append stem ".segments"))
    (utt.save.words utt (string-append stem ".words"))))
"""


class Festival:
    """Batches, because festival takes longer to start than to speak."""

    def speak_all(self, requests: list[tuple[str, str, float]]) -> list[Speech]:
        """[(text, voice, stretch)] -> speech in the same order."""
        with tempfile.TemporaryDirectory() as folder:
            script = [_FESTIVAL_SPEAK]
            order = sorted(range(len(requests)), key=lambda index: requests[index][1])
            for voice, group in itertools.groupby(order, key=lambda index: requests[index][1]):
                script.append(f"(voice_{voice})")
                for index in group:
                    text, _, stretch = requests[index]
                    script.append(f'(speak_to "{text}" "{folder}/{index}" {stretch:.3f})')
            program = Path(folder, "batch.scm")
            program.write_text("\n".join(script))
            subprocess.run(["festival", "--batch", program], check=True, stdout=subprocess.DEVNULL)
            return [self._read(Path(folder), index, text) for index, (text, _, _) in enumerate(requests)]

    @staticmethod
    def _read(folder, index, text):
        samples, sample_rate = soundfile.read(folder / f"{index}.wav", dtype="float32")
        phonemes, start = [], 0.0
        for end, name in _festival_labels(folder / f"{index}.segments"):
            phonemes.append((start, end, from_radio(name) or SILENCE))
            start = end
        words, boundaries = [], [begin for begin, _, _ in phonemes]
        previous = 0.0
        for position, (end, _) in enumerate(_festival_labels(folder / f"{index}.words")):
            sounds = [begin for begin, _, label in phonemes if label != SILENCE and begin >= previous - 1e-3]
            words.append((min(sounds, default=previous), end, position, position))
            previous = end
        complete = len(words) == len(text.split()) and bool(boundaries)
        return Speech(samples, sample_rate, _merge_runs(phonemes), words if complete else [])


def _festival_labels(path):
    """xlabel lines `end colour name`, after a `#`."""
    body = path.read_text().split("#\n", 1)[-1]
    for line in body.splitlines():
        fields = line.split()
        if len(fields) >= 3:
            yield float(fields[0]), fields[2]
