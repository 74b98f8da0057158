"""Writes Swift values for the messages of a FileDescriptorSet, read and packed through protobuf-c.

    python3 scripts/protos/swift.py DESCRIPTORS.binpb OUTPUT_FOLDER

One file a .proto file. An enum becomes an open set of values that know their names; a oneof with one member becomes an optional property, any other
an enum.
"""
import pathlib
import re
import sys

import descriptors

NAMESPACES = {
    "auscult.v1": "V1", "auscult.host.v1": "HostV1", "ttrpc": "TTRPC", "google.rpc": "GoogleRPC", "google.protobuf": "GoogleProtobuf",
    "grpc.health.v1": "Health", "grpc.reflection.v1": "Reflection",
}
RENAMED = {"Any": "AnyMessage"}
SWIFT_WORDS = {"default", "operator", "in", "is", "as", "self", "init", "import", "case", "repeat", "protocol"}
C_WORDS = {"default", "long", "int", "float", "double", "register", "union", "signed", "static"}

SCALARS = {  # descriptor type: Swift type, zero
    1: ("Double", "0"), 2: ("Float", "0"), 3: ("Int64", "0"), 4: ("UInt64", "0"), 5: ("Int32", "0"),
    8: ("Bool", "false"), 9: ("String", '""'), 12: ("[UInt8]", "[]"), 13: ("UInt32", "0"),
}
STRING, BYTES, BOOL, MESSAGE, ENUM = 9, 12, 8, 11, 14


def camel(name):
    head, *rest = name.lower().split("_")
    return head + "".join(part.capitalize() for part in rest)


def escaped(name):
    return f"`{name}`" if name in SWIFT_WORDS else name


def c_field(name):
    return name.lower() + ("_" if name in C_WORDS else "")


def c_type(full_name):
    """`auscult.v1.JobError` as protobuf-c's `Auscult__V1__JobError`."""
    return "__".join(part[:1].upper() + "".join(
        word[:1].upper() + word[1:] for word in part.split("_"))[1:] for part in full_name.split("."))


def c_function(full_name):
    """`auscult.v1.JobError` as protobuf-c's `auscult__v1__job_error`."""
    out = []
    for part in full_name.split("."):
        lower, was_upper = "", True
        for letter in part:
            if letter.isupper() and not was_upper:
                lower += "_"
            was_upper = letter.isupper()
            lower += letter.lower()
        out.append(lower)
    return "__".join(out)


class Names:
    """Swift's names for all types of a set."""

    def __init__(self, files):
        self.swift = {}
        for file in files:
            space = NAMESPACES[file.package]
            for enum in file.enums:
                self.swift[enum.full_name] = f"{space}.{enum.name}"
            for message in file.messages:
                self.add(message, space)

    def add(self, message, space):
        name = f"{space}.{RENAMED.get(message.name, message.name)}"
        self.swift[message.full_name] = name
        for enum in message.enums:
            self.swift[enum.full_name] = f"{name}.{enum.name}"
        for inner in message.messages:
            self.add(inner, name)


def doc(comment, indent):
    return [f"{indent}/// {line}".rstrip() for line in comment.split("\n")] if comment else []


# What makes Swift's value of C's, and the other way; values of other types are what they are.
FROM_C = {STRING: "Read.text({})", BYTES: "Read.bytes({})", BOOL: "{} != 0"}
TO_C = {STRING: "arena.text({})", BYTES: "arena.bytes({})", BOOL: "{} ? 1 : 0", MESSAGE: "arena.message({})"}


