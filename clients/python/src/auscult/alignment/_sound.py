"""The samples of a recording, as the daemon hears them."""

from __future__ import annotations

import io
import wave

import numpy as np
from numpy.typing import NDArray

from .._audio import Audio, Span
from ..client import Client
from ..errors import DataLoss, InvalidArgument

SAMPLE_RATE = 16000
# The daemon gives 120 seconds at most.
_SECONDS = 110.0


def read_samples(client: Client, audio: Audio, span: Span | None) -> NDArray[np.int16]:
    """16 kHz mono samples of a recording, or of a part of it."""
    start, end = span if span is not None else (0.0, None)
    found: list[NDArray[np.int16]] = []
    place = start
    while end is None or place < end:
        until = place + _SECONDS if end is None else min(place + _SECONDS, end)
        try:
            data = client.excerpt(audio, (place, until))
        except InvalidArgument:
            # A recording whose last piece was whole ends where the next would begin.
            if place == start:
                raise
            break
        found.append(_samples(data))
        if len(found[-1]) < round((until - place) * SAMPLE_RATE) - 1:
            break
        place = until
    return np.concatenate(found) if found else np.zeros(0, np.int16)


def _samples(data: bytes) -> NDArray[np.int16]:
    with wave.open(io.BytesIO(data)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (SAMPLE_RATE, 1, 2):
            raise DataLoss("expected 16 kHz mono sound of 16 bits from the daemon, and another kind came")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
