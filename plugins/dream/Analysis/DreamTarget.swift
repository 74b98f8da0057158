import Dictionaries
import Kernels
import PluginKit
import TensorFiles

/// What is dreamt of: something that a model's pass gives a number for.
struct DreamTarget {
    enum Content {
        /// A column of a hook point, within a head's part of it where it has heads.
        case column(Int, head: Int?)
        case latent(Int, SparseDictionary, folder: String)
        /// Σ wᵢ xᵢ over a row.
        case direction([Float])
        /// The log-probability that these are the first words which the decoder writes.
        case words(String)
    }

    /// As results name it.
    let name: String
    /// As files are named, whose names end at the last dot.
    var label: String { hook.isEmpty ? name : String(name.dropFirst(hook.count + 1)) + " of " + hook }
    /// Where it is read; "" for words.
    let hook: String
    let content: Content

    /// Of how many targets one run dreams at most.
    static let most = 256

    /// Reads `HOOK:INDEXES`, `latent INDEXES`, `direction` and `word WORDS`, between semicolons.
    /// - Parameters:
    ///   - dictionary, direction: the paths that the second and third of them are of.
    /// - Throws: ``PluginError`` that shows the part that was not understood.
    static func parse(_ text: String, dictionary: String?, direction: String?) throws -> [DreamTarget] {
        let targets = try text.split(separator: ";").map { String($0).trimmed }.filter { !$0.isEmpty }
            .flatMap { try one($0, dictionary: dictionary, direction: direction) }
        guard !targets.isEmpty else {
            throw PluginError(
                .invalidArgument,
                "targets is empty; expected HOOK:INDEX, latent INDEX, direction or word WORDS, several between semicolons"
            )
        }
        guard targets.count <= most else {
            throw PluginError(
                .invalidArgument, "targets names \(targets.count); at most \(most) are dreamt of in a run")
        }
        return targets
    }

    private static func one(_ text: String, dictionary: String?, direction: String?) throws -> [DreamTarget] {
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        switch words[0] {
        case "word":
            guard words.count == 2 else { throw refusal(text, "expected words behind \"word\"") }
            return [DreamTarget(name: text, hook: "", content: .words(words[1].trimmed))]
        case "latent":
            guard let dictionary else { throw refusal(text, "the argument dictionary names no folder to find it in") }
            guard words.count == 2 else { throw refusal(text, "expected a number behind \"latent\"") }
            let read = try SparseDictionary.read(dictionary)
            return try indexes(words[1], text).map { head, index in
                guard head == nil else { throw refusal(text, "a latent has no head") }
                do { try read.check(latent: index) } catch { throw refusal(text, "\(error)") }
                return DreamTarget(
                    name: "\(read.hook) latent \(index)", hook: read.hook,
                    content: .latent(index, read, folder: dictionary))
            }
        case "direction":
            guard words.count == 1 else { throw refusal(text, "expected nothing behind \"direction\"") }
            guard let direction else { throw refusal(text, "the argument direction names no file to read it from") }
            return [try readDirection(direction)]
        default:
            guard words.count == 1, let colon = text.lastIndex(of: ":"), colon != text.startIndex else {
                throw refusal(text, "expected HOOK:INDEX, latent INDEX, direction or word WORDS")
            }
            let hook = String(text[..<colon])
            guard !hook.contains(where: { "*?[".contains($0) }) else {
                throw refusal(text, "expected one hook point, not a pattern of many")
            }
            return try indexes(String(text[text.index(after: colon)...]), text).map { head, index in
                DreamTarget(
                    name: "\(hook):\(head.map { "\($0)." } ?? "")\(index)", hook: hook,
                    content: .column(index, head: head))
            }
        }
    }

    /// `3`, `0-19`, `2.17` (of head 2), several between commas.
    private static func indexes(_ text: String, _ whole: String) throws -> [(head: Int?, index: Int)] {
        try text.split(separator: ",", omittingEmptySubsequences: false).flatMap { part -> [(head: Int?, index: Int)] in
            let part = String(part).trimmed
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            if ends.count == 2, let first = ends[0], let last = ends[1], first >= 0, first <= last, last - first < most
            {
                return (first...last).map { (nil, $0) }
            }
            let place = part.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
            if place.count == 2, let head = place[0], let index = place[1], head >= 0, index >= 0 {
                return [(head, index)]
            }
            guard let index = Int(part), index >= 0 else {
                throw refusal(whole, "\"\(part)\" is no index; expected 3, 0-19 or, of a head, 2.17")
            }
            return [(nil, index)]
        }
    }

    private static func readDirection(_ path: String) throws -> DreamTarget {
        let file = try SafetensorsFile(path: path)
        guard file.names.count == 1, let hook = file.names.first else {
            throw PluginError(
                .invalidArgument, "\(path) has \(file.names.count) tensors; expected one, named as its hook point")
        }
        let row = try file.tensor(named: hook).elements
        guard !row.isEmpty, row.allSatisfy(\.isFinite) else {
            throw PluginError(
                .invalidArgument, "\(hook) in \(path) is no direction: expected finite numbers, one at least")
        }
        return DreamTarget(name: "\(hook) direction", hook: hook, content: .direction(row))
    }

