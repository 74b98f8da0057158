"""Recordings where people have them, and results where people want them.

    from auscult import data

    for one in data.recordings("shards/{000..015}.tar"): ...              # WebDataset
    data.recordings(datasets.load_dataset(…, streaming=True))             # Hugging Face
    data.recordings("train.parquet"), data.recordings("kaldi/wav.scp"), data.recordings("cuts.jsonl.gz")
    data.run(client, "features", source)                                  # a plugin over any of them
    data.write_results(run, "results")                                    # Parquet, a file for each output
    data.write_activations(client, source, hooks, "activations")          # sharded safetensors with an index

Encoded bytes go to the daemon, which decodes them; nothing is decoded here. Sources are read as they are gone through, so a data set
need not fit into memory.
"""

from ._recording import Recording
from .activations import Activations, write_activations
from ._blocks import Block, blocks, run
from .results import write_results
from .sources import recordings

__all__ = [
    "Activations",
    "Block",
    "Recording",
    "blocks",
    "recordings",
    "run",
    "write_activations",
    "write_results",
]
