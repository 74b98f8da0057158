#!/usr/bin/env python3
"""auscult against openai-whisper: `make parity`.

    Tests/parity/run.py [--auscult PROGRAM] [--only mel,activations,gradients,interventions,patching,rollout,decoding,plugins,
                               features,rounding,tokens]
                        [--checkpoints tiny,turbo,english,default,tiny.en,base] [--kinds short,long,fallback] [--for SECONDS]

Exits with 1 where anything lies outside its bound.
"""

import argparse
import importlib
import math
import sys
from pathlib import Path

import engine

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("mel", "activations", "gradients", "interventions", "patching", "rollout", "decoding", "plugins",
         "features", "rounding", "tokens")
#: Those that are about released models share their beginning.
MODULES = {"rounding": "released", "tokens": "released"}
sys.stdout.reconfigure(line_buffering=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--auscult", default=ROOT / ".build" / "release" / "auscult")
    parser.add_argument("--work", type=Path, default=ROOT / ".build" / "parity", help="folder for temporary files")
    parser.add_argument("--default", type=Path, default=ROOT / "models" / "default", help="the default model's folder")
    parser.add_argument("--only", default=",".join(PARTS), help="which parts to run")
    parser.add_argument("--checkpoints", default="", help="which checkpoints; all where empty")
    parser.add_argument("--kinds", default="short,long,fallback", help="which recordings of the part 'tokens'")
    parser.add_argument("--for", type=float, default=math.inf, dest="seconds",
                        help="'rounding' and 'tokens' begin nothing after so many seconds; another call goes on from there")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    auscult, results = engine.Auscult(options.auscult), {}
    if not (options.default / "config.json").exists():
        sys.exit(f"the default model is not there: {options.default}")
    only = [name for name in options.checkpoints.split(",") if name]
    checks = {"mel": lambda part: part.check(auscult, options.work),
              "activations": lambda part: part.check(auscult, options.work, options.default, only),
              "gradients": lambda part: part.check(auscult, options.work, options.default, only),
              "interventions": lambda part: part.check(auscult, options.work, options.default, only),
              "patching": lambda part: part.check(auscult, options.work, options.default),
              "rollout": lambda part: part.check(auscult, options.work, options.default),
              "decoding": lambda part: part.check(auscult, options.work, options.default),
              "plugins": lambda part: part.check(auscult, options.work, options.default),
              "features": lambda part: part.check(auscult, options.work, options.default),
              "rounding": lambda part: part.check(auscult, options.work, "rounding", only, seconds=options.seconds),
              "tokens": lambda part: part.check(auscult, options.work, "tokens", only, options.kinds.split(","), options.seconds)}
    parts = [name for name in options.only.split(",") if name]
    if not parts or not set(parts) <= set(PARTS):
        sys.exit(f"--only is '{options.only}', expected some of {','.join(PARTS)}")
    for part in parts:
        results[part] = checks[part](importlib.import_module(MODULES.get(part, part)))
    words = {True: "passed", False: "FAILED", None: "nothing compared"}
    print("\n" + ", ".join(f"{part}: {words[passed]}" for part, passed in results.items()))
    # What cannot be had is left out; what was asked for by name and is not there has not passed.
    unmet = [part for part, passed in results.items() if passed is None and (only or options.only != parser.get_default("only"))]
    sys.exit(1 if unmet or False in results.values() else 0)


if __name__ == "__main__":
    main()
