"""Frames, byte for byte, and what a connection does with those that it did not expect."""

from __future__ import annotations

import gc
import os
import socket
import threading
import time
import weakref
from collections.abc import Iterator

import auscult
import pytest
from auscult import _wire
from auscult._wire import Connection
from fake import DATA, END, HEADER, REQUEST, RESPONSE, Request, frame, read_exactly, read_frame, response

MOST = 4 << 20


@pytest.fixture
def ends() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection and the server's end of it."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(60)
    connection = Connection(ours, "the test", buffer_bytes=100_000)
    yield connection, theirs
    connection.close()
    theirs.close()


@pytest.fixture
def nowhere(monkeypatch) -> None:
    """This process has no working folder that could be named."""
    monkeypatch.setattr(os, "getcwd", lambda: (_ for _ in ()).throw(FileNotFoundError()))


def test_a_request_names_the_folder_of_this_process_at_that_moment(ends, tmp_path, monkeypatch):
    connection, server = ends
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        connection.open("svc/M", b"")
        length = int.from_bytes(read_exactly(server, 10)[:4], "big")
        request = Request.FromString(read_exactly(server, length))
        assert [(one.key, one.value) for one in request.metadata] == [("working-folder", str(tmp_path / name))]


def test_a_unary_request_is_written_byte_for_byte(ends, nowhere):
    connection, server = ends
    connection.open("svc/M", b"")
    assert read_exactly(server, 18) == bytes.fromhex("00000008 00000001 01 00") + b"\x0a\x03svc\x12\x01M"
    connection.open("svc/M", b"\x08\x07")
    expected = bytes.fromhex("0000000c 00000003 01 00") + b"\x0a\x03svc\x12\x01M\x1a\x02\x08\x07"
    assert read_exactly(server, 22) == expected
    connection.open("svc/M", b"", timeout=1)
    # 1,000,000,000 ns as a varint.
    expected = bytes.fromhex("0000000e 00000005 01 00") + b"\x0a\x03svc\x12\x01M" + bytes.fromhex("20 8094ebdc03")
    assert read_exactly(server, 24) == expected


def test_a_server_stream_is_asked_for_with_remote_closed_and_ends_with_an_empty_frame(ends, nowhere):
    connection, server = ends
    call = connection.open("svc/M", b"\x01", streaming=True)
    assert read_exactly(server, 21) == bytes.fromhex("0000000b 00000001 01 01") + b"\x0a\x03svc\x12\x01M\x1a\x01\x01"
    server.sendall(bytes.fromhex("00000002 00000001 03 00 6869") + bytes.fromhex("00000000 00000001 03 00"))
    server.sendall(bytes.fromhex("00000000 00000001 03 05"))
    # An empty frame that does not say no-data is a message of nothing but defaults.
    assert [call.receive(), call.receive(), call.receive()] == [b"hi", b"", None]


def test_a_client_stream_is_opened_without_a_payload_and_closed_with_an_empty_frame(ends, nowhere):
    connection, server = ends
    call = connection.open("svc/M", None)
    assert read_exactly(server, 18) == bytes.fromhex("00000008 00000001 01 02") + b"\x0a\x03svc\x12\x01M"
    call.send(b"abc")
    call.send(b"")
    call.close_send()
    expected = "00000003 00000001 03 00 616263  00000000 00000001 03 00  00000000 00000001 03 05"
    assert read_exactly(server, 33) == bytes.fromhex(expected)
    server.sendall(response(1, b"done"))
    assert call.result() == b"done"


def test_a_request_without_a_payload_still_asks_for_no_timeout(ends):
    connection, server = ends
    connection.open("svc/M", None, timeout=5)
    assert Request.FromString(read_frame(server)[3]).timeout_nano == 0


def test_frames_may_come_one_byte_at_a_time(ends):
    connection, server = ends
    call = connection.open("svc/M", b"", streaming=True)
    for byte in frame(1, DATA, 0, b"first") + frame(1, DATA, 0, b"second") + frame(1, DATA, END):
        server.sendall(bytes([byte]))
    assert [call.receive(), call.receive(), call.receive()] == [b"first", b"second", None]


def test_an_error_has_the_code_the_reason_and_the_daemons_words(ends):
    connection, server = ends
    call = connection.open("svc/M", b"")
    server.sendall(response(1, code=5, message="there is no model tinny; tiny is near", reason="not_found"))
    with pytest.raises(auscult.NotFound) as raised:
        call.result()
    assert raised.value.code == "NOT_FOUND"
    assert raised.value.reason == "not_found"
    assert str(raised.value) == raised.value.message == "there is no model tinny; tiny is near"


