"""Jobs, against a server that says what it is told."""

from __future__ import annotations

import auscult
import numpy as np
from auscult._messages import v1
from fake import SEGMENT, answer, stream


def test_a_job_is_started_watched_and_answered(fake, client, tmp_path):
    info = v1.JobInfo(id="j", label="l", kind="transcribe", state=2, created=5, last_seq=1)
    failed = v1.JobInfo(id="j", state=4, ended=7, error=v1.JobError(code=15, message="cut off", reason="data_loss"))
    answer(fake, "auscult.v1.Job/Start", info)
    answer(fake, "auscult.v1.Job/Get", failed)
    answer(fake, "auscult.v1.Job/List", v1.JobList(jobs=[info, failed]))
    answer(fake, "auscult.v1.Job/Cancel", info)
    answer(fake, "auscult.v1.Job/Forget", v1.Empty())
    answer(fake, "auscult.v1.Job/Result", v1.JobResult(transcript=v1.Transcript(text="t")))
    stream(
        fake,
        "auscult.v1.Job/Watch",
        {"seq": 1, "state": info},
        {"seq": 5, "dropped": 3, "progress": v1.Progress(done=1)},
        {"seq": 6, "segment": SEGMENT},
    )
    job = client.jobs.start_transcribe("demo:x", label="l", language="en")
    assert (job.state, job.started, job.has_ended) == ("running", None, False)
    assert fake.seen("auscult.v1.Job/Start")[0].transcribe.options.language == "en"
    client.jobs.start_trace(np.zeros(4, np.int16), "log_mel", out=tmp_path / "t.npz", reduce="mean")
    trace = fake.seen("auscult.v1.Job/Start")[1].trace
    assert (trace.file, trace.reduction, trace.audio.pcm_s16le) == (str(tmp_path / "t.npz"), 2, bytes(8))
    assert client.jobs.get(job).error == auscult.JobError("DATA_LOSS", "cut off", "data_loss")
    events = list(client.jobs.watch(job, after_seq=0))
    assert [(one.seq, one.dropped) for one in events] == [(1, 0), (5, 3), (6, 0)]
    assert events[0].state.id == "j" and events[1].progress.done == 1 and events[2].segment.text == " hello"
    assert client.jobs.wait("j").text == "t"
    assert [one.id for one in client.jobs.list()] == ["j", "j"]
    client.jobs.cancel("j")
    client.jobs.forget(job)
    assert fake.seen("auscult.v1.Job/Forget")[0].id == "j"
