import Foundation
import Kernels
import TensorFiles
import TestSupport
import Testing
import Whisper

private let fixtures = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/checkpoints").path

/// The error that a `.pt` with this pickle gives.
private func refusal(_ pickle: [UInt8]) -> Refusal? {
    Refusal.of { try load(TinyFiles().openAI(pickle: pickle), "tiny.pt") }
}

private func raw(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

@Suite struct CheckpointPickleTests {
    @Test("a pickle that would run a command is refused by the command's name, and nothing runs")
    func command() {
        let error = #expect(throws: WhisperError.self) { try Checkpoint.open("\(fixtures)/evil.pt") }
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("posix.system") == true, "\(error?.message ?? "")")
    }

    @Test(
        "every way to name or make an object is refused with its offset",
        arguments: [
            "cos\nsystem\n(X\u{2}\u{0}\u{0}\u{0}lstR.",  // GLOBAL and REDUCE
            "X\u{2}\u{0}\u{0}\u{0}osX\u{6}\u{0}\u{0}\u{0}system\u{93}.",  // STACK_GLOBAL
            "(X\u{2}\u{0}\u{0}\u{0}lsios\nsystem\n.",  // INST
            "(cos\nsystem\nX\u{2}\u{0}\u{0}\u{0}lso.",  // OBJ
            "cbuiltins\neval\n)R.", "c__builtin__\nexec\n.", "csubprocess\nPopen\n.", "ctorch\nload\n.",
            "ctorch._utils\n_rebuild_sparse_tensor\n.", "ctorch\nFloatStorage.__init__\n.", "ccollections\nUserDict\n.",
            "ccollections\nOrderedDict\n)\u{81}.",  // NEWOBJ
            "ccollections\nOrderedDict\n)}\u{92}.",  // NEWOBJ_EX
            "\u{82}\u{1}.", "\u{83}\u{1}\u{0}.", "\u{84}\u{1}\u{0}\u{0}\u{0}.",  // EXT1, EXT2, EXT4
            "}}b.",  // BUILD on a plain dictionary
            "]}b.", "ctorch\nFloatStorage\n)R.", "ccollections\nOrderedDict\nK\u{1}\u{85}R.", "K\u{1})R.", "N)R.",
            "Pid\n.",  // PERSID
        ])
    func objects(program: String) {
        let error = refusal([0x80, 2] + raw(program))
        #expect(error?.code == .unsupported, "\(error?.message ?? "")")
        #expect(error?.message.contains("at byte") == true, "\(error?.message ?? "")")
    }

    @Test(
        "a pickle that is no well-formed program is refused",
        arguments: [
            "", ".", "t.", "a.", "e.", "u.", "s.", "R.", "Q.", "b.", "q\u{0}.", "h\u{0}.", "(.", "]K\u{1}", "K",
            "X\u{9}",
            "X\u{FF}\u{FF}\u{FF}\u{FF}abc.", "}K\u{1}u.", "(K\u{1}a.", "]}s.", "}(K\u{1}u.", "NN.", "K\u{1}Q.",
            "\u{8A}\u{9}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}.", "X\u{1}\u{0}\u{0}\u{0}\u{FF}.", "](a.",
            "]q\u{0}(ae.",
            "\u{80}\u{9}.", "\u{80}\u{0}.",
            "ctorch._utils\n_rebuild_parameter\n)R.", "ctorch._utils\n_rebuild_parameter\nK\u{1}\u{85}R.",
        ])
    func malformed(program: String) {
        #expect(refusal([0x80, 2] + raw(program))?.code == .dataLoss)
    }

    @Test("depth, cycles and sheer number end in an error and not in the stack or the memory")
    func bounds() {
        let deepLists = raw("]") + (0..<100_000).flatMap { _ in raw("]") } + (0..<100_000).flatMap { _ in raw("a") }
        _ = refusal([0x80, 2] + deepLists + raw("."))
        _ = refusal([0x80, 2] + raw(")") + [UInt8](repeating: 0x85, count: 500_000) + raw("."))
        _ = refusal([0x80, 2] + raw("]q\u{0}h\u{0}a."))  // a list in itself
        _ = refusal([0x80, 2] + raw("}q\u{0}h\u{0}h\u{0}s."))
        _ = refusal([0x80, 2] + [UInt8](repeating: UInt8(ascii: ")"), count: 4 << 20) + raw("."))
        _ = refusal([0x80, 2] + [UInt8](repeating: UInt8(ascii: "("), count: 4 << 20) + raw("."))
        _ = refusal([UInt8](repeating: UInt8(ascii: "N"), count: 9 << 20))
        _ = refusal([0x80, 2] + raw("c") + [UInt8](repeating: 65, count: 1 << 20) + raw("\nb\n."))
    }

    @Test("protocol 4, with frames, short strings and implicit memo, reads the same")
    func protocolFour() throws {
        let program = TinyFiles().pickle()
        let framed: [UInt8] = [0x80, 4, 0x95] + little(UInt64(program.count - 2)) + program.dropFirst(2)
        try load(TinyFiles().openAI(pickle: framed))
    }

    /// The elements of every tensor are those that were written.
    private func expectSound(_ pickle: [UInt8]) throws {
        let tiny = TinyFiles()
        let bytes = FileBytes(name: "tiny.pt", copying: tiny.openAI(pickle: pickle))
        let checkpoint = try Checkpoint.open(bytes, file: "tiny.pt", in: MemoryFolder(name: "nowhere", [:]))
        for (index, tensor) in tiny.tensors.enumerated() {
            let elements = try checkpoint.weights.tensor(tensor.name, shape: tensor.shape).elements
            #expect(elements == TinyFiles.values(index, tensor.shape), "\(tensor.name)")
        }
    }

    @Test("an nn.Parameter is the tensor in it, trained or not, with a state or without")
    func parameters() throws {
        let tiny = TinyFiles()
        try expectSound(tiny.pickle())
        try expectSound(tiny.pickle(state: tiny.state { Pickle.parameter($0) }))
        try expectSound(tiny.pickle(state: tiny.state { Pickle.parameter($0, isTrained: false) }))
        let withState = tiny.state {
            Pickle.parameter($0, by: "_rebuild_parameter_with_state", [Pickle.dictionary([])])
        }
        try expectSound(tiny.pickle(state: withState))
    }

    @Test("a parameter of something else is refused, and so is a tensor in any other call")
    func otherParameters() {
        let tiny = TinyFiles()
        let text = refusal(tiny.pickle(state: tiny.state { _ in Pickle.parameter(Pickle.text("x")) }))
        #expect(text?.code == .dataLoss && text?.message.contains("a parameter") == true, "\(text?.message ?? "")")
        for function in ["_rebuild_sparse_tensor", "_rebuild_qtensor", "_rebuild_device_tensor_from_numpy"] {
            let other = refusal(tiny.pickle(state: tiny.state { Pickle.parameter($0, by: function) }))
            #expect(other?.code == .unsupported)
            #expect(other?.message.contains("torch._utils.\(function)") == true, "\(other?.message ?? "")")
        }
    }

    @Test(
        "a tensor that reaches out of its storage is refused",
        arguments: [
            ([4], [1], 1, 4), ([4], [2], 0, 4), ([5], [1], 0, 4), ([4], [0], 0, 1), ([4], [-1], 3, 4),
            ([4], [1], -1, 4),
            ([-4], [1], 0, 4), ([Int.max], [1], 0, 4), ([4], [Int.max], 0, 4), ([4], [1], Int.max, 4),
            ([Int.max, Int.max], [1, 1], 0, 4), ([0, Int.max, Int.max], [1, 1, 1], 0, 4), ([4, 1], [1], 0, 4),
            ([4], [1], 0, Int.max), ([4], [1], 0, -1), ([4], [1], 0, 5), ([1, 1, 1, 1, 1, 1, 1, 1, 4], [1], 0, 4),
        ] as [([Int], [Int], Int, Int)])
    func stridesAndOffsets(shape: [Int], strides: [Int], offset: Int, count: Int) {
        let tiny = TinyFiles()
        let items = tiny.tensors.enumerated().map { index, tensor in
            let program =
                tensor.name == "decoder.ln.bias"
                ? Pickle.tensor(key: "\(index)", shape: shape, strides: strides, offset: offset, count: count)
                : Pickle.tensor(key: "\(index)", shape: tensor.shape)
            return (Pickle.text(tensor.name), program)
        }
        _ = refusal(tiny.pickle(state: Pickle.dictionary(items)))
    }

    @Test("a checkpoint whose parts are something else is refused")
    func otherContents() {
        let tiny = TinyFiles()
        _ = refusal(Pickle.program(Pickle.dictionary([])))
        _ = refusal(Pickle.program(Pickle.text("model")))
        _ = refusal(Pickle.program(Pickle.tuple([])))
        _ = refusal(tiny.pickle(dims: Pickle.text("tiny")))
        _ = refusal(tiny.pickle(dims: Pickle.dictionary([(Pickle.text("n_mels"), Pickle.text("80"))])))
        _ = refusal(tiny.pickle(state: Pickle.dictionary([(Pickle.text("encoder.conv1.bias"), Pickle.int(3))])))
        _ = refusal(tiny.pickle(state: Pickle.dictionary([(Pickle.int(3), Pickle.int(3))])))
        _ = refusal(tiny.pickle(state: Pickle.dictionary([(Pickle.text("x"), Pickle.tensor(key: "none", shape: [4]))])))
        _ = refusal(
            tiny.pickle(state: Pickle.dictionary([(Pickle.text("x"), Pickle.tensor(key: "../data.pkl", shape: [4]))])))
    }
}