@pytest.mark.parametrize("number", range(1, 17))
def test_every_code_of_grpc_has_its_class(ends, number):
    connection, server = ends
    call = connection.open("svc/M", b"")
    server.sendall(response(1, code=number, message="no"))
    with pytest.raises(auscult.AuscultError) as raised:
        call.result()
    assert type(raised.value) is not auscult.AuscultError
    assert type(raised.value).__name__.upper() == raised.value.code.replace("_", "")


def test_a_code_that_grpc_does_not_have_is_unknown_and_named(ends):
    connection, server = ends
    call = connection.open("svc/M", b"")
    server.sendall(response(1, code=99, message="no"))
    with pytest.raises(auscult.Unknown, match="99"):
        call.result()


def test_an_error_in_a_stream_comes_after_the_messages_before_it(ends):
    connection, server = ends
    call = connection.open("svc/M", b"", streaming=True)
    server.sendall(frame(1, DATA, 0, b"one") + response(1, code=15, message="broken"))
    assert call.receive() == b"one"
    with pytest.raises(auscult.DataLoss, match="broken"):
        call.receive()


def test_an_ok_response_ends_a_stream_without_a_message(ends):
    connection, server = ends
    call = connection.open("svc/M", b"", streaming=True)
    server.sendall(frame(1, DATA, 0, b"one") + response(1))
    assert [call.receive(), call.receive()] == [b"one", None]


@pytest.mark.parametrize(
    "spurious",
    [
        frame(77, RESPONSE, 0, b"\xff"),
        frame(2, DATA, 0, b"an even stream"),
        frame(0, DATA, END),
        frame(1, 9, 0, b"a type that there is not"),
        frame(1, REQUEST, 0, b"a request from a server"),
    ],
)
def test_frames_that_belong_to_no_call_are_ignored(ends, spurious):
    connection, server = ends
    call = connection.open("svc/M", b"")
    server.sendall(spurious + response(1, b"yes") + spurious)
    assert call.result() == b"yes"
    again = connection.open("svc/M", b"")
    server.sendall(response(3, b"again"))
    assert again.result() == b"again"


def test_an_oversize_answer_fails_its_call_and_no_other(ends):
    connection, server = ends
    large, small = connection.open("svc/Large", b""), connection.open("svc/Small", b"")
    server.sendall(HEADER.pack(MOST + 1, 1, RESPONSE, 0) + bytes(MOST + 1) + response(3, b"small"))
    assert small.result() == b"small"
    with pytest.raises(auscult.ResourceExhausted, match=str(MOST + 1)):
        large.result()


def test_a_message_of_four_mebibytes_is_taken(ends):
    connection, server = ends
    call = connection.open("svc/M", b"", streaming=True)
    sender = threading.Thread(target=server.sendall, args=(frame(1, DATA, 0, bytes(MOST)) + frame(1, DATA, END),))
    sender.start()
    assert len(call.receive() or b"") == MOST
    assert call.receive() is None
    sender.join()


def test_a_request_that_is_too_large_is_refused_before_it_is_sent(ends):
    connection, server = ends
    with pytest.raises(auscult.InvalidArgument, match="is the most"):
        connection.open("svc/M", bytes(MOST))
    call = connection.open("svc/M", b"")
    assert read_frame(server)[0] == 1
    server.sendall(response(1, b"fine"))
    assert call.result() == b"fine"


@pytest.mark.parametrize("part", [b"", b"\x00\x00", HEADER.pack(10, 1, DATA, 0) + b"half"])
def test_a_lost_connection_fails_every_open_call_by_name(ends, part):
    connection, server = ends
    stream, unary = connection.open("svc/Stream", b"", streaming=True), connection.open("svc/Unary", b"")
    # What was not read would make the peer's close a reset.
    read_frame(server), read_frame(server)
    server.sendall(frame(1, DATA, 0, b"came") + part)
    server.close()
    assert stream.receive() == b"came"
    with pytest.raises(auscult.Unavailable, match="the test was lost.*svc/Stream"):
        stream.receive()
    with pytest.raises(auscult.Unavailable, match="svc/Unary"):
        unary.result()
    assert connection.lost
    with pytest.raises(auscult.Unavailable):
        connection.unary("svc/M", b"")


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a\x50"])
def test_a_response_that_cannot_be_read_is_an_error(ends, data):
    connection, server = ends
    call = connection.open("svc/M", b"")
    server.sendall(frame(1, RESPONSE, 0, data))
    with pytest.raises(auscult.Internal, match="cannot be read"):
        call.result()


