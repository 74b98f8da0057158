"""What Jupyter shows of a result: tables, heat maps and players, without any library."""

from __future__ import annotations

import base64
import html
import io
import wave
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import _colours, _windows

if TYPE_CHECKING:
    from .atlas import AtlasCard
    from .plugins import AudioClip, Table
    from .traces import Trace
    from .transcripts import Transcript

# Rows of a table that are shown.
_MOST_ROWS = 60
# Values of a tensor that a picture is made of at most.
_MOST_VALUES = 4_000_000


def transcript(it: Transcript) -> str:
    rows = [(f"{one.start:.2f}", f"{one.end:.2f}", one.text.strip(), f"{one.avg_logprob:.2f}") for one in it.segments]
    return _heading(f"{it.file}: {it.duration:.2f} s, {it.language}") + _table(
        ("from", "to", "text", "log-probability"), rows
    )


def trace(it: Trace) -> str:
    def rows() -> Iterable[tuple[str, ...]]:
        for name, info in it.info.items():
            size = " × ".join(f"{n} {axis}" for n, axis in zip(info.shape, info.axes))
            yield _text(name), _text(size), _picture(it, name)

    heading = _heading(f"{it.summary.file}: {it.summary.duration:.2f} s, {len(it)} tensors")
    return heading + _table_of_html(("tensor", "shape", "over time"), list(rows()))


def _picture(it: Trace, name: str) -> str:
    """A strip of a tensor over its positions; heads side by side are averaged."""
    info = it.info[name]
    axis = _windows.position_axis(info.axes)
    if axis is None or info.dtype.startswith("I") or not 0 < int(np.prod(info.shape)) <= _MOST_VALUES:
        return ""
    return image(_colours.heat_map(np.moveaxis(_matrix(it[name], info.axes, axis), 0, 1)), name)


def _matrix(array: NDArray[Any], axes: Sequence[str], axis: int) -> NDArray[Any]:
    """Positions × columns."""
    finite = np.nan_to_num(array, nan=0.0, posinf=0.0, neginf=0.0)
    moved = np.moveaxis(finite, axis, 0)
    if moved.ndim == 3 and axes[0] == "head":
        return np.asarray(moved.mean(axis=1))
    return np.asarray(moved.reshape(moved.shape[0], -1))


def table(it: Table) -> str:
    return _table(it.columns, [["" if cell is None else cell for cell in row] for row in it.rows])


def clip(it: AudioClip) -> str:
    return player(wav(it.samples, it.sample_rate), "audio/wav")


def card(it: AtlasCard) -> str:
    best = it.labels[0] if it.labels else None
    heading = f"{it.feature.hook} {it.feature.name or it.feature.number}"
    if best is not None:
        heading += f": {best.kind} {best.label}"
    rows = [
        (f"{one.side}{one.rank}", one.recording, "" if one.seconds is None else f"{one.seconds:.2f}", f"{one.value:.3g}",
         one.heard, one.text)
        for one in it.examples
    ]  # fmt: skip
    return _heading(heading) + _table(("rank", "recording", "at s", "value", "heard", "text"), rows)


def wav(samples: NDArray[Any], rate: int) -> bytes:
    """A WAV file of mono float samples, 16 bits."""
    data = np.clip(np.rint(np.asarray(samples, np.float64) * 32768), -32768, 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(data.tobytes())
    return buffer.getvalue()


def player(sound: bytes, kind: str) -> str:
    return f'<audio controls preload="metadata" src="{_url(sound, kind)}"></audio>'


def image(png: bytes, text: str) -> str:
    style = "height:3em;width:20em;image-rendering:pixelated"
    return f'<img alt="{html.escape(text, quote=True)}" style="{style}" src="{_url(png, "image/png")}">'


def _url(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _heading(text: str) -> str:
    return f"<p><b>{_text(text)}</b></p>"


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    return _table_of_html(columns, [[_text(cell) for cell in row] for row in rows])


def _table_of_html(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{_text(one)}</th>" for one in columns)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows[:_MOST_ROWS])
    rest = f"<p>and {len(rows) - _MOST_ROWS} more rows</p>" if len(rows) > _MOST_ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}"


def _text(value: Any) -> str:
    return html.escape(f"{value:.6g}" if isinstance(value, float) else str(value))
