"""The colours of heat maps, and pictures of them as PNG: what a notebook shows without matplotlib."""

from __future__ import annotations

import functools
import math
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


@functools.cache
def table() -> NDArray[np.uint8]:
    """sRGB of shape ``(255, 3)``, dark for little and bright for much: the path through OKLCH (B. Ottosson, 2020) that the
    command line's pictures take."""
    return np.array([_colour(step / 254) for step in range(255)], np.uint8)


def _colour(share: float) -> list[int]:
    lightness, hue, chroma = 0.20 + 0.74 * share, math.radians(305 - 200 * share), 0.13 + 0.03 * share
    while chroma > 0:
        rgb = _linear(lightness, chroma * math.cos(hue), chroma * math.sin(hue))
        if all(-0.0005 <= one <= 1.0005 for one in rgb):
            break
        chroma -= 0.002
    else:
        rgb = _linear(lightness, 0, 0)
    return [round(255 * _encoded(min(max(one, 0.0), 1.0))) for one in rgb]


def _linear(lightness: float, a: float, b: float) -> tuple[float, float, float]:
    l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    )


def _encoded(value: float) -> float:
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def heat_map(values: NDArray[Any], width: int = 320, height: int = 48) -> bytes:
    """A PNG of a matrix ``(rows, columns)``, of at most this many pixels; cells that share a pixel give their largest
    magnitude, and what is no finite number has the lowest colour."""
    matrix = np.nan_to_num(np.asarray(values, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    for axis, most in ((0, height), (1, width)):
        if matrix.shape[axis] > most:
            edges = np.linspace(0, matrix.shape[axis], most, endpoint=False).astype(int)
            least, most_of = np.minimum.reduceat(matrix, edges, axis), np.maximum.reduceat(matrix, edges, axis)
            matrix = np.where(-least > most_of, least, most_of)
    low, high = (float(matrix.min()), float(matrix.max())) if matrix.size else (0.0, 0.0)
    shares = (matrix - low) / (high - low) if high > low else np.zeros_like(matrix)
    return png(np.rint(shares * 254).astype(np.uint8), table())


def png(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """A PNG with a palette, of pixels ``(height, width)``."""
    height, width = indices.shape
    rows = np.zeros((height, width + 1), np.uint8)
    rows[:, 1:] = indices
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data)
        for kind, data in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", palette.tobytes()),
            (b"IDAT", zlib.compress(rows.tobytes(), 6)),
            (b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
