#!/usr/bin/env python3
"""Lives with one daemon for a while, as several people would, and looks whether it stays as it was.

    soak.py AUSCULTD PLUGINS [MINUTES [CSV]]        by hand; 5 minutes without a number. Needs protobuf and numpy

One listener talks to it from the beginning to the end, at the pace of sound. Beside it come transcripts, traces of everything, gradients,
runs of a plugin, jobs, short listeners, traces that nobody reads, clients that vanish and bytes that are no frames, one after another. Each
minute, after a pause, a line of the CSV says what the daemon has: memory, threads, descriptors, processes. At the end it says what grew and
what that would be after 24 hours, and ends with 1 where a call failed or something grew.
"""
import csv
import os
import pathlib
import random
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "clients/python/src"))
import numpy  # noqa: E402

import auscult  # noqa: E402
from auscult._messages import v1  # noqa: E402
from auscult._wire import Request  # noqa: E402

CLIP = "demo:en-slt-01"
FEATURE = ("encoder.blocks.2.mlp.1", 17)
#: Of growth between the second and the last quarter: what sampling alone gives.
MOST_MIB, MOST_THREADS, MOST_DESCRIPTORS = 16, 2, 2
#: Of memory where a quarter has a few samples: one that falls into a pass has what the pass computes in.
MOST_MIB_OF_FEW, FEW = 64, 20


