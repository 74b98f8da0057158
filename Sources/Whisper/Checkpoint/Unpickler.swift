import TensorFiles

/// Reads a pickle that holds tensors in plain containers, and refuses every other one.
///
/// A pickle is a program for a stack machine, and its GLOBAL and REDUCE can call anything that Python can import. This
/// machine has no such power: a global is one of the few names in ``PickleGlobal``, a call is one of two that are
/// written out below, and nothing is ever looked up or executed. The opcodes are those that `torch.save` writes
/// (protocols 2 to 5); an unknown opcode or name is refused, with its offset.
struct Unpickler {
    /// large-v3's pickle has 300 kB and 30,000 values.
    static let maximumSize = 8 << 20
    private static let maximumValues = 1_000_000

    private var cursor: ByteCursor
    private let file: String
    private var stack: [PickleValue] = []
    /// Heights of the stack at the MARKs that are still open.
    private var marks: [Int] = []
    private var memo: [UInt32: PickleValue] = [:]
    private var values = 0
    private(set) var containers: [PickleContainer] = []

    init(_ bytes: FileBytes) throws {
        guard bytes.count <= Self.maximumSize else {
            throw WhisperError(
                .dataLoss, "\(bytes.name): a pickle of \(bytes.count) bytes; expected at most \(Self.maximumSize)")
        }
        self.cursor = ByteCursor(bytes)
        self.file = bytes.name
    }

    /// Runs the pickle and returns the value that it leaves.
    mutating func load() throws -> PickleValue {
        while true {
            let start = cursor.offset
            let opcode = try cursor.read(UInt8.self, "a pickle opcode")
            if opcode == UInt8(ascii: ".") {
                guard stack.count == 1, marks.isEmpty else { throw malformed("STOP with \(stack.count) values", start) }
                return stack[0]
            }
            try run(opcode, at: start)
        }
    }

    /// The members of a dictionary whose keys are strings.
    /// - Throws: ``WhisperError`` (`dataLoss`) where `value` is none, or has a key twice.
    func members(of value: PickleValue?, called what: String) throws -> [String: PickleValue] {
        guard case .container(let index)? = value, case .dictionary(let keys, let values, _) = containers[index] else {
            throw WhisperError(.dataLoss, "\(file): \(what) is not a dictionary")
        }
        var members: [String: PickleValue] = [:]
        for (key, value) in zip(keys, values) {
            guard case .string(let name) = key, members.updateValue(value, forKey: name) == nil else {
                throw WhisperError(.dataLoss, "\(file): \(what) has a key that is no string, or one twice")
            }
        }
        return members
    }

    // MARK: Opcodes

    private mutating func run(_ opcode: UInt8, at start: Int) throws {
        switch Unicode.Scalar(opcode) {
        case "\u{80}":
            let version = try cursor.read(UInt8.self, "the pickle's protocol")
            guard (2...5).contains(version) else { throw malformed("protocol \(version)", start) }
        case "\u{95}": _ = try cursor.read(UInt64.self, "a pickle frame")  // FRAME: only a hint for reading ahead
        case "(": marks.append(stack.count)

        case "N": try push(.none)
        case "\u{88}": try push(.bool(true))
        case "\u{89}": try push(.bool(false))
        case "J": try push(.int(Int(cursor.read(Int32.self, "an integer"))))
        case "K": try push(.int(Int(cursor.read(UInt8.self, "an integer"))))
        case "M": try push(.int(Int(cursor.read(UInt16.self, "an integer"))))
        case "\u{8A}": try push(.int(longInteger(start)))
        case "G": try push(.float(Double(bitPattern: cursor.read(UInt64.self, "a number").byteSwapped)))
        case "X": try push(text(length: Int(cursor.read(UInt32.self, "a string's length"))))
        case "\u{8C}": try push(text(length: Int(cursor.read(UInt8.self, "a string's length"))))

        case ")": try push(container(.tuple([])))
        case "\u{85}": try push(container(.tuple(try pop(1, start))))
        case "\u{86}": try push(container(.tuple(try pop(2, start))))
        case "\u{87}": try push(container(.tuple(try pop(3, start))))
        case "t": try push(container(.tuple(try popToMark(start))))
        case "]": try push(container(.list([])))
        case "}": try push(container(.dictionary(keys: [], values: [], isOrdered: false)))
        case "a": try append(try pop(1, start), start)
        case "e": try append(try popToMark(start), start)
        case "s": try setItems(try pop(2, start), start)
        case "u": try setItems(try popToMark(start), start)

        case "q": try memoize(UInt32(try cursor.read(UInt8.self, "a memo index")), start)
        case "r": try memoize(try cursor.read(UInt32.self, "a memo index"), start)
        case "\u{94}": try memoize(UInt32(clamping: memo.count), start)
        case "h": try recall(UInt32(try cursor.read(UInt8.self, "a memo index")), start)
        case "j": try recall(try cursor.read(UInt32.self, "a memo index"), start)

        case "c": try push(global(module: try line(), name: try line(), start))
        case "\u{93}": try stackGlobal(start)
        case "Q": try push(.storage(try storage(try pop(1, start)[0], start)))
        case "R": try reduce(start)
        case "b": try build(start)
        default: throw refused(opcode, start)
        }
    }

