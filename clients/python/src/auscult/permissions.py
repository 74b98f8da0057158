"""What a plugin may do beside what its arguments name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Union

from ._messages import v1

Path = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Permissions:
    """What a run allows its plugin, which is confined: paths that its arguments name it reads without this.

    Args:
        read: Files, and folders with all that is in them.
        write: The same, to be written.
        network: TCP and UDP.
        unconfined: Nothing is refused: what the daemon's user may do, the plugin may.
    """

    read: Sequence[Path] = ()
    write: Sequence[Path] = ()
    network: bool = False
    unconfined: bool = False


def permissions_message(permissions: Permissions | None) -> Any:
    """A PluginPermissions; None where nothing is allowed."""
    if permissions is None:
        return None
    return v1.PluginPermissions(
        read=[os.fspath(path) for path in permissions.read],
        write=[os.fspath(path) for path in permissions.write],
        network=permissions.network,
        unconfined=permissions.unconfined,
    )
