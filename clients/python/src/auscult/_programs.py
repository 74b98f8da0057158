"""The programs that came along: below ``_prefix`` of this package, where it was installed from a wheel that has them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PREFIX = Path(__file__).parent / "_prefix"


def bundled(name: str) -> str | None:
    """The path of a program that came along; None where none did."""
    path = PREFIX / "bin" / name
    return str(path) if path.is_file() else None


def header_folder() -> str:
    """The folder of ``auscult_plugin.h``, for compilers' ``-I``.

    Raises:
        FileNotFoundError: The client was installed without the programs.
    """
    folder = PREFIX / "include"
    if not (folder / "auscult_plugin.h").is_file():
        raise FileNotFoundError(f"there is no auscult_plugin.h in {folder}: this client was installed without the programs")
    return str(folder)


def auscult() -> None:
    """The command ``auscult``."""
    _become("auscult")


def auscultd() -> None:
    """The command ``auscultd``."""
    _become("auscultd")


def _become(name: str) -> None:
    path = bundled(name)
    if path is None:
        sys.exit(f"{name} is not in {PREFIX}: this client was installed without the programs")
    os.execv(path, [path, *sys.argv[1:]])