@Suite struct CheckpointZipTests {
    private func refusal(_ bytes: [UInt8]) -> Refusal? {
        Refusal.of { try load(bytes, "tiny.pt") }
    }

    private var entries: [ZipEntry] {
        let tiny = TinyFiles()
        return [ZipEntry("tiny/data.pkl", tiny.pickle())]
            + tiny.tensors.enumerated().map { index, tensor in
                ZipEntry("tiny/data/\(index)", [UInt8](repeating: 0, count: 4 * tensor.shape.reduce(1, *)))
            }
    }

    private func changed(_ index: Int, _ change: (inout ZipEntry) -> Void) -> [UInt8] {
        var entries = entries
        change(&entries[index])
        return ZipEntry.archive(entries)
    }

    @Test("a directory that lies about an entry is refused")
    func lies() throws {
        try load(ZipEntry.archive(entries))
        #expect(refusal(changed(3) { $0.flags = 1 })?.message.contains("encrypted") == true)
        #expect(refusal(changed(3) { $0.offset = 0 }) != nil)
        #expect(refusal(changed(3) { $0.offset = 0xFFFF_FFF0 }) != nil)
        #expect(refusal(changed(3) { $0.offset = 0xFFFF_FFFF }) != nil)
        #expect(refusal(changed(3) { $0.size = 0xFFFF_FFF0 }) != nil)
        #expect(refusal(changed(3) { $0.size = 0xFFFF_FFFF }) != nil)
        #expect(refusal(changed(3) { $0.size += 4 }) != nil)
        #expect(refusal(changed(3) { $0.localName = "tiny/data/9" }) != nil)
        #expect(refusal(changed(3) { $0.crc = 1 })?.message.contains("CRC-32") == true)
        #expect(refusal(changed(0) { $0.crc = 1 })?.message.contains("CRC-32") == true)
    }

