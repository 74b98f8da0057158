"""Sound files that the daemon makes."""

from __future__ import annotations

from . import _html


class Sound(bytes):
    """The bytes of a sound file, WAV or FLAC. Jupyter shows a player."""

    def _repr_html_(self) -> str:
        return _html.player(self, "audio/flac" if self.startswith(b"fLaC") else "audio/wav")
