#!/usr/bin/env python3
"""Kills workers, raylets and daemons of a Ray cluster on this machine at random moments, and compares the results.

    ray-kills.py AUSCULTD PLUGINS [ROUNDS [SEED]]     by hand, where auscult[cluster] is installed; some minutes for 20 rounds
    ray-kills.py AUSCULTD PLUGINS --stream CLIPS      a streaming data set of so many clips: the driver's memory, and the rate

A round is a whole run of `auscult.ray.run` over the clips of models/demo, in which one process ends by SIGKILL after a random time: in
turn a worker of Ray, a raylet with its node, a daemon. Results and what they were made of have to be, to the bit, those of a run
without Ray. (Their states are not: they keep the folder in which a block's sounds lay for the daemon.) Prints a line a round, and ends
with 1 where they differ.
"""
import argparse
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import auscult
import auscult.ray
import ray
from auscult import data
from ray.cluster_utils import Cluster

PLUGIN = "attention-stats"
MEGABYTE = 1 << 20
DEMO = Path(__file__).resolve().parents[2] / "models" / "demo"


def processes(test):
    """The ids of processes whose words meet a test."""
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = one.read_bytes().split(b"\0")
        except OSError:
            continue
        if test(words):
            yield int(one.parent.name)


def is_daemon(folder):
    return lambda words: any(word.startswith(os.fsencode(folder)) and word.endswith(b".sock") for word in words)


def is_worker(words):
    return words[0].startswith(b"ray::_task")


def kill(ids):
    for one in ids:
        try:
            os.kill(one, signal.SIGKILL)
        except ProcessLookupError:
            pass


def told(run):
    """All results, in their order, and how they were made."""
    results = [(one.output_id, one.file, one.value.array.tobytes() if hasattr(one.value, "array") else one.value) for one in run.wait()]
    return results, run.provenance


class Machine:
    """A cluster of raylets here, and a folder for sockets and states."""

    def __init__(self, daemon):
        # Paths of sockets have 107 bytes at most.
        self.folder = tempfile.mkdtemp(prefix="r-", dir="/tmp")
        self.daemon = daemon
        self.cluster = Cluster(initialize_head=True, head_node_args=self.node(0))
        ray.init(address=self.cluster.address, log_to_driver=False)

    @staticmethod
    def node(cpus):
        return {"num_cpus": cpus, "object_store_memory": 80 * MEGABYTE, "include_dashboard": False}

    def add(self):
        return self.cluster.add_node(num_cpus=1, object_store_memory=80 * MEGABYTE)

    def run(self, client, source, **options):
        return auscult.ray.run(PLUGIN, source, client=client, socket=f"{self.folder}/{{node}}.sock", daemon=self.daemon, **options)

    def close(self):
        for one in Path(self.folder).glob("*.sock"):
            try:
                with auscult.connect(str(one), start=False) as client:
                    client.stop()
            except auscult.Unavailable:
                pass
        ray.shutdown()
        self.cluster.shutdown()
        shutil.rmtree(self.folder, ignore_errors=True)


def rounds(machine, client, count, seed):
    """-> whether all rounds gave the same bytes"""
    chance = random.Random(seed)
    files = sorted(DEMO.glob("en-*.flac"))
    source = [data.Recording(one.name, one.read_bytes(), labels={"text": one.name}) for one in files]
    expected = told(data.run(client, PLUGIN, source, block=2))
    machine.add()
    began = time.monotonic()
    machine.run(client, source, block=2).results.wait()
    usual = time.monotonic() - began
    print(f"{len(source)} clips, {usual:.1f} s without a kill, {len(expected[0])} results", flush=True)
    equal = True
    for number in range(count):
        kind = ("worker", "raylet", "daemon")[number % 3]
        doomed = machine.add() if kind == "raylet" else None
        hit = []

        def strike(kind=kind, doomed=doomed, hit=hit):
            if kind == "raylet":
                machine.cluster.remove_node(doomed, allow_graceful=False)
                hit.append(1)
            else:
                found = list(processes(is_worker if kind == "worker" else is_daemon(machine.folder)))
                hit.extend(found)
                kill(found)

        after = chance.uniform(0, 0.6 * usual)
        timer = threading.Timer(after, strike)
        timer.start()
        began = time.monotonic()
        found = told(machine.run(client, source, block=2).results)
        took = time.monotonic() - began
        timer.join()
        same = found == expected
        equal = equal and same
        print(f"{number + 1:3} {kind:6} after {after:5.1f} s, {len(hit)} killed, run {took:5.1f} s: {'the same results' if same else 'OTHER RESULTS'}", flush=True)
    return equal


def stream(machine, client, count):
    """A streaming data set of Hugging Face's; -> whether the driver stayed below 500 MB"""
    import datasets

    files = sorted(DEMO.glob("en-*.flac"))

    def rows():
        for number in range(count):
            one = files[number % len(files)]
            yield {"audio": {"bytes": one.read_bytes(), "path": f"{number}-{one.name}"}, "text": one.stem}

    value = datasets.Value
    features = datasets.Features({"audio": {"bytes": value("binary"), "path": value("string")}, "text": value("string")})
    source = datasets.IterableDataset.from_generator(rows, features=features)
    machine.add()
    began = time.monotonic()
    done = machine.run(client, source, context="auto")
    done.results.wait()
    took = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    heard = sum(one.recordings for one in done.nodes.values())
    print(f"{heard} clips in {took:.0f} s ({heard / took:.1f} /s), driver at most {peak:.0f} MB, "
          f"{sum(files[n % len(files)].stat().st_size for n in range(count)) / 1e6:.0f} MB of sound")
    return heard == count and peak <= 500


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("daemon", type=os.path.abspath)
    parser.add_argument("plugins", type=os.path.abspath)
    parser.add_argument("rounds", type=int, nargs="?", default=20)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--stream", type=int)
    given = parser.parse_args()
    os.environ["AUSCULT_PLUGIN_PATH"] = given.plugins
    machine = Machine(given.daemon)
    # The daemon that merges is the driver's own, and not killed.
    own = tempfile.mkdtemp(prefix="o-", dir="/tmp")
    try:
        with auscult.connect(f"{own}/own.sock", daemon=given.daemon) as client:
            good = stream(machine, client, given.stream) if given.stream else rounds(machine, client, given.rounds, given.seed)
            client.stop()
    finally:
        machine.close()
        shutil.rmtree(own, ignore_errors=True)
    sys.exit(not good)


if __name__ == "__main__":
    main()
