"""What a long stream costs the driver."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own, so that its memory is its own: 2,000 recordings of 1 MB, streamed in blocks; 2 GB in all.
PROGRAM = """
import resource
from auscult import data

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = 0
for block in data.blocks({"audio": {"bytes": bytes(1 << 20), "path": f"{n}.wav"}} for n in range(2000)):
    with block.manifest():
        count += len(block.recordings)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(count, grown // 1024)
"""


def test_a_stream_of_2000_recordings_is_never_in_memory():
    answer = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=600).stdout
    count, megabytes = map(int, answer.split())
    assert count == 2000 and megabytes < 200
