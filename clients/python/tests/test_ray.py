"""Runs on a Ray cluster of several raylets on this machine, with daemons of their own."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from pathlib import Path

import auscult
import pytest
from auscult import data
from test_data import plain, sounds

PLUGIN = "attention-stats"
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    from ray.cluster_utils import Cluster

    if not os.environ.get("AUSCULT_DAEMON"):
        pytest.skip("$AUSCULT_DAEMON does not name a daemon")
    # Paths of sockets have 107 bytes at most.
    folder = tempfile.mkdtemp(prefix="r-", dir="/tmp")
    head = {"num_cpus": 1, "object_store_memory": 80 * MEGABYTE, "include_dashboard": False}
    try:
        found = Cluster(initialize_head=True, head_node_args=head)
        ray.init(address=found.address, log_to_driver=False)
    except Exception as fault:
        # Ray gives a raylet 30 seconds to start, which nobody can change.
        if "timed out during startup" not in str(fault):
            raise
        pytest.skip(f"Ray did not start here: {fault}")
    yield found, folder
    ray.shutdown()
    found.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def source():
    return [data.Recording(name, content, labels={"text": name}) for name, content in sounds(12)]


@pytest.fixture
def analyses(daemon):
    if not any(one.id.endswith(PLUGIN) for one in daemon.plugins()):
        pytest.skip(f"the daemon finds no {PLUGIN}: make plugins, and $AUSCULT_PLUGIN_PATH names their folder")
    return daemon


def node(cluster):
    return cluster.add_node(num_cpus=1, object_store_memory=80 * MEGABYTE)


def run(analyses, source, folder, **options):
    import auscult.ray

    return auscult.ray.run(
        PLUGIN, source, client=analyses, block=2, socket=f"{folder}/{{node}}.sock", daemon=os.environ["AUSCULT_DAEMON"], **options
    )


def stop_daemons(folder):
    for one in Path(folder).glob("*.sock"):
        try:
            with auscult.connect(str(one), start=False) as client:
                client.stop()
        except auscult.Unavailable:
            pass


def daemons(folder):
    """Processes that serve a socket in the folder."""
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = one.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.startswith(os.fsencode(folder)) and word.endswith(b".sock") for word in words):
            yield int(one.parent.name)


def test_a_raylet_and_a_daemon_that_are_killed_cost_no_bit(analyses, cluster, source, tmp_path):
    ray_cluster, folder = cluster
    expected = data.run(analyses, PLUGIN, source, block=2)
    results = plain(expected.wait())
    doomed = node(ray_cluster)
    killed = threading.Event()

    def kill(progress):
        if killed.is_set():
            return
        killed.set()
        for process in daemons(folder):
            os.kill(process, signal.SIGKILL)
        ray_cluster.remove_node(doomed, allow_graceful=False)

    done = run(analyses, source, folder, on_progress=kill, states=tmp_path / "states")
    assert plain(done.results.wait()) == results and done.results.provenance == expected.provenance
    assert killed.is_set()
    assert sum(one.recordings for one in done.nodes.values()) == len(source)
    # What was done is not done again.
    again = run(analyses, source, folder, states=tmp_path / "states")
    assert plain(again.results.wait()) == results and set(again.nodes) == {""}
    other = run(analyses, source, folder, states=tmp_path / "states", seed=7)
    assert "" not in other.nodes
    other.results.wait()
    stop_daemons(folder)


def test_a_plugin_that_is_not_there_and_a_manifest_are_refused(analyses, cluster, source, tmp_path):
    _, folder = cluster
    with pytest.raises(auscult.NotFound):
        run(analyses, source, folder, arguments={}, model="no-such-model")
    with pytest.raises(auscult.InvalidArgument, match="read by a daemon by itself"):
        run(analyses, "demo:", folder)
    with pytest.raises(auscult.InvalidArgument, match="shard is not for"):
        run(analyses, source, folder, shard=(0, 2))