class Soak:
    def __init__(self, program: str, plugins: str, minutes: float, table: str | None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="auscult-soak-"))
        self.socket = str(self.folder / "s.sock")
        environment = {**os.environ, "XDG_DATA_HOME": str(self.folder / "data"), "AUSCULT_PLUGIN_PATH": os.path.abspath(plugins)}
        self.daemon = subprocess.Popen([program, "--socket", self.socket, "--threads", "1"], env=environment)
        self.end = time.monotonic() + minutes * 60
        self.table = table
        self.samples: list[dict[str, float]] = []
        self.errors: list[str] = []
        self.was_stopped = False
        self.calls = 0
        self.clip = numpy.zeros(0, numpy.int16)

    # What people do.

    def transcribe(self, client):
        assert client.transcribe(CLIP).text, "the transcript is empty"

    def trace_everything(self, client):
        with client.trace_stream(CLIP, "**") as tensors:
            assert sum(1 for _ in tensors) > 20, "a trace of everything has more tensors"

    def trace_by_memory(self, client):
        assert len(client.trace(CLIP, "encoder.**")) > 10, "the trace has more tensors"

    def trace_to_file(self, client):
        path = self.folder / "trace.safetensors"
        client.trace(CLIP, "encoder.blocks.*.mlp.1", out=path)
        path.unlink()

    def differentiate(self, client):
        assert client.trace(CLIP, "encoder.ln_post", objective="transcript")["encoder.ln_post@grad"].any(), "the gradient is 0"

    def run_plugin(self, client):
        with client.run("attention-stats", [CLIP, "demo:en-slt-02"]) as run:
            assert sum(1 for _ in run) > 0, "the run gave nothing"

    def job(self, client):
        job = client.jobs.start_transcribe(CLIP)
        client.jobs.wait(job)
        client.jobs.forget(job)

    def listen(self, client):
        with client.live(features=[FEATURE], rolling=auscult.Rolling(hop=0.5)) as live:
            live.send(self.clip)
            live.finish()
            assert any(isinstance(event, auscult.LiveEnd) for event in live), "the line had no end"

    def unread_traces(self, client):
        trace = v1.TraceRequest(hooks=["**"])
        trace.audio.clip = "en-slt-01"
        call = Request(service="auscult.v1.Trace", method="Run", payload=trace.SerializeToString()).SerializeToString()
        connections = [self._raw(struct.pack(">IIBB", len(call), 1, 1, 1) + call) for _ in range(10)]
        time.sleep(4)
        for connection in connections:
            connection.close()

    def vanish(self, client):
        with auscult.connect(self.socket, start=False) as other:
            other.trace_stream(CLIP, "**").__enter__()

    def nonsense(self, client):
        for _ in range(5):
            self._raw(random.randbytes(200)).close()

    def wrong_calls(self, client):
        for audio, hooks in (("/nowhere.wav", "**"), (CLIP, "no.such.hook"), ("/dev/zero", "**")):
            try:
                client.trace(audio, hooks)
            except auscult.AuscultError:
                continue
            raise AssertionError(f"a trace of {audio} at {hooks} succeeded")

    def _raw(self, content: bytes) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.socket)
        connection.sendall(content)
        return connection

    def speak(self):
        """One listener from the beginning to the end, at the pace of sound."""
        while time.monotonic() < self.end:
            self.was_stopped = False
            try:
                self._speak()
            except Exception as error:  # noqa: BLE001 – every error is a finding
                # Whoever was stopped for a while did not read meanwhile.
                if self.was_stopped:
                    print(f"the long line begins anew, since this program was stopped: {error!r}", flush=True)
                else:
                    self.fail(f"the long line: {error!r}")

    def _speak(self):
        with auscult.connect(self.socket, start=False) as client:
            with client.live(features=[FEATURE], rolling=auscult.Rolling(hop=0.5), step=2.0, window=8.0) as live:
                place, piece = 0, 1600
                next_piece = time.monotonic()
                while (now := time.monotonic()) < self.end:
                    self.was_stopped = self.was_stopped or now > next_piece + 4
                    live.send(self.clip[place : place + piece])
                    place = (place + piece) % max(piece, len(self.clip) - piece)
                    live.poll()
                    next_piece = max(next_piece, now - 1) + 0.1
                    time.sleep(max(0.0, next_piece - time.monotonic()))
                live.finish()
                assert any(isinstance(event, auscult.LiveEnd) for event in live), "the long line had no end"

    def fail(self, message: str):
        self.errors.append(message)
        print(message, flush=True)

    # What becomes of it.

    def sample(self, began: float):
        process = pathlib.Path(f"/proc/{self.daemon.pid}")
        self.samples.append({
            "seconds": round(time.monotonic() - began),
            "rss_mib": round(int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20, 1),
            "threads": len(os.listdir(process / "task")),
            "descriptors": len(os.listdir(process / "fd")),
            "processes": len((process / f"task/{self.daemon.pid}/children").read_text().split()),
            "calls": self.calls,
            "errors": len(self.errors),
        })
        if self.table:
            new = len(self.samples) == 1
            with open(self.table, "w" if new else "a", newline="") as file:
                writer = csv.DictWriter(file, self.samples[-1].keys())
                if new:
                    writer.writeheader()
                writer.writerow(self.samples[-1])
        print(", ".join(f"{name} {value}" for name, value in self.samples[-1].items()), flush=True)

    def live(self):
        works = [
            self.transcribe, self.trace_everything, self.trace_by_memory, self.trace_to_file, self.differentiate, self.run_plugin,
            self.job, self.listen, self.unread_traces, self.vanish, self.nonsense, self.wrong_calls,
        ]
        while not os.path.exists(self.socket) and self.daemon.poll() is None:
            time.sleep(0.05)
        with auscult.connect(self.socket, start=False, timeout=60) as client:
            sound = bytes(client.excerpt(CLIP))
            self.clip = numpy.frombuffer(sound[44:], "<i2")
            began = time.monotonic()
            listener = threading.Thread(target=self.speak)
            listener.start()
            minute = began + 60
            while time.monotonic() < self.end:
                work = works[self.calls % len(works)]
                try:
                    work(client)
                except Exception as error:  # noqa: BLE001 – every error is a finding
                    self.fail(f"{work.__name__}: {error!r}")
                self.calls += 1
                time.sleep(1)
                if time.monotonic() >= minute:
                    time.sleep(5)
                    self.sample(began)
                    minute = max(minute + 60, time.monotonic())
            listener.join()
        time.sleep(8)
        self.sample(began)

    def verdict(self) -> int:
        count = len(self.samples) - 1
        problems = [*self.errors]
        if count >= 4:
            early, late = self.samples[count // 4 : count // 2], self.samples[count - count // 4 : count]
            for name, most in (("rss_mib", MOST_MIB_OF_FEW if count < FEW else MOST_MIB), ("threads", MOST_THREADS), ("descriptors", MOST_DESCRIPTORS)):
                before, after = (statistics.median(one[name] for one in part) for part in (early, late))
                settled = self.samples[count // 4 : count]
                slope = statistics.linear_regression([one["seconds"] for one in settled], [one[name] for one in settled]).slope
                print(f"{name}: {before} in the second quarter, {after} in the last; {slope * 3600:+.2f} an hour, {slope * 86400:+.0f} in 24 h")
                if after - before > most:
                    problems.append(f"{name} grew by {after - before}")
        last = self.samples[-1]
        print(f"with nobody: {last['rss_mib']} MiB, {last['threads']} threads, {last['descriptors']} descriptors, {last['processes']} processes")
        if last["processes"]:
            problems.append(f"{last['processes']} processes were left")
        print("; ".join(problems) or "it stayed as it was", flush=True)
        return 1 if problems else 0

    def run(self) -> int:
        try:
            self.live()
            status = self.verdict()
            self.daemon.terminate()
            if self.daemon.wait(timeout=60) != 0:
                print(f"the daemon ended with {self.daemon.returncode}")
                status = 1
            return status
        finally:
            if self.daemon.poll() is None:
                self.daemon.kill()
            shutil.rmtree(self.folder, ignore_errors=True)


program, plugins = os.path.abspath(sys.argv[1]), sys.argv[2]
sys.exit(Soak(program, plugins, float(sys.argv[3]) if len(sys.argv) > 3 else 5, sys.argv[4] if len(sys.argv) > 4 else None).run())