    @Test("an entry whose sizes stand in the zip64 field is read, and refused where they lie")
    func longSizes() throws {
        try load(changed(3) { $0.isLong = true })
        let tooLong = changed(3) { entry in
            entry.isLong = true
            entry.size += 1 << 30
        }
        #expect(refusal(tooLong) != nil)
        let elsewhere = changed(3) { entry in
            entry.isLong = true
            entry.offset = 7
        }
        #expect(refusal(elsewhere) != nil)
    }

    @Test("entries that are compressed, as a zip bomb's are, are refused, and nothing is unpacked")
    func compressed() {
        #expect(refusal(changed(3) { $0.method = 8 })?.message.contains("compressed") == true)
    }

    @Test("entries that share bytes, as a zip bomb's do, are refused")
    func overlap() {
        var bomb = entries
        bomb[1].size += 200  // reaches over the next entry
        #expect(refusal(ZipEntry.archive(bomb))?.message.contains("overlap") == true)
        var twice = entries
        twice.append(twice[1])
        #expect(refusal(ZipEntry.archive(twice)) != nil)
    }

    @Test("a directory of another length or place than its end record says is refused")
    func directory() {
        for count in [UInt16(0), 1, UInt16(entries.count - 1), UInt16(entries.count + 1), 0xFFFF] {
            #expect(refusal(ZipEntry.archive(entries, count: count)) != nil)
        }
        for shift in [Int32(-46), -1, 1, 46] {
            #expect(refusal(ZipEntry.archive(entries, directoryShift: shift)) != nil)
        }
        #expect(refusal(ZipEntry.archive(entries) + [0]) != nil)
        #expect(refusal([0] + ZipEntry.archive(entries)) != nil)
    }

    @Test("an archive that torch did not write is refused")
    func others() {
        #expect(refusal(ZipEntry.archive([ZipEntry("hello.txt", [1, 2, 3])]))?.code == .unsupported)
        #expect(refusal(ZipEntry.archive(entries + [ZipEntry("other/data.pkl", [])]))?.code == .unsupported)
        let bigEndian = entries + [ZipEntry("tiny/byteorder", Array("big".utf8))]
        #expect(refusal(ZipEntry.archive(bigEndian))?.code == .unsupported)
    }
}
