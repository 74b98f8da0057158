#!/usr/bin/env python3
"""Writes the golden bytes that the tests of Reflection expect, with protoc (made with 3.21.12).

    Tests/Fixtures/reflection/generate.py

descriptors.pb   every file of Protos, kinds.proto and legacy.proto, with comments (protoc --descriptor_set_out)
cases.json       for messages in protobuf's text format: the bytes that `protoc --encode` makes of them, in hexadecimal,
                 and the JSON of the same values, written by hand for the messages of kinds.proto
contract.json    for every message of Protos: the bytes of a value in each of its fields (one value for each member of a
                 oneof), made from the descriptors, with `protoc --encode`
"""

import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
PROTOS = HERE.parents[2] / "Protos"
FILES = sorted(str(p.relative_to(PROTOS)) for p in PROTOS.rglob("*.proto"))
INCLUDES = [f"-I{PROTOS}", f"-I{HERE}"]
ALL = FILES + ["kinds.proto", "legacy.proto"]

CASES = [
    ("kinds.v1.Scalars", "", {}),
    (
        "kinds.v1.Scalars",
        'double: 1.5 float: 0.1 int64: -9223372036854775808 uint64: 18446744073709551615 int32: -1 '
        'fixed64: 18446744073709551615 fixed32: 4294967295 bool: true string: "h\\303\\266r \\360\\237\\216\\247" '
        'bytes: "\\000\\377\\376>?" uint32: 4294967295 colour: BLUE sfixed32: -2147483648 '
        'sfixed64: -9223372036854775808 sint32: -2147483648 sint64: -9223372036854775808',
        {
            "double": 1.5, "float": 0.1, "int64": "-9223372036854775808", "uint64": "18446744073709551615",
            "int32": -1, "fixed64": "18446744073709551615", "fixed32": 4294967295, "bool": True,
            "string": "h\u00f6r \U0001f3a7", "bytes": "AP/+Pj8=", "uint32": 4294967295, "colour": "BLUE",
            "sfixed32": -2147483648, "sfixed64": "-9223372036854775808", "sint32": -2147483648,
            "sint64": "-9223372036854775808",
        },
    ),
    ("kinds.v1.Scalars", "double: nan float: -inf", {"double": "NaN", "float": "-Infinity"}),
    ("kinds.v1.Scalars", "double: -0.0 float: inf colour: 7", {"double": -0.0, "float": "Infinity", "colour": 7}),
    (
        "kinds.v1.Lists",
        'doubles: [1, -2.5, inf] sints: [0, -1, 1] unpacked: [3, 270] strings: ["a", "", "b"] colours: [RED, 9, BLUE] '
        "bools: [true, false] fixed: [1, 2]",
        {
            "doubles": [1.0, -2.5, "Infinity"], "sints": ["0", "-1", "1"], "unpacked": [3, 270],
            "strings": ["a", "", "b"], "colours": ["RED", 9, "BLUE"], "bools": [True, False], "fixed": [1, 2],
        },
    ),
    (
        "kinds.v1.Maps",
        'by_name { key: "a" value { int32: 1 } } by_number { key: -5 value: "x" } by_flag { key: true value: RED } '
        'by_id { key: 18446744073709551615 value: "\\001" }',
        {
            "byName": {"a": {"int32": 1}}, "byNumber": {"-5": "x"}, "byFlag": {"true": "RED"},
            "byId": {"18446744073709551615": "AQ=="},
        },
    ),
    ("kinds.v1.Choices", "maybe: 0 number: 0 colour: COLOUR_UNSPECIFIED",
     {"maybe": 0, "number": 0, "colour": "COLOUR_UNSPECIFIED"}),
    ("kinds.v1.Choices", 'scalars { } name: ""', {"scalars": {}, "name": ""}),
    (
        "kinds.v1.Tree",
        'label: "root" children { label: "twig" children { leaf { shape: POINTED } } } children { } leaf { } '
        'extra { [type.googleapis.com/auscult.v1.Span] { start: 1 end: 0 } }',
        {
            "label": "root",
            "children": [{"label": "twig", "children": [{"leaf": {"shape": "POINTED"}}]}, {}],
            "leaf": {},
            "extra": {"@type": "type.googleapis.com/auscult.v1.Span", "start": 1.0, "end": 0.0},
        },
    ),
    (
        "kinds.v1.Tree",
        'extra { type_url: "example.org/unknown.Type" value: "\\010\\001" }',
        {"extra": {"@type": "example.org/unknown.Type", "value": "CAE="}},
    ),
]


