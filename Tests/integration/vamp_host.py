"""A host of Vamp plugins that does what a test says: any blocks, channels, rates and parameters. By ctypes, after vamp.h of
version 2."""

import ctypes as c
import os
import tempfile
from contextlib import contextmanager

Text, Float, Int, Unsigned, Handle = c.c_char_p, c.c_float, c.c_int, c.c_uint, c.c_void_p


class Parameter(c.Structure):
    _fields_ = [("identifier", Text), ("name", Text), ("description", Text), ("unit", Text), ("least", Float), ("most", Float),
                ("default", Float), ("is_quantized", Int), ("step", Float), ("names", c.POINTER(Text))]  # fmt: skip


class Output(c.Structure):
    _fields_ = [("identifier", Text), ("name", Text), ("description", Text), ("unit", Text), ("is_fixed", Int), ("bins", Unsigned),
                ("bin_names", c.POINTER(Text)), ("has_extents", Int), ("least", Float), ("most", Float), ("is_quantized", Int),
                ("step", Float), ("type", Int), ("rate", Float), ("has_duration", Int)]  # fmt: skip


class First(c.Structure):
    _fields_ = [("has_time", Int), ("sec", Int), ("nsec", Int), ("count", Unsigned), ("values", c.POINTER(Float)), ("label", Text)]


class Second(c.Structure):
    _fields_ = [("has_duration", Int), ("sec", Int), ("nsec", Int)]


class Feature(c.Union):
    _fields_ = [("v1", First), ("v2", Second)]


class Features(c.Structure):
    _fields_ = [("count", Unsigned), ("features", c.POINTER(Feature))]


class Descriptor(c.Structure):
    pass


Blocks = c.POINTER(c.POINTER(Float))
Descriptor._fields_ = [
    ("version", Unsigned), ("identifier", Text), ("name", Text), ("description", Text), ("maker", Text), ("plugin_version", Int),
    ("copyright", Text), ("parameter_count", Unsigned), ("parameters", c.POINTER(c.POINTER(Parameter))), ("program_count", Unsigned),
    ("programs", c.POINTER(Text)), ("domain", Int),
    ("instantiate", c.CFUNCTYPE(Handle, c.POINTER(Descriptor), Float)), ("cleanup", c.CFUNCTYPE(None, Handle)),
    ("initialise", c.CFUNCTYPE(Int, Handle, Unsigned, Unsigned, Unsigned)), ("reset", c.CFUNCTYPE(None, Handle)),
    ("get_parameter", c.CFUNCTYPE(Float, Handle, Int)), ("set_parameter", c.CFUNCTYPE(None, Handle, Int, Float)),
    ("get_program", c.CFUNCTYPE(Unsigned, Handle)), ("set_program", c.CFUNCTYPE(None, Handle, Unsigned)),
    ("preferred_step", c.CFUNCTYPE(Unsigned, Handle)), ("preferred_block", c.CFUNCTYPE(Unsigned, Handle)),
    ("fewest_channels", c.CFUNCTYPE(Unsigned, Handle)), ("most_channels", c.CFUNCTYPE(Unsigned, Handle)),
    ("output_count", c.CFUNCTYPE(Unsigned, Handle)), ("output", c.CFUNCTYPE(c.POINTER(Output), Handle, Unsigned)),
    ("release_output", c.CFUNCTYPE(None, c.POINTER(Output))),
    ("process", c.CFUNCTYPE(c.POINTER(Features), Handle, Blocks, Int, Int)),
    ("remaining", c.CFUNCTYPE(c.POINTER(Features), Handle)), ("release", c.CFUNCTYPE(None, c.POINTER(Features))),
]  # fmt: skip


class Said:
    """What the library printed on standard error."""

    text = ""


@contextmanager
def listening():
    said = Said()
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            said.text = file.read().decode()


class Plugin:
    """One instance. Features are `(start, duration or None, values, label)`, a list for each output, by its identifier."""

    def __init__(self, path, identifier, rate, **parameters):
        find = c.CDLL(path).vampGetPluginDescriptor
        find.restype = c.POINTER(Descriptor)
        index = 0
        while (found := find(2, index)) and found.contents.identifier.decode() != identifier:
            index += 1
        assert found, f"no plugin {identifier}"
        assert not find(1, 0), "a host of version 1 is given nothing"
        self.way, self.rate = found.contents, rate
        self.handle = self.way.instantiate(found, rate)
        self.parameters = [self.way.parameters[i].contents for i in range(self.way.parameter_count)]
        names = [one.identifier.decode() for one in self.parameters]
        for name, value in parameters.items():
            self.way.set_parameter(self.handle, names.index(name), value)
            assert self.way.get_parameter(self.handle, names.index(name)) == value, (name, value)

    def start(self, channels=1, step=256, block=256):
        self.channels, self.step, self.block = channels, step, block
        return bool(self.way.initialise(self.handle, channels, step, block))

    def play(self, samples, at=0):
        """`samples` is a list, or one a channel; the last block is filled up with zeros. `at` is the first one's time, in nanoseconds."""
        parts = samples if samples and isinstance(samples[0], list) else [samples] * self.channels
        for place in range(0, max(len(parts[0]) - (self.block - self.step), 0), self.step):
            blocks = [(Float * self.block)(*part[place : place + self.block]) for part in parts]
            pointers = (c.POINTER(Float) * self.channels)(*(c.cast(one, c.POINTER(Float)) for one in blocks))
            seconds, rest = divmod(at + place * 10**9 // self.rate, 10**9)
            assert not any(self.taken(self.way.process(self.handle, pointers, seconds, rest)).values())

    def finish(self):
        return self.taken(self.way.remaining(self.handle))

    def taken(self, lists):
        found = {}
        for number in range(self.way.output_count(self.handle)):
            output = self.way.output(self.handle, number)
            one, name = lists[number], output.contents.identifier.decode()
            self.way.release_output(output)
            found[name] = []
            for i in range(one.count):
                v1, v2 = one.features[i].v1, one.features[one.count + i].v2
                values = [v1.values[j] for j in range(v1.count)]
                duration = v2.sec + v2.nsec / 1e9 if v2.has_duration else None
                found[name].append((v1.sec + v1.nsec / 1e9, duration, values, (v1.label or b"").decode()))
        self.way.release(lists)
        return found

    def close(self):
        self.way.cleanup(self.handle)
