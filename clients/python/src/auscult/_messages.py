"""The contract's messages, made at import from ``descriptors.binpb`` in a pool of their own.

A private pool, because protobuf's default pool holds one definition of a file name: ``google/rpc/status.proto`` would
clash with googleapis-common-protos in the same process.
"""

from __future__ import annotations

from importlib import resources
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from .errors import InvalidArgument

_SET = descriptor_pb2.FileDescriptorSet.FromString(
    resources.files(__package__).joinpath("descriptors.binpb").read_bytes()
)
_POOL: Any = descriptor_pool.DescriptorPool()
for _file in _SET.file:
    _POOL.AddSerializedFile(_file.SerializeToString())
# protobuf before 4.22 makes classes through a factory.
_FACTORY: Any = None if hasattr(message_factory, "GetMessageClass") else message_factory.MessageFactory(_POOL)


def message(name: str) -> Any:
    """The class of the message with this full name; raises KeyError where the contract has none."""
    descriptor = _POOL.FindMessageTypeByName(name)
    return message_factory.GetMessageClass(descriptor) if _FACTORY is None else _FACTORY.GetPrototype(descriptor)


class _Package:
    """``v1.ModelRef`` is the class of auscult.v1.ModelRef."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        try:
            found = message(f"{self._name}.{name}")
        except KeyError:
            raise AttributeError(f"the package {self._name} has no message {name}") from None
        setattr(self, name, found)
        return found


v1 = _Package("auscult.v1")
Request = message("ttrpc.Request")
Response = message("ttrpc.Response")


class Method(NamedTuple):
    """A method of the contract."""

    # "auscult.v1.Model/List"
    name: str
    request: Any
    answer: Any
    client_streaming: bool
    server_streaming: bool


METHODS: dict[str, Method] = {
    f"{file.package}.{service.name}/{method.name}": Method(
        f"{file.package}.{service.name}/{method.name}",
        message(method.input_type.lstrip(".")),
        message(method.output_type.lstrip(".")),
        method.client_streaming,
        method.server_streaming,
    )
    for file in _SET.file
    for service in file.service
    for method in service.method
}


def enum_number(enum: str, word: str) -> int:
    """The number of a value by its name in lower case: ``enum_number("Frames", "valid")``."""
    values = _POOL.FindEnumTypeByName(f"auscult.v1.{enum}").values_by_name
    value = values.get(word.upper()) if isinstance(word, str) else None
    if value is None:
        expected = ", ".join(repr(name.lower()) for name in values)
        raise InvalidArgument(f"expected one of {expected}, not {word!r}", "invalid_argument")
    return int(value.number)


def enum_word(enum: str, number: int) -> Any:
    """The name of a value in lower case; ``"unknown_9"`` for a number that this version does not know."""
    value = _POOL.FindEnumTypeByName(f"auscult.v1.{enum}").values_by_number.get(number)
    return f"unknown_{number}" if value is None else value.name.lower()


def present(holder: Any, field: str) -> Any:
    """The field's value, or None where it is absent."""
    return getattr(holder, field) if holder.HasField(field) else None
