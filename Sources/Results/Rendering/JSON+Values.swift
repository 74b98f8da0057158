import StrictJSON

extension JSON {
    /// A string, or null for an empty one, which is how a message says that there is none.
    package init(present value: String) { self = value.isEmpty ? .null : .string(value) }
    package init(_ value: Double?) { self = value.map(JSON.number) ?? .null }
    /// An integer of any size.
    package init(_ value: UInt64) { self = Int(exactly: value).map(JSON.integer) ?? .unsigned(value) }
    package init(_ values: [Int32]) { self = .array(values.map { .integer(Int($0)) }) }
    package init(_ values: [UInt64]) { self = .array(values.map { JSON($0) }) }
    package init(_ values: [String]) { self = .array(values.map(JSON.string)) }
}
