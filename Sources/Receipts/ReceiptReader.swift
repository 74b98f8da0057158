import Client
import Messages
import StrictJSON

/// An object of a receipt; what is missing is told by its name.
struct ReceiptReader {
    let json: JSON
    init(_ json: JSON) { self.json = json }

    private func missing(_ name: String) -> CommandError { CommandError(.badData, "it lacks \"\(name)\"") }

    func text(_ name: String) throws -> String {
        guard let member = json[name] else { throw missing(name) }
        if member.isNull { return "" }
        guard let text = member.string else { throw missing(name) }
        return text
    }
    func object(_ name: String) throws -> ReceiptReader {
        guard let member = json[name], member.members != nil else { throw missing(name) }
        return ReceiptReader(member)
    }
    func optional(_ name: String) -> ReceiptReader? { json[name].flatMap { $0.isNull ? nil : ReceiptReader($0) } }
    func list(_ name: String) throws -> [ReceiptReader] {
        guard let array = json[name]?.array else { throw missing(name) }
        return array.map(ReceiptReader.init)
    }
    func texts(_ name: String) throws -> [String] {
        guard let array = json[name]?.array else { throw missing(name) }
        return try array.map {
            guard let text = $0.string else { throw missing(name) }
            return text
        }
    }
    func number(_ name: String) throws -> UInt64 {
        switch json[name] {
        case .integer(let value)?: if let number = UInt64(exactly: value) { return number }
        case .unsigned(let value)?: return value
        default: break
        }
        throw missing(name)
    }
    func flag(_ name: String) throws -> Bool {
        guard case .bool(let value)? = json[name] else { throw missing(name) }
        return value
    }
    func value<Value: ProtoEnum>(_ name: String, _: Value.Type) throws -> Value {
        let text = try text(name)
        guard let value = Value(name: text) ?? Int32(text).map(Value.init(rawValue:)) else { throw missing(name) }
        return value
    }
    func digests(_ name: String) throws -> [NamedDigest] {
        try list(name).map { NamedDigest(name: try $0.text("name"), sha256: try $0.text("sha256")) }
    }
    func arguments(_ name: String) throws -> [V1.PluginArgument] {
        guard let members = json[name]?.members else { throw missing(name) }
        return try members.map { id, value in
            guard let value = value.string else { throw missing(name) }
            return V1.PluginArgument(id: id, value: value)
        }
    }
    func shard() throws -> V1.Shard? {
        try optional("shard").map {
            V1.Shard(index: UInt32(clamping: try $0.number("index")), count: UInt32(clamping: try $0.number("count")))
        }
    }
}
