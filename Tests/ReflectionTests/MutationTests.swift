import Reflection
import StrictJSON
import TestSupport
import Testing

/// Nothing that comes from outside traps: each of these reads valid input with random damage, and either reads it or
/// throws one of the errors that it is known for.
@Suite("Random damage") struct MutationTests {
    private static func damaged(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let position = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: position)
            case 1 where position < bytes.count: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2 where position < bytes.count:
                bytes[position] = [0, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
            case 3: bytes.removeSubrange(position..<min(bytes.count, position + 3))
            default:
                let end = Int.random(in: position...bytes.count, using: &random)
                bytes.insert(contentsOf: bytes[position..<end].prefix(40), at: position)
            }
        }
        return bytes
    }

    @Test("20,000 damaged messages are read or refused") func messages() throws {
        var random = SeededGenerator(seed: 1)
        let codec = try ReflectionFixtures.codec()
        let examples = ReflectionFixtures.cases + ReflectionFixtures.contract
        var refused = 0
        for _ in 0..<20_000 {
            let example = try #require(examples.randomElement(using: &random))
            let message = try codec.pool.message(named: example.message)
            do {
                let json = try codec.decode(Self.damaged(example.bytes, &random), as: message)
                // What was read can be written, and says the same then.
                let bytes = try codec.encode(json, as: message)
                #expect(try codec.decode(bytes, as: message).compactText == json.compactText)
            } catch let error as ReflectionError {
                #expect(error.code == .dataLoss)
                refused += 1
            }
        }
        #expect((1000..<20_000).contains(refused))
    }

    @Test("20,000 damaged JSON texts are read or refused") func texts() throws {
        var random = SeededGenerator(seed: 2)
        let codec = try ReflectionFixtures.codec()
        let examples = try (ReflectionFixtures.cases + ReflectionFixtures.contract).map {
            let message = try codec.pool.message(named: $0.message)
            return (message, Array(try codec.decode($0.bytes, as: message).compactText.utf8))
        }
        var refused = 0
        for _ in 0..<20_000 {
            let (message, text) = try #require(examples.randomElement(using: &random))
            do {
                let bytes = try codec.encode(JSON(parsing: Self.damaged(text, &random)), as: message)
                _ = try codec.decode(bytes, as: message)
            } catch is JSONSyntaxError {
                refused += 1
            } catch let error as ReflectionError {
                #expect(error.code == .invalidArgument)
                refused += 1
            }
        }
        #expect((1000..<20_000).contains(refused))
    }

    @Test("2,000 damaged descriptors are read or refused, and what is read can be described") func descriptors() throws
    {
        var random = SeededGenerator(seed: 3)
        let files = try ReflectionFixtures.files()
        var refused = 0
        for _ in 0..<2000 {
            let file = try #require(files.randomElement(using: &random))
            do {
                let pool = try DescriptorPool(files: [Self.damaged(file, &random)])
                let codec = MessageCodec(pool)
                for name in pool.messageNames.prefix(5) {
                    let message = try pool.message(named: name)
                    _ = pool.describe(message)
                    _ = try? codec.decode([0x0A, 0x02, 0x08, 0x01, 0x10, 0x01], as: message)
                }
                for service in pool.services { _ = pool.describe(service) }
            } catch is ReflectionError {
                refused += 1
            }
        }
        #expect((100..<2000).contains(refused))
    }

    @Test("20,000 damaged frames are read or refused") func frames() throws {
        var random = SeededGenerator(seed: 4)
        let body = Array(#"{"jsonrpc":"2.0","id":1,"method":"Model/List","params":{}}"#.utf8)
        let frames = LSPFraming.frame(body) + LSPFraming.frame(body)
        var state = BridgeState(try ReflectionFixtures.codec(), serverInfo: .null)
        var refused = 0
        for _ in 0..<20_000 {
            var reader = LSPFraming.Reader()
            do {
                for body in try reader.append(Self.damaged(frames, &random)) {
                    _ = state.receive(body)
                    for call in state.openCalls { _ = state.ended(call, nil) }
                }
            } catch {
                refused += 1
            }
        }
        #expect((100..<20_000).contains(refused))
    }
}
