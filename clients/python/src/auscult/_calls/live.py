"""Calls about sound that is still being made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import live as _live
from .._caller import Caller
from .._messages import v1

if TYPE_CHECKING:
    from typing_extensions import Unpack


class LiveCalls(Caller):
    """The calls of the service Live."""

    def live(self, *, timeout: float | None = None, **options: Unpack[_live.LiveOptions]) -> _live.Live:
        """Opens a line for sound while it is being made; `Live.send` sends it.

        Args:
            timeout: Seconds until the line ends by itself.
            options: ``transcribe``, ``features``, ``rolling``, ``interventions``, ``model``, ``language``, … as `LiveOptions`
                lists them.
        """
        return self._listening(_live.opening(options), timeout)

    def listen(
        self, device: str | int = "", *, timeout: float | None = None, **options: Unpack[_live.LiveOptions]
    ) -> _live.Live:
        """Listens to a sound input of the daemon's machine; iterate for what is heard, and `Live.finish` to end it.

        Args:
            device: A number or a name of `devices`, or a part of one name; the default where it is empty.
            timeout: Seconds until it ends by itself.
            options: Those of `live`; features come from a rolling context unless ``rolling`` is None.

        Raises:
            Unavailable: When iterating, where there is no such device.
        """
        return self._listening(_live.opening({"rolling": _live.Rolling(), **options}, device), timeout)

    def devices(self) -> list[_live.SoundDevice]:
        """The sound inputs of the daemon's machine."""
        answer = self._unary("auscult.v1.Live/Devices", v1.ListSoundDevicesRequest())
        return [_live.device(one) for one in answer.devices]

    def _listening(self, opening: Any, timeout: float | None) -> _live.Live:
        return self._opened(lambda it: _live.Live(it, "auscult.v1.Live/Listen", opening, timeout=timeout))