    private static func refusal(_ text: String, _ why: String) -> PluginError {
        PluginError(.invalidArgument, "in targets, \"\(text)\": \(why)")
    }
}

// MARK: - Reading it

extension DreamTarget {
    /// Its value at each position that overlaps sound.
    /// - Parameter tensor: what the hook point gave.
    /// - Throws: ``PluginError`` for a column, a head or a width that the hook point has not.
    func values(_ tensor: TensorView) throws -> [Float] {
        guard tensor.rank >= 2, tensor.axes.first != "head", tensor.axes.last != "key_frame" else {
            throw PluginError(
                .invalidArgument, "\(hook) has shape \(tensor.shape), and \(name) is read off rows of columns")
        }
        let positions = tensor.validPositions > 0 ? min(tensor.shape[0], tensor.validPositions) : tensor.shape[0]
        let width = tensor.count / max(tensor.shape[0], 1)
        let values: [Float]
        switch content {
        case .column(let index, let head):
            let column = try column(index, head, tensor)
            values = tensor.withUnsafeFloats { all in (0..<positions).map { all[$0 * width + column] } }
        case .direction(let row):
            guard row.count == width else {
                throw PluginError(.invalidArgument, "the direction has \(row.count) numbers, and \(hook) has \(width)")
            }
            values = tensor.withUnsafeFloats { all in
                (0..<positions).map { position in
                    Float(row.indices.reduce(0.0) { $0 + Double(row[$1]) * Double(all[position * width + $1]) })
                }
            }
        case .latent(let latent, let dictionary, _):
            let rows = tensor.withUnsafeFloats { Tensor(shape: [positions, width], $0.prefix(positions * width)) }
            let codes: Tensor
            do { codes = try dictionary.encode(rows) } catch let error as DictionaryError {
                throw PluginError(.invalidArgument, "\(name): \(error.message)")
            }
            values = (0..<positions).map { codes[$0, latent] }
        case .words: values = []
        }
        guard values.allSatisfy(\.isFinite) else {
            throw PluginError(.failed, "\(name) is not a finite number everywhere")
        }
        return values
    }

    private func column(_ index: Int, _ head: Int?, _ tensor: TensorView) throws -> Int {
        let heads = tensor.rank == 3 ? tensor.shape[1] : 1, width = tensor.shape[tensor.rank - 1]
        guard index < width, head ?? 0 < heads, tensor.rank == 3 || head == nil else {
            throw PluginError(
                .invalidArgument,
                "there is no \(name): \(hook) has "
                    + (tensor.rank == 3 ? "heads 0 to \(heads - 1), of columns 0" : "columns 0") + " to \(width - 1)")
        }
        guard tensor.rank == 2 || head != nil else {
            throw PluginError(
                .invalidArgument, "\(hook) has \(heads) heads; expected HEAD.\(index), as in \(hook):0.\(index)")
        }
        return (head ?? 0) * width + index
    }

    /// What is differentiated, as `auscult trace --objective` has it: the target itself at one frame, before its activation function where it
    /// has one, and where there are others of its kind their sum with it.
    /// - Parameter file: a place for a file that the objective needs.
    func objectives(frame: Int, others: Bool, file: String) throws -> [String] {
        let place = "@frames \(frame):\(frame + 1)"
        switch content {
        case .column(let index, let head):
            let head = head.map { "\($0)." } ?? ""
            // A neuron that is off has no slope to go up: what GELU is taken of has.
            let hook = hook.hasSuffix(".mlp.1") ? "\(hook.dropLast(1))0" : hook
            return ["\(hook):\(head)\(index)\(place)"] + (others ? ["\(hook):\(head)*\(place)"] : [])
        case .latent(let latent, _, let folder): return ["\(hook) latent \"\(folder)\" \(latent) \(place)"]
        case .words(let words): return ["text \(words)"]
        case .direction(let row):
            let writer = try SafetensorsWriter(path: file)
            let rows = [Float](repeating: 0, count: frame * row.count) + row
            try rows.withUnsafeBytes {
                try writer.append(hook, type: .float32, shape: [frame + 1, row.count], bytes: $0)
            }
            try writer.finish()
            return ["\"\(file)\""]
        }
    }

    /// Whether it has others of its kind: the columns beside it.
    var hasOthers: Bool { if case .column = content { true } else { false } }
    var isWords: Bool { if case .words = content { true } else { false } }
}

extension String {
    var trimmed: String {
        guard let first = firstIndex(where: { $0 != " " }), let last = lastIndex(where: { $0 != " " }) else {
            return ""
        }
        return String(self[first...last])
    }
}
