"""Libraries that only some of the client's functions need."""

from __future__ import annotations

import importlib
from typing import Any


def needed(module: str, purpose: str) -> Any:
    """A module that may not be installed.

    Raises:
        ImportError: It is not there; the message says what it is needed for, and how to get it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as fault:
        package = module.partition(".")[0]
        raise ImportError(f"{purpose} needs {package}, which cannot be imported ({fault}): pip install {package}") from fault