class Writer:
    def __init__(self, names):
        self.names = names

    def element(self, field):
        if field.type in (MESSAGE, ENUM):
            return self.names.swift[field.type_name]
        return SCALARS[field.type][0]

    # MARK: conversions of one value

    def from_c(self, field, value):
        if field.type == ENUM:
            return f"{self.element(field)}(rawValue: Int32(bitPattern: {value}.rawValue))"
        return FROM_C.get(field.type, "{}").format(value)

    def to_c(self, field, value):
        if field.type == ENUM:
            return f"{c_type(field.type_name)}(rawValue: UInt32(bitPattern: {value}.rawValue))"
        return TO_C.get(field.type, "{}").format(value)

    # MARK: declarations

    def enum(self, enum, indent):
        out = doc(enum.comment, indent)
        out += [
            f"{indent}public struct {enum.name}: ProtoEnum {{",
            f"{indent}    public var rawValue: Int32",
            f"{indent}    public init(rawValue: Int32) {{ self.rawValue = rawValue }}"]
        for name, number, comment in enum.values:
            out += doc(comment, indent + "    ")
            out.append(f"{indent}    public static let {escaped(camel(name))} = {enum.name}(rawValue: {number})")
        # What stands for no value is none of the cases.
        cases = [name for name, _, _ in enum.values if not name.endswith("_UNSPECIFIED")]
        out.append(f"{indent}    public static let allCases: [{enum.name}] = [{', '.join('.' + camel(name) for name in cases)}]")
        names = ", ".join(f'"{name.lower()}"' for name in cases)
        out.append(f"{indent}    public static let names = [{names}]")
        return out + [f"{indent}}}"]

    def message(self, message, indent):
        name = RENAMED.get(message.name, message.name)
        ctype = c_type(message.full_name)
        inner = indent + "    "
        members, oneofs = [], []  # (name, type, default, comment)
        for field in message.fields:
            if field.oneof is not None:
                group = [f for f in message.fields if f.oneof == field.oneof]
                if len(group) == 1:
                    members.append((escaped(camel(field.name)), self.element(field) + "?", "nil", field.comment))
                elif field is group[0]:
                    title = message.oneofs[field.oneof]
                    kind = "".join(part.capitalize() for part in title.split("_"))
                    oneofs.append((kind, title, group))
                    members.append((escaped(camel(title)), kind + "?", "nil", ""))
            elif field.repeated:
                members.append((escaped(camel(field.name)), f"[{self.element(field)}]", "[]", field.comment))
            elif field.type == MESSAGE:
                members.append((escaped(camel(field.name)), self.element(field) + "?", "nil", field.comment))
            elif field.type == ENUM:
                members.append((escaped(camel(field.name)), self.element(field),
                                f"{self.element(field)}(rawValue: 0)", field.comment))
            else:
                kind, zero = SCALARS[field.type]
                members.append((escaped(camel(field.name)), kind, zero, field.comment))
        out = doc(message.comment, indent)
        out.append(f"{indent}public struct {name}: ProtoMessage {{")
        for enum in message.enums:
            out += self.enum(enum, inner)
        for nested in message.messages:
            out += self.message(nested, inner)
        for kind, title, group in oneofs:
            out.append(f"{inner}public enum {kind}: Hashable, Sendable {{")
            for field in group:
                out += doc(field.comment, inner + "    ")
                out.append(f"{inner}    case {escaped(camel(field.name))}({self.element(field)})")
            out.append(f"{inner}}}")
        for title, kind, zero, comment in members:
            out += doc(comment, inner)
            out.append(f"{inner}public var {title}: {kind} = {zero}" if not kind.endswith("?")
                       else f"{inner}public var {title}: {kind}")
        out += ["", f'{inner}public static let fullName = "{message.full_name}"']
        out += [f"{inner}public init() {{}}"]
        if members:
            arguments = [f"{title}: {kind} = {zero}" for title, kind, zero, _ in members]
            out.append(f"{inner}public init({', '.join(arguments)}) {{")
            out += [f"{inner}    self.{title.strip('`')} = {title}" for title, *_ in members]
            out.append(f"{inner}}}")
        out += ["", f"{inner}public static func makeC() -> {ctype} {{",
                f"{inner}    var c = {ctype}()",
                f"{inner}    {c_function(message.full_name)}__init(&c)",
                f"{inner}    return c", f"{inner}}}"]
        out += self.reader(message, ctype, inner, oneofs) + self.filler(message, ctype, inner, oneofs)
        return out + [f"{indent}}}"]

    def reader(self, message, ctype, indent, oneofs):
        body = []
        for field in message.fields:
            title, c = escaped(camel(field.name)), c_field(field.name)
            if field.oneof is not None:
                case = f"c.{message.oneofs[field.oneof]}_case.rawValue"
                group = [f for f in message.fields if f.oneof == field.oneof]
                if len(group) == 1:
                    if field.type == MESSAGE:
                        body.append(f"if {case} == {field.number} {{ {title} = Read.message(c.{c}) }}")
                    else:
                        body.append(f"if {case} == {field.number} {{ {title} = {self.from_c(field, 'c.' + c)} }}")
                elif field is group[0]:
                    target = escaped(camel(message.oneofs[field.oneof]))
                    body.append(f"switch {case} {{")
                    for option in group:
                        value = "c." + c_field(option.name)
                        name = escaped(camel(option.name)).strip("`")
                        if option.type == MESSAGE:
                            body.append(f"case {option.number}: {target} = Read.message({value}).map {{ .{name}($0) }}")
                        else:
                            body.append(f"case {option.number}: {target} = .{name}({self.from_c(option, value)})")
                    body += ["default: break", "}"]
            elif field.repeated:
                if field.type == MESSAGE:
                    body.append(f"{title} = Read.messages(c.{c}, c.n_{c})")
                elif field.type in (STRING, BYTES, BOOL, ENUM):
                    body.append(f"{title} = Read.array(c.{c}, c.n_{c}) {{ {self.from_c(field, '$0')} }}")
                else:
                    body.append(f"{title} = Read.array(c.{c}, c.n_{c}) {{ $0 }}")
            elif field.type == MESSAGE:
                body.append(f"{title} = Read.message(c.{c})")
            else:
                body.append(f"{title} = {self.from_c(field, 'c.' + c)}")
        return ["", f"{indent}public init(_ c: {ctype}) {{"] + [f"{indent}    {line}" for line in body] + [f"{indent}}}"]

    def filler(self, message, ctype, indent, oneofs):
        body = []
        for field in message.fields:
            title, c = escaped(camel(field.name)), c_field(field.name)
            if field.oneof is not None:
                case = f"c.{message.oneofs[field.oneof]}_case"
                group = [f for f in message.fields if f.oneof == field.oneof]
                if len(group) == 1:
                    body += [f"if let {title} {{", f"    {case} = .init(rawValue: {field.number})",
                             f"    c.{c} = {self.to_c(field, title)}", "}"]
                elif field is group[0]:
                    body.append(f"switch {escaped(camel(message.oneofs[field.oneof]))} {{")
                    for option in group:
                        body += [f"case .{escaped(camel(option.name)).strip('`')}(let value)?:",
                                 f"    {case} = .init(rawValue: {option.number})",
                                 f"    c.{c_field(option.name)} = {self.to_c(option, 'value')}"]
                    body += ["case nil: break", "}"]
            elif field.repeated:
                body.append(f"c.n_{c} = {title}.count")
                if field.type == MESSAGE:
                    body.append(f"c.{c} = arena.messages({title})")
                elif field.type in (STRING, BYTES, BOOL, ENUM):
                    body.append(f"c.{c} = arena.array({title}) {{ {self.to_c(field, '$0')} }}")
                else:
                    body.append(f"c.{c} = arena.array({title}) {{ $0 }}")
            else:
                body.append(f"c.{c} = {self.to_c(field, title)}")
        if not body:
            return ["", f"{indent}public func fill(_ c: inout {ctype}, _ arena: MessageArena) {{}}"]
        return (["", f"{indent}public func fill(_ c: inout {ctype}, _ arena: MessageArena) {{"]
                + [f"{indent}    {line}" for line in body] + [f"{indent}}}"])

    def service(self, service, indent):
        inner = indent + "    "
        out = doc(service.comment, indent) + [f"{indent}public enum {service.name}RPC {{"]
        out.append(f'{inner}public static let name = "{service.full_name}"')
        for method in service.methods:
            kind = {(False, False): "unary", (False, True): "serverStream", (True, False): "clientStream",
                    (True, True): "bidirectional"}[method.client_streams, method.server_streams]
            request, response = self.names.swift[method.input], self.names.swift[method.output]
            out += doc(method.comment, inner)
            title = escaped(method.name[:1].lower() + method.name[1:])
            out.append(f'{inner}public static let {title} = RPC<{request}, {response}>'
                       f'(name, "{method.name}", .{kind})')
        return out + [f"{indent}}}"]

    def file(self, file):
        out = [f"// Generated by make protos from Protos/{file.name}. Do not edit.", "// swift-format-ignore-file",
               "import CProtos", "", f"extension {NAMESPACES[file.package]} {{"]
        parts = [self.enum(enum, "    ") for enum in file.enums]
        parts += [self.message(message, "    ") for message in file.messages]
        parts += [self.service(service, "    ") for service in file.services]
        for index, part in enumerate(parts):
            out += ([""] if index else []) + part
        return "\n".join(out + ["}", ""])


def main():
    source, target = map(pathlib.Path, sys.argv[1:3])
    files = descriptors.read_set(source.read_bytes())
    writer = Writer(Names(files))
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.swift"):
        old.unlink()
    for file in files:
        name = re.sub(r"(^|[/.])(\w)", lambda m: m[2].upper(), file.name.removesuffix(".proto"))
        (target / f"{name}.swift").write_text(writer.file(file))
    full = [name for file in files for message in file.messages for name in nested(message)]
    (target / "AllMessages.swift").write_text("\n".join(
        ["// Generated by make protos from Protos/. Do not edit.", "// swift-format-ignore-file", "",
         "/// The types of all messages of the contract, by file; for tests that try every one.",
         "public let allMessages: [any ProtoMessage.Type] = ["]
        + [f"    {writer.names.swift[name]}.self," for name in full] + ["]", ""]))


def nested(message):
    return [message.full_name] + [name for inner in message.messages for name in nested(inner)]


if __name__ == "__main__":
    main()
