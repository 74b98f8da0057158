/// What an address has to begin with: 128 random bits, which nobody but the reader of the server's output knows.
///
/// A port of 127.0.0.1 is open to every user of the machine, and a folder's mode says nothing there.
struct PageToken: Sendable {
    /// 32 hexadecimal digits.
    let text: String

    init() {
        var system = SystemRandomNumberGenerator()
        text = (0..<2).map { _ in
            let digits = String(system.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// Whether `path` lies under the token. Takes as long for a wrong one as for the right one.
    func opens(_ path: some StringProtocol) -> Bool {
        let first = Array(path.drop { $0 == "/" }.prefix { $0 != "/" }.utf8), own = Array(text.utf8)
        guard first.count == own.count else { return false }
        return zip(first, own).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
