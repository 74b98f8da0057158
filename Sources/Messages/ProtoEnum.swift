/// An enum of the contract as a Swift value; the conformances are generated.
///
/// The set is open, as protobuf's are: a number that this program does not know is a value like any other, without a
/// place among ``allCases``.
public protocol ProtoEnum: RawRepresentable<Int32>, CaseIterable, Hashable, Sendable {
    init(rawValue: Int32)
    /// The names of ``allCases``, in their order: those of the .proto file in lower case, `timed_events`.
    static var names: [String] { get }
}

extension ProtoEnum {
    /// The name in lower case, `timed_events`; the number where there is no name.
    public var name: String {
        zip(Self.allCases, Self.names).first { $0.0 == self }?.1 ?? "\(rawValue)"
    }

    /// The value of a name; nil for one that the enum has not.
    public init?(name: String) {
        guard let found = zip(Self.allCases, Self.names).first(where: { $0.1 == name })?.0 else { return nil }
        self = found
    }
}