def protoc(*arguments, data=b""):
    return subprocess.run(["protoc", *INCLUDES, *arguments], input=data, stdout=subprocess.PIPE, check=True).stdout


def encode(message, text):
    return protoc(f"--encode={message}", *ALL, data=text.encode()).hex()


def fields(data):
    """The fields of a message in wire format, as (number, value)."""
    position = 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while position < len(data):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
        else:
            assert tag & 7 == 2, tag
            length = varint()
            position += length
            yield tag >> 3, data[position - length : position]


def first(data, number, otherwise=None):
    return next((value for n, value in fields(data) if n == number), otherwise)


def declared(descriptors):
    """Every message (name: its fields) and every enum (name: a value's name) of a descriptor set."""
    messages, enums = {}, {}

    def message(data, scope):
        name = scope + "." + first(data, 1).decode()
        messages[name] = [
            {
                "name": first(f, 1).decode(), "number": first(f, 3), "label": first(f, 4), "type": first(f, 5),
                "typeName": first(f, 6, b"").decode()[1:], "oneof": first(f, 9),
            }
            for n, f in fields(data) if n == 2
        ]
        for n, part in fields(data):
            if n == 3:
                message(part, name)
            if n == 4:
                enum(part, name)

    def enum(data, scope):
        names = [first(value, 1).decode() for n, value in fields(data) if n == 2]
        enums[scope + "." + first(data, 1).decode()] = names[-1]

    for _, file in fields(descriptors):
        package = first(file, 2).decode()
        for n, part in fields(file):
            if n == 4:
                message(part, package)
            if n == 5:
                enum(part, package)
    return messages, enums


def text(name, messages, enums, depth=0, choice=0):
    """A value in every field of the message, in text format; of a oneof, the member that `choice` picks."""
    out, members = [], {}
    for field in messages[name]:
        if field["oneof"] is not None:
            members.setdefault(field["oneof"], []).append(field["number"])
    for index, field in enumerate(messages[name]):
        oneof = members.get(field["oneof"])
        if oneof and oneof[choice % len(oneof)] != field["number"]:
            continue
        for copy in range(2 if field["label"] == 3 else 1):
            seed = 10 * (index + 1) + copy + depth
            if field["type"] == 11:
                if depth == 5:
                    continue
                value = "{ " + text(field["typeName"], messages, enums, depth + 1, choice) + " }"
            elif field["type"] == 14:
                value = enums[field["typeName"]]
            elif field["type"] in (1, 2):
                value = f"{seed}.25"
            elif field["type"] == 8:
                value = "true"
            elif field["type"] == 9:
                value = f'"{field["name"]} {seed}"'
            elif field["type"] == 12:
                value = f'"\\{seed % 256:03o}\\000\\377"'
            else:
                value = str(seed)
            out.append(f"{field['name']}: {value}")
    return " ".join(out)


def main():
    out = HERE / "descriptors.pb"
    protoc(f"--descriptor_set_out={out}", "--include_imports", "--include_source_info", *ALL)
    messages, enums = declared(out.read_bytes())
    cases = [{"message": name, "hex": encode(name, value), "json": like} for name, value, like in CASES]
    (HERE / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    contract = []
    for name in sorted(messages):
        if name.startswith(("kinds.", "legacy.")) or name == "google.protobuf.Any":
            continue
        widest = 0
        for field in messages[name]:
            if field["oneof"] is not None:
                widest = max(widest, sum(f["oneof"] == field["oneof"] for f in messages[name]))
        for choice in range(max(1, widest)):
            # google.rpc.Status.details would name types that are none.
            value = text(name, {**messages, "google.protobuf.Any": []}, enums, choice=choice)
            contract.append({"message": name, "hex": encode(name, value)})
    (HERE / "contract.json").write_text(json.dumps(contract, indent=1) + "\n")


if __name__ == "__main__":
    main()
