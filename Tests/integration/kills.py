#!/usr/bin/env python3
"""Kills the command or the daemon with SIGKILL in the middle of work, again and again, and looks what is left.

    kills.py AUSCULT AUSCULTD PLUGINS [ROUNDS [FIRST]]      by hand: some minutes for 50 rounds, or in parts, from round FIRST on

After each kill: within 5 s no process of ours is there but the daemon that lives on; no hidden or partial file of a result lies
about; and the same command, given again, succeeds. Prints a line a round, and ends with 1 where something did not hold.
"""
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

AUSCULT, AUSCULTD, PLUGINS = (os.path.abspath(path) for path in sys.argv[1:4])
ROUNDS = int(sys.argv[4]) if len(sys.argv) > 4 else 50
FIRST = int(sys.argv[5]) if len(sys.argv) > 5 else 1
CLIPS = ["demo:en-slt-01", "demo:en-slt-02", "demo:en-slt-03"]
HERE = pathlib.Path(__file__).resolve().parent
WORK = pathlib.Path(tempfile.mkdtemp(prefix="auscult-kills-"))
ENVIRONMENT = {
    **os.environ, "AUSCULT_SOCKET": f"{WORK}/run/s.sock", "AUSCULT_DAEMON": AUSCULTD, "AUSCULT_PLUGIN_PATH": PLUGINS,
    "XDG_DATA_HOME": f"{WORK}/data", "AUSCULTD_THREADS": "1", "PYTHONPATH": str(HERE.parent.parent / "clients/python/src"),
}
LIVE = """
import sys, time, numpy, auscult
with auscult.connect().live() as live:
    print("open", flush=True)
    for _ in range(int(sys.argv[1])):
        live.send(numpy.zeros(1600, numpy.float32))
        time.sleep(0.02)
    live.finish()
    for event in live: pass
"""

# The arguments of each kind of work, and the files that it is to leave.
KINDS = {
    "trace": (["trace", "demo:en-long-01", "--hooks", "**", "--out", "t.safetensors"], ["t.safetensors"]),
    "run": (["run", "attention-stats", *CLIPS, "--checkpoint", "run.state", "--out", "results"], ["results", "run.state"]),
    "sae": (["run", "sae", *CLIPS, "-p", "hook=encoder.blocks.2", "-p", "out=dictionary", "--checkpoint", "sae.state"],
            ["dictionary", "sae.state"]),
    "atlas": (["atlas", "build", *CLIPS, "--out", "a.atlas", "--hooks", "encoder.blocks.2.mlp.1"], ["a.atlas"]),
    "merge": (["merge", "one.state", "two.state", "--state", "merged.state"], ["one.state", "two.state", "merged.state"]),
    "live": (None, []),
}

# Seconds after which the kill comes at most: most of the work's.
LONGEST = {"trace": 0.8, "merge": 0.1}


def processes():
    """Ours, by their command lines: all have the folder in their environment."""
    found = {}
    mark = f"AUSCULT_SOCKET={WORK}/run/s.sock".encode()
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            if mark in pathlib.Path(f"/proc/{name}/environ").read_bytes() or AUSCULTD.encode() in \
                    pathlib.Path(f"/proc/{name}/cmdline").read_bytes() and str(WORK).encode() in \
                    pathlib.Path(f"/proc/{name}/cmdline").read_bytes():
                found[int(name)] = pathlib.Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    # A plugin's process has an environment of its own; its first argument is the daemon's number.
    for name in os.listdir("/proc"):
        try:
            line = pathlib.Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
            if name.isdigit() and line[0].endswith(b"auscult-plugin-host") and int(line[1]) in KNOWN_DAEMONS:
                found[int(name)] = "auscult-plugin-host"
        except (OSError, ValueError, IndexError):
            continue
    return found


KNOWN_DAEMONS = set()


def daemon():
    for number, line in processes().items():
        if line.split(" ")[0] == AUSCULTD:
            KNOWN_DAEMONS.add(number)
            return number
    return None


def begin(kind, folder):
    arguments, _ = KINDS[kind]
    command = [sys.executable, "-c", LIVE, "400"] if arguments is None else [AUSCULT, *arguments]
    if arguments is not None:
        return subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    # One that does not listen yet would start a daemon of its own.
    work = subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    work.stdout.readline()
    return work


def finish(kind, folder):
    arguments, files = KINDS[kind]
    if arguments is None:
        command = [sys.executable, "-c", LIVE, "4"]
    else:
        command = [AUSCULT, *arguments]
        # What was written by a run that ended before it was to be killed.
        if (folder / "results").exists():
            command = [word if word != "results" else "again" for word in command]
            files = [word if word != "results" else "again" for word in files]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    problems = [] if done.returncode == 0 else [f"given again it ended with {done.returncode}: {done.stderr.strip()[-300:]}"]
    problems += [f"{name} is not there" for name in files if not (folder / name).exists()]
    return problems


def leftovers(folder):
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.name.startswith(".") or "partial" in path.name]


def round_of(kind, whom, seconds):
    folder = pathlib.Path(tempfile.mkdtemp(dir=WORK, prefix=kind + "-"))
    if kind == "merge":
        for shard, name in (("1/2", "one"), ("2/2", "two")):
            subprocess.run([AUSCULT, "run", "attention-stats", *CLIPS, "--shard", shard, "--state", name + ".state"], cwd=folder,
                           env=ENVIRONMENT, check=True, capture_output=True)
    work = begin(kind, folder)
    time.sleep(seconds)
    was_running = work.poll() is None
    served = daemon()
    if whom == "command":
        work.kill()
    elif served:
        os.kill(served, signal.SIGKILL)
    problems = []
    try:
        work.wait(timeout=30)
    except subprocess.TimeoutExpired:
        problems.append("the command did not end within 30 s of the daemon's end")
        work.kill()
    # A command that had not asked the daemon yet starts another, and succeeds.
    if whom == "daemon" and work.returncode == 0:
        was_running, served = False, daemon()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        left = {number: line for number, line in processes().items() if number != served}
        if not left:
            break
        time.sleep(0.1)
    problems += [f"left: {line}" for line in left.values()]
    time.sleep(0.2)
    problems += [f"left: {name}" for name in leftovers(folder)]
    problems += finish(kind, folder)
    problems += [f"left after the rerun: {name}" for name in leftovers(folder)]
    return was_running, problems


def main():
    failed = hit = 0
    subprocess.run([AUSCULT, "status"], env=ENVIRONMENT, check=True, capture_output=True)
    for number in range(FIRST, FIRST + ROUNDS):
        random.seed(number)
        kind = list(KINDS)[number % len(KINDS)]
        whom = random.choice(["command", "daemon"])
        seconds = random.uniform(0.01, LONGEST.get(kind, 1.5))
        was_running, problems = round_of(kind, whom, seconds)
        hit += was_running
        failed += bool(problems)
        print(f"{number:3} {kind:6} {whom:8} after {seconds:.2f} s{'' if was_running else ' (had ended)'}: {'; '.join(problems) or 'well'}",
              flush=True)
    served = daemon()
    if served:
        os.kill(served, signal.SIGTERM)
    print(f"{ROUNDS} kills, {hit} in the middle of work, {failed} with something wrong")
    return 1 if failed else 0


sys.exit(main())
