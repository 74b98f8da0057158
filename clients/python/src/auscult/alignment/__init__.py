"""Words and phonemes of anyone's recordings, so that features get labels from people's own sound.

    pip install './clients/python[align]'
    auscult align talk.wav            # or: python -m auscult.alignment talk.wav

English is aligned by pocketsphinx (`_forced`), long recordings in pieces (`_pieces`); words that its dictionary does not
have are said by espeak-ng (`_espeak`). Other languages are placed coarsely (`_coarse`). `aligner` puts them together,
`_files` writes TextGrids and a manifest, `scoring` compares with alignments that are known, `__main__` is the command.
"""

from .aligner import AlignedWord, Aligner, Alignment, Method, Quality, align
from .scoring import Errors, Score, compare, score

__all__ = [
    "AlignedWord", "Aligner", "Alignment", "Errors", "Method", "Quality", "Score", "align", "compare", "score",
]  # fmt: skip
