"""Progress as a bar: in a terminal, or in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._optional import needed

if TYPE_CHECKING:
    from .streams import Progress


class ProgressBar:
    """Shows what a call tells of its progress, with tqdm, and leaves when all is done::

        client.transcribe("lecture.mp3", on_progress=auscult.ProgressBar())

    Args:
        title: What stands before the bar.
        options: tqdm's own: ``leave``, ``file``, ``disable``, …

    Raises:
        ImportError: tqdm is not installed.
    """

    def __init__(self, title: str = "", **options: Any) -> None:
        self._tqdm = needed("tqdm.auto", "a progress bar").tqdm
        self._title, self._options = title, options
        self._bar: Any = None

    def __call__(self, progress: Progress) -> None:
        """Takes the next progress."""
        if self._bar is None or self._bar.unit.strip() != progress.unit:
            self.close()
            self._bar = self._tqdm(desc=self._title or None, unit=f" {progress.unit}", **self._options)
        self._bar.total = progress.total or None
        if progress.label:
            self._bar.set_postfix_str(progress.label, refresh=False)
        self._bar.update(progress.done - self._bar.n)
        if progress.total and progress.done >= progress.total:
            self.close()

    def close(self) -> None:
        """Takes the bar away; the next progress begins another."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
