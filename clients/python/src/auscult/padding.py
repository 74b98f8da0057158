"""What windows are padded with."""

from __future__ import annotations

from typing import Any, Literal, Union

from ._messages import enum_number, enum_word

#: What a window is filled with where the recording ends before it: zeros behind the samples (``"sound"``), or behind the
#: log-mel of the whole recording (``"mel"``), as openai's ``transcribe()`` does. Activations, and sometimes texts, differ.
Padding = Literal["sound", "mel"]


def padding_number(padding: Union[Padding, None]) -> int:
    """The number of a padding in messages; None leaves it to the call."""
    return 0 if padding is None else enum_number("Padding", padding)


def padding_word(message: Any) -> Union[Padding, None]:
    """The padding of a result; None where the daemon does not say."""
    return enum_word("Padding", message.padding) if message.padding else None
