"""One phoneme inventory for all engines: ARPAbet, and what French adds to it.

espeak-ng names its sounds with its own mnemonics, flite and festival with the radio phone set (ARPAbet in lower case).
Both are mapped here, so that a probe or a neuron's label means the same sound whoever spoke.
"""

_ESPEAK_ENGLISH = {
    "t": "t t# t2", "ih": "I I2 I# IR", "ax": "@ @2 @5 @- a#", "ah": "V", "er": "3: 3 VR", "aa": "0 O2 A: A@",
    "ae": "a aa", "ao": "O: O@ o@ O", "eh": "E e@", "iy": "i i: i@ i@3", "uh": "U U@", "ay": "aI aI2 aI3 aI@",
    "ey": "eI", "aw": "aU", "ow": "oU", "oy": "OI", "uw": "u:", "l": "l @L l#", "r": "r r-", "w": "w w#", "y": "j ;",
    "ng": "N", "dh": "D", "th": "T", "sh": "S", "zh": "Z", "ch": "tS", "jh": "dZ", "hh": "h", "d": "d d#", "n": "n",
    "s": "s", "k": "k", "m": "m", "z": "z", "p": "p", "f": "f", "b": "b", "v": "v", "g": "g",
}
_ESPEAK_FRENCH = {
    "aa": "a a-", "eh": "E E2", "ey": "e", "an": "A~", "on": "O~", "in": "E~ W~", "ue": "y", "eu": "Y W",
    "ax": "@ @-", "ow": "o", "ao": "O", "uw": "u", "iy": "i", "rr": "r", "ny": "n^", "z": "z z2",
}
SILENCE = "sil"
PHONEMES = [SILENCE] + sorted(set(_ESPEAK_ENGLISH) | set(_ESPEAK_FRENCH))
INDEX = {phoneme: index for index, phoneme in enumerate(PHONEMES)}


def _inverse(table):
    return {mnemonic: phoneme for phoneme, mnemonics in table.items() for mnemonic in mnemonics.split()}


_FROM_ESPEAK = {"en": _inverse(_ESPEAK_ENGLISH), "fr": _inverse(_ESPEAK_ENGLISH) | _inverse(_ESPEAK_FRENCH)}


def from_espeak(mnemonic: str, language: str) -> str | None:
    """The phoneme an espeak-ng event names, or None where the event only modifies the sound before it."""
    if mnemonic.startswith("_") or not mnemonic:
        return SILENCE
    return _FROM_ESPEAK[language].get(mnemonic)


def from_radio(name: str) -> str | None:
    """The phoneme a flite or festival segment names."""
    if name in ("pau", "h#", "brth", "#", "ssil"):
        return SILENCE
    return {"axr": "er", "el": "l", "em": "m", "en": "n", "hv": "hh", "dx": "d", "nx": "n"}.get(
        name, name if name in INDEX else None)
