"""What all calls have in common: the daemon's own, any method by name, errors, the contract."""

from __future__ import annotations

import pickle

import auscult
import pytest
from auscult._messages import METHODS, v1
from fake import answer, stream


def test_the_daemons_status_is_read(fake, client):
    status = v1.DaemonStatus(
        version="0.1.0",
        pid=5,
        models=[v1.ResidentModel(name="default", users=1)],
        calls=[v1.CallInfo(subscription_id="s", method="auscult.v1.Trace/Run", seconds=1)],
        kernels=v1.KernelStatus(implementation="avx2", products="own", blas_core="Prescott", warnings=["slow"]),
    )
    answer(fake, "auscult.v1.Daemon/Status", status)
    found = client.status()
    assert (found.pid, found.models[0].users, found.calls[0].subscription_id) == (5, 1, "s")
    assert (found.kernels.implementation, found.kernels.blas_core, found.kernels.warnings) == ("avx2", "Prescott", ("slow",))


def test_health_and_cancel_and_stop(fake, client):
    answer(fake, "auscult.v1.Daemon/Cancel", v1.Empty())
    answer(fake, "auscult.v1.Daemon/Stop", v1.Empty())
    assert client.health() == "serving"
    with pytest.raises(auscult.NotFound, match="nobody"):
        client.health("nobody")
    client.cancel("s-9")
    client.stop(drain=1.5)
    assert fake.seen("auscult.v1.Daemon/Cancel")[0].subscription_id == "s-9"
    assert fake.seen("auscult.v1.Daemon/Stop")[0].drain_ms == 1500


def test_any_method_can_be_called_with_json(fake, client):
    answer(fake, "auscult.v1.Daemon/Status", v1.DaemonStatus(pid=5, memory_bytes=1 << 40))
    stream(fake, "auscult.v1.Job/Watch", {"seq": 1, "progress": v1.Progress(done=1)})
    assert client.call("auscult.v1.Daemon/Status") == {"pid": 5, "memory_bytes": str(1 << 40)}
    found = list(client.call_stream("auscult.v1.Job/Watch", {"id": "j", "after_seq": 3}))
    assert found == [{"started": {"subscription_id": "s-7"}}, {"seq": "1", "progress": {"done": 1.0}}]
    assert fake.seen("auscult.v1.Job/Watch")[0].after_seq == 3
    with pytest.raises(auscult.NotFound, match="Model/List"):
        client.call("auscult.v1.Model/Lost")
    with pytest.raises(auscult.InvalidArgument, match="call_stream"):
        client.call("auscult.v1.Trace/Run")
    with pytest.raises(auscult.InvalidArgument, match="patern"):
        client.call("auscult.v1.Model/Hooks", {"patern": "*"})
    with pytest.raises(auscult.InvalidArgument):
        client.call_stream("auscult.v1.Model/List")


def test_a_method_that_the_daemon_does_not_have_is_unimplemented(client):
    with pytest.raises(auscult.Unimplemented, match="Plugin/List"):
        client.plugins()


def test_a_client_that_was_closed_says_so(client):
    client.close()
    client.close()
    with pytest.raises(auscult.Unavailable, match="closed"):
        client.models()
    with pytest.raises(auscult.Unavailable, match="closed"):
        client.pull("tiny")


def test_errors_can_be_pickled():
    error = pickle.loads(pickle.dumps(auscult.NotFound("no model", "not_found")))
    assert (type(error), error.message, error.reason, error.code) == (
        auscult.NotFound,
        "no model",
        "not_found",
        "NOT_FOUND",
    )


def test_every_method_of_the_contract_is_known():
    assert METHODS["auscult.v1.Live/Listen"].client_streaming and METHODS["auscult.v1.Live/Listen"].server_streaming
    assert not METHODS["auscult.v1.Model/List"].server_streaming
    services = {name.split("/")[0] for name in METHODS}
    assert {"auscult.v1.Daemon", "auscult.v1.Plugin", "grpc.health.v1.Health"} <= services
