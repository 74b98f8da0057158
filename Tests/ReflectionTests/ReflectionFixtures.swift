import Reflection
import Foundation
import StrictJSON

/// What Tests/Fixtures/reflection/generate.py wrote.
enum ReflectionFixtures {
    /// Bytes of a message that protoc made.
    struct Case: Sendable, CustomStringConvertible {
        let message: String
        let bytes: [UInt8]
        /// What they say, where it was written by hand.
        let json: JSON?
        var description: String { "\(message) \(bytes.count) bytes" }
    }

    struct Damaged: Error {}

    static let pool: Result<DescriptorPool, any Error> = Result {
        try DescriptorPool(fileDescriptorSet: bytes("descriptors.pb"))
    }

    static let cases = (try? read("cases.json")) ?? []
    static let contract = (try? read("contract.json")) ?? []

    static func bytes(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/reflection")
        return Array(try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    /// The files of the descriptor set, each a FileDescriptorProto.
    static func files() throws -> [[UInt8]] {
        var files: [[UInt8]] = []
        var reader = ProtoReader(try bytes("descriptors.pb"))
        while try reader.tag() != nil { files.append(Array(try reader.lengthDelimited())) }
        return files
    }

    static func codec(_ change: (inout MessageCodec.Options) -> Void = { _ in }) throws -> MessageCodec {
        var options = MessageCodec.Options()
        change(&options)
        return MessageCodec(try pool.get(), options: options)
    }

    private static func read(_ name: String) throws -> [Case] {
        guard case .array(let cases) = try JSON(parsing: bytes(name)) else { throw Damaged() }
        return try cases.map {
            guard case .string(let message) = $0["message"], case .string(let hex) = $0["hex"] else { throw Damaged() }
            return Case(message: message, bytes: try unhex(hex), json: $0["json"])
        }
    }

    static func unhex(_ hex: String) throws -> [UInt8] {
        let digits = hex.filter { $0 != " " }.map(\.hexDigitValue)
        guard digits.count % 2 == 0 else { throw Damaged() }
        return try stride(from: 0, to: digits.count, by: 2).map {
            guard let high = digits[$0], let low = digits[$0 + 1] else { throw Damaged() }
            return UInt8(high << 4 | low)
        }
    }
}

extension MessageCodec {
    func encode(_ text: String, as name: String) throws -> [UInt8] {
        try encode(JSON(parsing: text), as: pool.message(named: name))
    }

    func decode(_ bytes: [UInt8], as name: String) throws -> String {
        try decode(bytes, as: pool.message(named: name)).compactText
    }

    /// What the JSON becomes after bytes and back.
    func roundTrip(_ text: String, as name: String) throws -> String { try decode(encode(text, as: name), as: name) }

    /// The sentence with which the JSON is refused, or nil.
    func refusal(of text: String, as name: String) -> String? {
        do {
            _ = try encode(text, as: name)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