    private mutating func push(_ value: PickleValue) throws {
        values += 1
        guard values <= Self.maximumValues else {
            throw WhisperError(.dataLoss, "\(file): the pickle makes more than \(Self.maximumValues) values")
        }
        stack.append(value)
    }

    /// The top `count` values, which must lie above the last mark.
    private mutating func pop(_ count: Int, _ start: Int) throws -> [PickleValue] {
        guard stack.count - (marks.last ?? 0) >= count else { throw malformed("too few values on the stack", start) }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark(_ start: Int) throws -> [PickleValue] {
        guard let mark = marks.popLast() else { throw malformed("no mark on the stack", start) }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private mutating func container(_ container: PickleContainer) -> PickleValue {
        containers.append(container)
        return .container(containers.count - 1)
    }

    /// The index of the container on top of the stack, which stays there.
    private func topContainer(_ start: Int) throws -> Int {
        guard stack.count > marks.last ?? 0, case .container(let index)? = stack.last else {
            throw malformed("no container on the stack", start)
        }
        return index
    }

    private mutating func append(_ items: [PickleValue], _ start: Int) throws {
        let index = try topContainer(start)
        guard case .list(var list) = containers[index] else { throw malformed("no list on the stack", start) }
        containers[index] = .list([])  // so that `list` is the only owner and grows in place
        list += items
        containers[index] = .list(list)
    }

    private mutating func setItems(_ items: [PickleValue], _ start: Int) throws {
        let index = try topContainer(start)
        guard items.count % 2 == 0, case .dictionary(var keys, var values, let isOrdered) = containers[index] else {
            throw malformed("no dictionary on the stack, or a key without a value", start)
        }
        containers[index] = .list([])
        for i in stride(from: 0, to: items.count, by: 2) {
            keys.append(items[i])
            values.append(items[i + 1])
        }
        containers[index] = .dictionary(keys: keys, values: values, isOrdered: isOrdered)
    }

    private mutating func memoize(_ index: UInt32, _ start: Int) throws {
        guard let top = stack.last else { throw malformed("nothing to remember", start) }
        memo[index] = top
    }

    private mutating func recall(_ index: UInt32, _ start: Int) throws {
        guard let value = memo[index] else { throw malformed("memo \(index) is empty", start) }
        try push(value)
    }

    private mutating func text(length: Int) throws -> PickleValue { .string(try cursor.text(length, "a string")) }

    /// LONG1: a two's complement integer of up to 255 bytes; no size or offset has more than eight.
    private mutating func longInteger(_ start: Int) throws -> Int {
        let length = Int(try cursor.read(UInt8.self, "an integer's length"))
        let bytes = try cursor.take(length, "an integer").array
        guard length <= 8 else { throw malformed("an integer of \(length) bytes", start) }
        var value = (bytes.last ?? 0) >= 0x80 ? -1 : 0
        for byte in bytes.reversed() { value = value << 8 | Int(byte) }
        return value
    }

    /// Text up to a newline, for names; real ones are short.
    private mutating func line() throws -> String {
        var units: [UInt8] = []
        while units.count < 256 {
            let byte = try cursor.read(UInt8.self, "a name")
            if byte == 0x0A { return String(decoding: units, as: UTF8.self) }
            units.append(byte)
        }
        throw malformed("a name of more than 256 bytes", cursor.offset)
    }

    // MARK: The names that are known, and what calling them means

    private func global(module: String, name: String, _ start: Int) throws -> PickleValue {
        guard let global = PickleGlobal(module: module, name: name) else {
            throw WhisperError(
                .unsupported,
                "\(file) was refused: at byte \(start) it names \(module).\(name), which is no part of a checkpoint of "
                    + "tensors and could run code; nothing was executed")
        }
        return .global(global)
    }

    private mutating func stackGlobal(_ start: Int) throws {
        let names = try pop(2, start)
        guard case .string(let module) = names[0], case .string(let name) = names[1] else {
            throw malformed("a global whose name is no string", start)
        }
        try push(try global(module: module, name: name, start))
    }

    /// `('storage', torch.FloatStorage, key, device, count)`.
    private func storage(_ id: PickleValue, _ start: Int) throws -> PickleStorage {
        guard case .container(let index) = id, case .tuple(let parts) = containers[index], parts.count == 5,
            case .string("storage") = parts[0], case .global(.storageType(let type)) = parts[1],
            case .string(let key) = parts[2], case .int(let count) = parts[4], count >= 0
        else { throw malformed("a persistent id that is no storage", start) }
        return PickleStorage(type: type, key: key, count: count)
    }

    /// A call: `OrderedDict()` or `_rebuild_tensor_v2(storage, offset, shape, strides, …)`, and
    /// `_rebuild_parameter(tensor, …)`; there is no other.
    private mutating func reduce(_ start: Int) throws {
        let call = try pop(2, start)
        guard case .global(let function) = call[0], case .container(let index) = call[1],
            case .tuple(let arguments) = containers[index]
        else { throw refused(UInt8(ascii: "R"), start) }
        switch function {
        case .orderedDictionary where arguments.isEmpty:
            try push(container(.dictionary(keys: [], values: [], isOrdered: true)))
        case .rebuildTensor: try push(.tensor(try tensor(arguments, start)))
        case .rebuildParameter:
            // Whether it is trained, hooks and state say nothing about its elements.
            guard case .tensor(let tensor)? = arguments.first else {
                throw malformed("a parameter that is not built from a tensor", start)
            }
            try push(.tensor(tensor))
        default: throw refused(UInt8(ascii: "R"), start)
        }
    }

    private func tensor(_ arguments: [PickleValue], _ start: Int) throws -> PickleTensor {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0], case .int(let offset) = arguments[1],
            let shape = extents(arguments[2]), let strides = extents(arguments[3]), shape.count == strides.count
        else { throw malformed("a tensor that is not built from a storage, offset, shape and strides", start) }
        return PickleTensor(storage: storage, offset: offset, shape: shape, strides: strides)
    }

    /// A tuple of integers.
    private func extents(_ value: PickleValue) -> [Int]? {
        guard case .container(let index) = value, case .tuple(let parts) = containers[index], parts.count <= 8 else {
            return nil
        }
        let extents = parts.compactMap { if case .int(let extent) = $0 { extent } else { nil } }
        return extents.count == parts.count ? extents : nil
    }

    /// BUILD sets an object's attributes. The one object here that may have some is an OrderedDict: PyTorch hangs
    /// version numbers (`_metadata`) on a state dict. They are dropped, so that nothing is set at all.
    private mutating func build(_ start: Int) throws {
        _ = try pop(1, start)
        guard case .dictionary(_, _, isOrdered: true) = containers[try topContainer(start)] else {
            throw refused(UInt8(ascii: "b"), start)
        }
    }

    // MARK: Errors

    private func malformed(_ problem: String, _ offset: Int) -> WhisperError {
        WhisperError(.dataLoss, "\(file): the pickle is damaged at byte \(offset): \(problem)")
    }

    private func refused(_ opcode: UInt8, _ offset: Int) -> WhisperError {
        let name = Self.refusedOpcodes[Unicode.Scalar(opcode)] ?? "an unknown opcode"
        return WhisperError(
            .unsupported,
            "\(file) was refused: at byte \(offset) its pickle has \(name) (\(hex(UInt32(opcode)))), which a "
                + "checkpoint of tensors does not need; nothing was executed")
    }

    private static let refusedOpcodes: [Unicode.Scalar: String] = [
        "R": "REDUCE, a call of something that is no tensor", "b": "BUILD, which sets attributes",
        "i": "INST, which makes an object", "o": "OBJ, which makes an object",
        "\u{81}": "NEWOBJ, which makes an object",
        "\u{92}": "NEWOBJ_EX, which makes an object", "\u{82}": "EXT1, a registered class",
        "\u{83}": "EXT2, a registered class", "\u{84}": "EXT4, a registered class", "P": "PERSID",
    ]
}