def test_a_stream_in_answer_to_a_unary_call_is_an_error(ends):
    connection, server = ends
    call = connection.open("svc/M", b"")
    server.sendall(frame(1, DATA, 0, b"x"))
    with pytest.raises(auscult.Internal, match="expected one message"):
        call.result()


def test_a_call_past_its_deadline_fails_and_its_late_answer_is_dropped(ends, monkeypatch):
    monkeypatch.setattr(_wire, "GRACE", 0.0)
    connection, server = ends
    with pytest.raises(auscult.DeadlineExceeded, match="svc/M"):
        connection.unary("svc/M", b"", timeout=0.01)
    call = connection.open("svc/M", b"")
    server.sendall(response(1, b"late") + response(3, b"in time"))
    assert call.result() == b"in time"


def test_calls_of_many_threads_get_their_own_answers_and_ids_rise(ends):
    connection, server = ends
    count = 200
    ids: list[int] = []

    def serve() -> None:
        waiting = []
        for _ in range(count):
            stream, _, _, data = read_frame(server)
            ids.append(stream)
            waiting.append(response(stream, Request.FromString(data).payload))
            # Answered out of order, in pairs.
            if len(waiting) == 2:
                server.sendall(waiting.pop() + waiting.pop())

    def ask(first: int) -> None:
        # Two at a time, so that the server always finds its pair.
        for number in range(first, first + count // 4, 2):
            payloads = [str(number).encode(), str(number + 1).encode()]
            calls = [connection.open("svc/M", payload) for payload in payloads]
            wrong.extend(one for call, one in zip(calls, payloads) if call.result() != one)

    wrong: list[bytes] = []
    threads = [threading.Thread(target=serve)]
    threads += [threading.Thread(target=ask, args=(first * 1000,)) for first in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert ids == list(range(1, 2 * count, 2))


def test_what_waits_for_a_slow_reader_is_bounded_and_nothing_is_lost(ends):
    connection, server = ends
    call = connection.open("svc/M", b"", streaming=True)
    messages = [bytes([number]) * 50_000 for number in range(100)]

    def serve() -> None:
        for message in messages:
            server.sendall(frame(1, DATA, 0, message))
        server.sendall(frame(1, DATA, END))

    sender = threading.Thread(target=serve)
    sender.start()
    most, found = 0, []
    while (message := call.receive()) is not None:
        most = max(most, call._queued)
        found.append(message)
        # Gives the reader the processor, so that the queue fills.
        time.sleep(0)
    sender.join()
    assert found == messages
    # The bound, and the message that passed it.
    assert most <= 100_000 + 50_000


def test_a_connection_lost_after_a_slow_reader_says_so(ends, monkeypatch):
    monkeypatch.setattr(_wire, "_NOTABLE_PAUSE", 0.0)
    connection, server = ends
    call = connection.open("svc/M", b"", streaming=True)
    read_frame(server)
    for _ in range(4):
        server.sendall(frame(1, DATA, 0, bytes(40_000)))
    server.close()
    with pytest.raises(auscult.Unavailable, match="take them faster.*svc/M"):
        while call.receive() is not None:
            pass


def test_an_abandoned_call_no_longer_holds_up_the_others(ends):
    connection, server = ends
    stream, unary = connection.open("svc/Stream", b"", streaming=True), connection.open("svc/Unary", b"")

    def serve() -> None:
        for _ in range(40):
            server.sendall(frame(1, DATA, 0, bytes(100_000)))
        server.sendall(response(3, b"answer"))

    sender = threading.Thread(target=serve)
    sender.start()
    stream.receive()
    stream.abandon()
    assert stream.receive() is None
    assert unary.result() == b"answer"
    sender.join()


def test_a_connection_that_nobody_holds_is_closed(ends):
    ours, theirs = socket.socketpair()
    theirs.settimeout(60)
    connection = Connection(ours, "the test")
    reference = weakref.ref(connection)
    del connection
    gc.collect()
    assert reference() is None
    assert theirs.recv(1) == b""
    theirs.close()


def test_closing_a_connection_ends_its_calls(ends):
    connection, server = ends
    call = connection.open("svc/M", b"")
    read_frame(server)
    connection.close()
    with pytest.raises(auscult.Cancelled, match="closed by this client"):
        call.result()
    assert server.recv(1) == b""
    with pytest.raises(auscult.Unavailable, match="closed by this client"):
        connection.unary("svc/M", b"")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_does_not_use_or_end_its_parents_connection(ends):
    connection, server = ends
    call = connection.open("svc/M", b"")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            call.result()
        except auscult.Unavailable:
            try:
                connection.unary("svc/M", b"")
            except auscult.Unavailable:
                connection.close()
                status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    server.sendall(response(1, b"the parent's"))
    assert call.result() == b"the parent's"
