"""Calls about plugins and their runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from .. import streams
from .. import plugins as _plugins
from .. import runs as _runs
from .._audio import Audio, spool
from .._caller import Caller
from .._messages import v1
from .._wire import Connection
from ..permissions import Permissions, permissions_message

if TYPE_CHECKING:
    from typing_extensions import Unpack


class PluginCalls(Caller):
    """The calls of the service Plugin."""

    def plugins(self) -> list[_plugins.PluginListing]:
        """The plugins that were found."""
        return [_plugins.listing(one) for one in self._unary("auscult.v1.Plugin/List", v1.ListPluginsRequest()).plugins]

    def plugin(self, id: str) -> _plugins.PluginDescription:
        """What a plugin needs, takes and gives."""
        return _plugins.description(self._unary("auscult.v1.Plugin/Describe", v1.DescribePluginRequest(id=id)))

    def run(
        self,
        plugin: str,
        data: Audio | Sequence[Audio],
        *,
        timeout: float | None = None,
        on_progress: streams.OnProgress | None = None,
        **options: Unpack[_runs.RunOptions],
    ) -> _runs.PluginRun:
        """Runs a plugin over recordings; iterate over its results as they come.

        Args:
            plugin: Its id, or the last part of it where that is unique.
            data: A recording, as for `transcribe`, or several; folders, manifests (.jsonl, .tsv) and ``"demo:"``, all
                embedded clips, stand for theirs.
            timeout: Seconds until it must be done.
            on_progress: Called with the progress, in recordings.
            options: ``arguments`` of the plugin, ``shard`` (i, n), ``state``, ``checkpoint``, ``seed``, ``workers``,
                ``context``, ``interventions``, ``model``, ``vocabulary``, ``precision``, ``padding``,
                ``stop_at_broken``, ``permissions``, as `RunOptions` describes them.
        """

        def run(connection: Connection) -> _runs.PluginRun:
            request = _runs.run_request(plugin, data, connection, timeout, options)
            method = "auscult.v1.Plugin/Run"
            return _runs.PluginRun(connection, method, request, timeout=timeout, on_progress=on_progress)

        return self._opened(run)

    #: The same.
    run_plugin = run

    def merge(
        self,
        states: Iterable[str | os.PathLike[str] | bytes],
        *,
        state: _runs.StateTarget = None,
        permissions: Permissions | None = None,
        timeout: float | None = None,
    ) -> _runs.PluginRun:
        """Puts the states of several runs together, and gives the results as if one run had heard all their recordings.

        Args:
            states: Files, or bytes as `PluginRun.state` has them: of one plugin, version, model, and of the same arguments.
            state: Where the state of all of them goes, as for `run`.
            permissions: As for `run`.
        """
        all_states = list(states)

        def merge(connection: Connection) -> _runs.PluginRun:
            request = v1.MergePluginRequest(permissions=permissions_message(permissions))
            _runs.set_state(request, state)
            for one in all_states:
                if isinstance(one, (bytes, bytearray, memoryview)):
                    method, chunk = "auscult.v1.Plugin/UploadState", lambda part: v1.StateChunk(data=part)
                    answer = spool(connection, method, memoryview(one), chunk, timeout)
                    request.state_uploads.append(v1.UploadedState.FromString(answer).upload_id)
                else:
                    request.state_files.append(os.fspath(one))
            return _runs.PluginRun(connection, "auscult.v1.Plugin/Merge", request, timeout=timeout)

        return self._opened(merge)
