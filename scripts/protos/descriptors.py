"""Reads a protobuf FileDescriptorSet with nothing but Python: only what the generator needs of it."""
from dataclasses import dataclass, field


def fields(data):
    """(field number, value) pairs of a message; a value is an int or bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while at < len(data):
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == 0:
            yield number, varint()
        elif kind == 2:
            size = varint()
            yield number, data[at:at + size]
            at += size
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind} in a descriptor")


@dataclass
class Field:
    name: str = ""
    number: int = 0
    repeated: bool = False
    type: int = 0
    type_name: str = ""
    oneof: int | None = None
    comment: str = ""


@dataclass
class Enum:
    name: str = ""
    full_name: str = ""
    values: list = field(default_factory=list)  # (name, number, comment)
    comment: str = ""


@dataclass
class Message:
    name: str = ""
    full_name: str = ""
    fields: list = field(default_factory=list)
    oneofs: list = field(default_factory=list)
    messages: list = field(default_factory=list)
    enums: list = field(default_factory=list)
    comment: str = ""


@dataclass
class Method:
    name: str = ""
    input: str = ""
    output: str = ""
    client_streams: bool = False
    server_streams: bool = False
    comment: str = ""


@dataclass
class Service:
    name: str = ""
    full_name: str = ""
    methods: list = field(default_factory=list)
    comment: str = ""


@dataclass
class File:
    name: str = ""
    package: str = ""
    messages: list = field(default_factory=list)
    enums: list = field(default_factory=list)
    services: list = field(default_factory=list)


def packed_or_not(value):
    """The numbers of a path, which may be packed."""
    if isinstance(value, int):
        return [value]
    out, at = [], 0
    while at < len(value):
        number = shift = 0
        while True:
            byte = value[at]
            at += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        out.append(number)
    return out


def comments(data):
    """Comments by the path of what they are about."""
    found = {}
    for number, location in fields(data):
        if number != 1:
            continue
        path, text = [], ""
        for part, value in fields(location):
            if part == 1:
                path += packed_or_not(value)
            elif part == 3 or part == 4 and not text:
                text = value.decode()
        if text:
            found[tuple(path)] = "\n".join(line.strip() for line in text.strip("\n").split("\n")).strip()
    return found


def read_field(data, notes, path):
    out = Field(comment=notes.get(path, ""))
    for number, value in fields(data):
        if number == 1:
            out.name = value.decode()
        elif number == 3:
            out.number = value
        elif number == 4:
            out.repeated = value == 3
        elif number == 5:
            out.type = value
        elif number == 6:
            out.type_name = value.decode().lstrip(".")
        elif number == 9:
            out.oneof = value
    return out


def read_enum(data, scope, notes, path):
    out = Enum(comment=notes.get(path, ""))
    index = 0
    for number, value in fields(data):
        if number == 1:
            out.name = value.decode()
        elif number == 2:
            name, code = "", 0
            for part, inner in fields(value):
                if part == 1:
                    name = inner.decode()
                elif part == 2:
                    code = inner
            out.values.append((name, code, notes.get(path + (2, index), "")))
            index += 1
    out.full_name = f"{scope}.{out.name}"
    return out


def read_message(data, scope, notes, path):
    out = Message(comment=notes.get(path, ""))
    parts = list(fields(data))
    out.name = next(value.decode() for number, value in parts if number == 1)
    out.full_name = f"{scope}.{out.name}"
    seen = {2: 0, 3: 0, 4: 0}
    for number, value in parts:
        place = path + (number, seen.get(number, 0))
        if number == 2:
            out.fields.append(read_field(value, notes, place))
        elif number == 3:
            out.messages.append(read_message(value, out.full_name, notes, place))
        elif number == 4:
            out.enums.append(read_enum(value, out.full_name, notes, place))
        elif number == 8:
            out.oneofs.append(next(inner.decode() for part, inner in fields(value) if part == 1))
        if number in seen:
            seen[number] += 1
    return out


def read_service(data, scope, notes, path):
    out = Service(comment=notes.get(path, ""))
    index = 0
    for number, value in fields(data):
        if number == 1:
            out.name = value.decode()
        elif number == 2:
            method = Method(comment=notes.get(path + (2, index), ""))
            for part, inner in fields(value):
                if part == 1:
                    method.name = inner.decode()
                elif part == 2:
                    method.input = inner.decode().lstrip(".")
                elif part == 3:
                    method.output = inner.decode().lstrip(".")
                elif part == 5:
                    method.client_streams = bool(inner)
                elif part == 6:
                    method.server_streams = bool(inner)
            out.methods.append(method)
            index += 1
    out.full_name = f"{scope}.{out.name}"
    return out


def read_file(data):
    out = File()
    parts = list(fields(data))
    notes = {}
    for number, value in parts:
        if number == 1:
            out.name = value.decode()
        elif number == 2:
            out.package = value.decode()
        elif number == 9:
            notes = comments(value)
    seen = {4: 0, 5: 0, 6: 0}
    for number, value in parts:
        if number not in seen:
            continue
        path = (number, seen[number])
        seen[number] += 1
        if number == 4:
            out.messages.append(read_message(value, out.package, notes, path))
        elif number == 5:
            out.enums.append(read_enum(value, out.package, notes, path))
        else:
            out.services.append(read_service(value, out.package, notes, path))
    return out


def read_set(data):
    return [read_file(value) for number, value in fields(data) if number == 1]
