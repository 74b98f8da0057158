"""How words are said, by espeak-ng's library: of the package espeakng-loader, or the system's."""

from __future__ import annotations

import ctypes
import ctypes.util
import threading
from functools import lru_cache
from typing import Any

from ..errors import FailedPrecondition, InvalidArgument
from ._phones import from_ipa

_IPA, _UTF8, _RETRIEVAL, _DONT_EXIT = 0x02, 1, 2, 0x8000
# The codes of Whisper's languages that are called otherwise there.
_VOICES = {"en": "en-us", "zh": "cmn", "yue": "yue", "no": "nb", "jw": "jv", "tl": "fil"}
_INSTALL = "pip install './clients/python[align]', or your system's espeak-ng"


@lru_cache(maxsize=1)
def library() -> Any:
    """The library, begun.

    Raises:
        FailedPrecondition: It is not there, or has no data.
    """
    path, data = _found()
    try:
        espeak = ctypes.CDLL(path)
    except OSError as fault:
        raise FailedPrecondition(f"espeak-ng cannot be opened: {fault}; {_INSTALL}", "not_installed") from None
    espeak.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    espeak.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    espeak.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    espeak.espeak_TextToPhonemes.restype = ctypes.c_char_p
    if espeak.espeak_Initialize(_RETRIEVAL, 0, data, _DONT_EXIT) < 0:
        raise FailedPrecondition(f"espeak-ng, {path}, finds no data; {_INSTALL}", "not_installed")
    return espeak


def _found() -> tuple[str, bytes | None]:
    try:
        import espeakng_loader
    except ImportError:
        path = ctypes.util.find_library("espeak-ng")
        if path is None:
            raise FailedPrecondition(
                f"the pronunciation of these words comes from espeak-ng, which is not installed: {_INSTALL}", "not_installed"
            ) from None
        return path, None
    return espeakng_loader.get_library_path(), espeakng_loader.get_data_path().encode()


# The library has one voice at a time.
_LOCK = threading.Lock()


def phonemes(written: str, language: str) -> tuple[str, ...]:
    """The phonemes of a word as it is written; none where there is nothing to say.

    Raises:
        FailedPrecondition: espeak-ng is not installed.
        InvalidArgument: It does not speak the language.
    """
    with _LOCK:
        espeak = library()
        if espeak.espeak_SetVoiceByName(_VOICES.get(language, language).encode()) != 0:
            raise InvalidArgument(f"espeak-ng has no language {language!r}", "unsupported")
        found: list[str] = []
        rest = ctypes.c_char_p(written.encode())
        while rest.value:
            piece = espeak.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA | ord("_") << 8)
            for token in (piece or b"").decode(errors="replace").replace(" ", "_").split("_"):
                found += from_ipa(token, language)
        return tuple(found)
