"""Tensors as they arrive: in chunks, or in memory that the daemon shares."""

from __future__ import annotations

import fcntl
import mmap
import os
import socket
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._socket import dial
from .errors import AuscultError, DataLoss, Internal, ResourceExhausted, Unavailable

# By DType's numbers. NumPy has no bfloat16: it is read as 16-bit words and widened to float32.
_DTYPES = {1: "<f4", 2: "<f2", 3: "<u2", 4: "<f8", 5: "<i4", 6: "<i8", 7: "u1"}
_BF16 = 3
# By the numbers and safetensors' names.
DTYPE_NAMES = {1: "F32", 2: "F16", 3: "BF16", 4: "F64", 5: "I32", 6: "I64", 7: "U8"}
# Seconds that the daemon may take to hand shared memory over.
_HANDOVER_TIMEOUT = 10.0


def element_type(dtype: int, name: str) -> np.dtype[Any]:
    """NumPy's type of a DType's elements in memory."""
    if dtype not in _DTYPES:
        raise DataLoss(f"the tensor {name} has elements of type {dtype}, which this client does not know")
    return np.dtype(_DTYPES[dtype])


def check_size(header: Any) -> None:
    """Raises `DataLoss` where a header's shape and number of bytes do not agree."""
    _check_size(header.name, header.shape, header.dtype, header.byte_count)


def _check_size(name: str, shape: Any, dtype: int, count: int) -> None:
    expected = prod(shape) * element_type(dtype, name).itemsize
    if expected != count:
        raise DataLoss(f"the tensor {name} of shape {list(shape)} takes {expected} bytes; there are {count}")


def array(header: Any, data: Any, offset: int = 0) -> NDArray[Any]:
    """The array over a buffer, without a copy and read-only; bfloat16 is copied to float32."""
    check_size(header)
    return _array(header.name, tuple(header.shape), header.dtype, data, offset)


def by_value(tensor: Any) -> NDArray[Any]:
    """The array of a Tensor message."""
    _check_size("of a result", tensor.shape, tensor.dtype, len(tensor.data))
    return _array("of a result", tuple(tensor.shape), tensor.dtype, tensor.data, 0)


def _array(name: str, shape: tuple[int, ...], number: int, data: Any, offset: int) -> NDArray[Any]:
    dtype = element_type(number, name)
    count = prod(shape)
    # frombuffer refuses a count of zero where the buffer ends.
    flat = np.frombuffer(data, dtype, count, offset) if count else np.zeros(0, dtype)
    if number == _BF16:
        flat = (flat.astype(np.uint32) << 16).view(np.float32)
    view = flat.reshape(shape)
    view.flags.writeable = False
    return view


class Assembly:
    """A tensor that comes in chunks."""

    def __init__(self, header: Any) -> None:
        check_size(header)
        self.header = header
        try:
            self._data = bytearray(header.byte_count)
        except (MemoryError, OverflowError):
            message = f"the tensor {header.name} of {header.byte_count} bytes does not fit into memory here"
            raise ResourceExhausted(message) from None
        self._filled = 0

    @property
    def complete(self) -> bool:
        return self._filled == len(self._data)

    def add(self, chunk: Any) -> None:
        """Takes the next chunk; raises `DataLoss` where it does not follow the one before."""
        end = chunk.offset + len(chunk.data)
        if chunk.offset != self._filled or end > len(self._data) or not chunk.data:
            raise DataLoss(
                f"the tensor {self.header.name}: bytes {chunk.offset} to {end} came; expected what follows byte "
                f"{self._filled} of {len(self._data)}"
            )
        self._data[chunk.offset : end] = chunk.data
        self._filled = end

    def array(self) -> NDArray[Any]:
        return array(self.header, self._data)


def map_shared(memory: Any) -> list[tuple[Any, NDArray[Any]]]:
    """The tensors of a SharedMemory, each with its header. The arrays are read-only and keep the memory mapped.

    Raises:
        Unavailable: The memory cannot be had: its token was used, or is older than 30 seconds.
        DataLoss: It is smaller than was announced.
        Internal: It is not sealed, so that it could be cut off under the arrays.
    """
    mapping = _map(memory)
    tensors = []
    for one in memory.tensors:
        if one.offset + one.header.byte_count > memory.size:
            raise DataLoss(
                f"the tensor {one.header.name} ends at byte {one.offset + one.header.byte_count} of shared memory, "
                f"which has {memory.size}"
            )
        tensors.append((one.header, array(one.header, mapping, one.offset)))
    return tensors


def _map(memory: Any) -> mmap.mmap | bytes:
    descriptor = _receive_descriptor(memory.socket, memory.token)
    try:
        size = os.fstat(descriptor).st_size
        if size < memory.size:
            raise DataLoss(f"shared memory has {size} bytes, and {memory.size} were announced")
        if not memory.size:
            return b""
        _check_sealed(descriptor)
        # Private, because Linux before 6.7 refuses a shared mapping of memory that is sealed against writing.
        return mmap.mmap(descriptor, memory.size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    except (OSError, ValueError, OverflowError) as fault:
        if isinstance(fault, AuscultError):
            raise
        raise Unavailable(f"shared memory of {memory.size} bytes cannot be mapped: {fault}") from fault
    finally:
        os.close(descriptor)


def _receive_descriptor(path: str, token: bytes) -> int:
    with dial(path) as sock:
        sock.settimeout(_HANDOVER_TIMEOUT)
        try:
            sock.sendall(token)
            _, descriptors, _, _ = socket.recv_fds(sock, 1, 1, getattr(socket, "MSG_CMSG_CLOEXEC", 0))
        except OSError as fault:
            raise Unavailable(f"shared memory was not handed over at {path}: {fault}") from fault
    if not descriptors:
        raise Unavailable(
            f"shared memory was not handed over at {path}: its token was used before, or is older than 30 seconds"
        )
    return descriptors[0]


def _check_sealed(descriptor: int) -> None:
    if not hasattr(fcntl, "F_GET_SEALS"):
        return
    if not fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK:
        raise Internal("shared memory is not sealed against shrinking")
