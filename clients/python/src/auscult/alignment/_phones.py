"""Phonemes by one name each: ARPAbet in upper case without stress, and what other languages add to it.

pocketsphinx's English model has ARPAbet's own names. espeak-ng writes in the alphabet of the International Phonetic
Association; a sound that English has, or French beside it, gets the name that the embedded clips have for it, and any
other keeps its sign.
"""

from __future__ import annotations

#: What ARPAbet names, in espeak-ng's signs. AX and AXR are AH and ER without stress, as in the CMU dictionary.
_ARPABET = {
    "AA": "ɑ ɒ a ä ɑː aː", "AE": "æ", "AH": "ʌ ə ɐ ɜ", "AO": "ɔ ɔː", "AW": "aʊ ɑʊ aʊ̯", "AY": "aɪ ɑɪ aɪ̯ aɪə",
    "B": "b", "CH": "tʃ t͡ʃ", "D": "d", "DH": "ð", "EH": "ɛ e̞ ɛː", "ER": "ɚ ɝ ɜː ɜːɹ əɹ", "EY": "eɪ e eː", "F": "f",
    "G": "ɡ g", "HH": "h ɦ", "IH": "ɪ ᵻ", "IY": "i iː", "JH": "dʒ d͡ʒ", "K": "k", "L": "l ɫ", "M": "m", "N": "n",
    "NG": "ŋ", "OW": "oʊ əʊ o oː", "OY": "ɔɪ ɔʏ", "P": "p", "R": "ɹ r ɾ ɽ", "S": "s", "SH": "ʃ", "T": "t ʔ", "TH": "θ",
    "UH": "ʊ", "UW": "u uː", "V": "v", "W": "w", "Y": "j", "Z": "z", "ZH": "ʒ",
    # French, and others with these sounds.
    "AN": "ɑ̃", "ON": "ɔ̃", "IN": "ɛ̃ œ̃", "UE": "y yː ʏ", "EU": "ø œ øː œː", "RR": "ʁ", "NY": "ɲ",
}  # fmt: skip
#: Vowels before r, and syllabic consonants: two sounds of ARPAbet.
_TWO = {
    "ɔːɹ": ("AO", "R"), "ɑːɹ": ("AA", "R"), "ɪɹ": ("IH", "R"), "ɛɹ": ("EH", "R"), "ʊɹ": ("UH", "R"), "oːɹ": ("AO", "R"),
    "iəɹ": ("IY", "R"), "aɪɚ": ("AY", "ER"), "aʊɚ": ("AW", "ER"), "əl": ("AH", "L"), "n̩": ("AH", "N"), "iə": ("IY", "AH"),
    "ɪə": ("IH", "AH"), "eə": ("EH", "AH"), "ʊə": ("UH", "AH"), "ɥ": ("UE",), "ts": ("T", "S"), "pf": ("P", "F"),
}  # fmt: skip
_FROM_IPA = {sign: (name,) for name, signs in _ARPABET.items() for sign in signs.split()} | _TWO

#: Mean milliseconds in 70 utterances of LibriSpeech, by pocketsphinx's alignment: what a coarse placing goes by.
_MILLISECONDS = {
    "AA": 102, "AE": 92, "AH": 55, "AO": 122, "AW": 162, "AY": 140, "B": 70, "CH": 128, "D": 62, "DH": 68, "EH": 94,
    "ER": 102, "EY": 131, "F": 105, "G": 99, "HH": 84, "IH": 61, "IY": 107, "JH": 122, "K": 97, "L": 71, "M": 84, "N": 77,
    "NG": 115, "OW": 117, "OY": 183, "P": 94, "R": 58, "S": 117, "SH": 139, "T": 74, "TH": 111, "UH": 58, "UW": 98, "V": 71,
    "W": 78, "Y": 108, "Z": 108, "ZH": 110,
}  # fmt: skip
_MEAN_MILLISECONDS = 84

ARPABET = frozenset(_MILLISECONDS)
#: Names of other sets for what this one calls otherwise: TIMIT's and the radio set's.
_OTHER_NAMES = {
    "AX": "AH", "AX-H": "AH", "AXR": "ER", "IX": "IH", "UX": "UW", "EL": "L", "EM": "M", "EN": "N", "ENG": "NG", "NX": "N",
    "DX": "D", "HV": "HH",
}  # fmt: skip
_SILENCES = frozenset(
    {"", "SIL", "SP", "SPN", "PAU", "H#", "EPI", "BRTH", "SSIL", "#", "NSN", "<EPS>", "<SIL>", "BCL", "DCL", "GCL", "PCL",
     "TCL", "KCL", "Q"}
)  # fmt: skip


def from_ipa(token: str, language: str) -> tuple[str, ...]:
    """The phonemes of one of espeak-ng's signs: none for a mark without a sound, the sign itself where it has no name."""
    plain = token.translate({ord(mark): None for mark in "ˈˌ.-|‿0123456789"}).strip()
    if not plain or plain.startswith("("):
        return ()
    # The tap of "water" is a kind of D in English, and of R elsewhere.
    if plain == "ɾ" and language == "en":
        return ("D",)
    known = _FROM_IPA.get(plain) or _FROM_IPA.get(plain.rstrip("ːʲ"))
    return known if known else (plain,)


def folded(label: str) -> str | None:
    """A phoneme of any of the common sets by its name here; None for silence and closures, which are no phonemes here."""
    name = label.upper().strip("_+[]")
    if name in _SILENCES:
        return None
    name = name.rstrip("012") if name.rstrip("012") in ARPABET or name.rstrip("012") in _OTHER_NAMES else name
    return _OTHER_NAMES.get(name, name)


def usual_seconds(phoneme: str) -> float:
    """How long a phoneme lasts on average in English read aloud."""
    return _MILLISECONDS.get(phoneme, _MEAN_MILLISECONDS) / 1000
