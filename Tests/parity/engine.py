"""auscult as the harness calls it: always the program, never its insides."""

import json
import math
import subprocess
from pathlib import Path

from safetensors import safe_open


def model(checkpoint):
    return ["--model", checkpoint] if checkpoint else []


def cells(table):
    """Rows of a plugin's table, by column; what has no number is NaN."""
    return [{name: math.nan if cell is None else cell for name, cell in zip(table["columns"], row)}
            for row in table["rows"]]


class Auscult:
    def __init__(self, program):
        self.program = str(Path(program).resolve())

    def __call__(self, *arguments):
        """Standard output; a failure shows the command and its message."""
        command = [self.program, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\nfailed with exit code {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def programs(self):
        """What computes: the command line and the daemon that it starts."""
        return [Path(self.program), Path(self.program).with_name("auscultd")]

    def hooks(self, checkpoint):
        """Names of all hook points, in the engine's order. Without a checkpoint: of the embedded model."""
        return [row["hook"] for row in json.loads(self("hooks", *model(checkpoint), "--format", "json"))]

    def analysis(self, plugin, checkpoint, *arguments):
        """The results of a plugin's run, by output."""
        document = json.loads(self("run", plugin, *arguments, *model(checkpoint), "--format", "json"))
        if document["problems"]:
            raise SystemExit(f"{plugin}: {document['problems']}")
        return {result["output"]: result for result in document["results"]}

    def trace(self, recording, checkpoint, globs, tokens, out, *options, frames="all"):
        """Name -> array of all positions (with frames="valid": of sound), one at a time; the file is removed."""
        out = Path(out)
        prompt = ["--tokens", ",".join(map(str, tokens))] if tokens else []
        self("trace", recording, *model(checkpoint), "--hooks", *globs, "--frames", frames, *prompt, *options,
             "--out", out)
        try:
            with safe_open(out, framework="np") as file:
                for name in file.keys():
                    yield name, file.get_tensor(name)
        finally:
            out.unlink()
