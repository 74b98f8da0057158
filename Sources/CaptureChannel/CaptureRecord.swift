/// What the helper that captures sound says to the daemon.
///
/// Its bytes: a little-endian `UInt32`, how many follow; a byte, the kind; then fields one after another, numbers little-endian, texts
/// with a `UInt32` of their length before them.
public enum CaptureRecord: Sendable, Equatable {
    /// A sound input.
    case device(CaptureDevice)
    /// The device is open: what it is called, hertz, and seconds that it holds sound back.
    case opened(name: String, rate: Double, latency: Double)
    /// Samples at 16 kHz. `captured`: when the first was, in nanoseconds since 1970. `lost`: samples before them that nobody has.
    case sound(captured: Int64, lost: UInt64, samples: [Int16])
    /// Why the helper ends.
    case failed(String)

    /// Bytes of a record at most, its length aside.
    public static let mostBytes = 1 << 20

    private enum Kind: UInt8 {
        case device = 1
        case opened, sound, failed
    }

    public var bytes: [UInt8] {
        var body = RecordWriter()
        switch self {
        case .device(let device):
            body.put(Kind.device.rawValue)
            body.put(UInt32(clamping: device.number))
            body.put(UInt32(clamping: device.channels))
            body.put(device.rate.bitPattern)
            body.put(device.latency.bitPattern)
            body.put(UInt8(device.isDefault ? 1 : 0))
            body.put(device.name)
            body.put(device.hostAPI)
        case .opened(let name, let rate, let latency):
            body.put(Kind.opened.rawValue)
            body.put(rate.bitPattern)
            body.put(latency.bitPattern)
            body.put(name)
        case .sound(let captured, let lost, let samples):
            body.put(Kind.sound.rawValue)
            body.put(UInt64(bitPattern: captured))
            body.put(lost)
            for sample in samples { body.put(UInt16(bitPattern: sample)) }
        case .failed(let reason):
            body.put(Kind.failed.rawValue)
            body.put(reason)
        }
        var whole = RecordWriter()
        whole.put(UInt32(body.bytes.count))
        return whole.bytes + body.bytes
    }

    /// - Parameter body: a record without its length; nil for what is none.
    public init?(body: some Collection<UInt8>) {
        var reader = RecordReader(bytes: Array(body))
        guard let number: UInt8 = reader.number(), let kind = Kind(rawValue: number) else { return nil }
        switch kind {
        case .device:
            guard let number: UInt32 = reader.number(), let channels: UInt32 = reader.number(),
                let rate = reader.double(), let latency = reader.double(), let isDefault: UInt8 = reader.number(),
                let name = reader.text(), let hostAPI = reader.text()
            else { return nil }
            self = .device(
                CaptureDevice(
                    number: Int(number), name: name, hostAPI: hostAPI, channels: Int(channels), rate: rate,
                    latency: latency, isDefault: isDefault != 0))
        case .opened:
            guard let rate = reader.double(), let latency = reader.double(), let name = reader.text() else {
                return nil
            }
            self = .opened(name: name, rate: rate, latency: latency)
        case .sound:
            guard let captured: UInt64 = reader.number(), let lost: UInt64 = reader.number(), reader.left % 2 == 0
            else { return nil }
            var samples: [Int16] = []
            samples.reserveCapacity(reader.left / 2)
            while let sample: UInt16 = reader.number() { samples.append(Int16(bitPattern: sample)) }
            self = .sound(captured: Int64(bitPattern: captured), lost: lost, samples: samples)
        case .failed:
            guard let reason = reader.text() else { return nil }
            self = .failed(reason)
        }
        guard reader.left == 0 else { return nil }
    }
}

/// A sound input as the helper finds it.
public struct CaptureDevice: Sendable, Equatable {
    /// Among all devices, outputs too: it may change when something is plugged in.
    public var number: Int
    public var name: String
    public var hostAPI: String
    public var channels: Int
    /// Hertz.
    public var rate: Double
    /// Seconds that it holds sound back, as its driver says.
    public var latency: Double
    public var isDefault: Bool

    public init(
        number: Int, name: String, hostAPI: String, channels: Int, rate: Double, latency: Double, isDefault: Bool
    ) {
        self.number = number
        self.name = name
        self.hostAPI = hostAPI
        self.channels = channels
        self.rate = rate
        self.latency = latency
        self.isDefault = isDefault
    }

    /// The one of `devices` that somebody means: by number, by name, by a part of one name; empty for the default.
    /// - Returns: nil with a sentence where that is none, or several.
    public static func named(_ wanted: String, in devices: [CaptureDevice]) -> (device: CaptureDevice?, problem: String)
    {
        guard !devices.isEmpty else { return (nil, "this machine has no sound input") }
        let list = devices.map { "\($0.number) \($0.name)" }.joined(separator: ", ")
        guard !wanted.isEmpty else {
            return (devices.first(where: \.isDefault) ?? devices[0], "")
        }
        if let number = Int(wanted) {
            let device = devices.first { $0.number == number }
            return (device, "there is no sound input \(number); there are: \(list)")
        }
        if let exact = devices.first(where: { $0.name == wanted }) { return (exact, "") }
        let parts = devices.filter { $0.name.lowercased().contains(wanted.lowercased()) }
        guard parts.count != 1 else { return (parts[0], "") }
        return (
            nil,
            parts.isEmpty
                ? "no sound input is called '\(wanted)'; there are: \(list)"
                : "'\(wanted)' may be \(parts.map(\.name).joined(separator: " or "))"
        )
    }
}

/// Cuts bytes into records.
public struct CaptureRecords: Sendable {
    private var waiting: [UInt8] = []

    public init() {}

    /// - Returns: the records that `bytes` complete; nil where they are none.
    public mutating func append(_ bytes: some Collection<UInt8>) -> [CaptureRecord]? {
        waiting += bytes
        var records: [CaptureRecord] = []
        var at = 0
        while waiting.count - at >= 4 {
            let length = (0..<4).reduce(0) { $0 | Int(waiting[at + $1]) << (8 * $1) }
            guard length <= CaptureRecord.mostBytes else { return nil }
            guard waiting.count - at - 4 >= length else { break }
            guard let record = CaptureRecord(body: waiting[at + 4..<at + 4 + length]) else { return nil }
            records.append(record)
            at += 4 + length
        }
        waiting.removeFirst(at)
        return records
    }
}

private struct RecordWriter {
    var bytes: [UInt8] = []

    mutating func put(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ text: String) {
        put(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }
}

private struct RecordReader {
    private let bytes: [UInt8]
    private var at = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var left: Int { bytes.count - at }

    mutating func number<Number: FixedWidthInteger>() -> Number? {
        let size = Number.bitWidth / 8
        guard left >= size else { return nil }
        defer { at += size }
        return bytes[at..<at + size].reversed().reduce(0) { $0 &<< 8 | Number(truncatingIfNeeded: $1) }
    }

    mutating func double() -> Double? {
        guard let bits: UInt64 = number() else { return nil }
        return Double(bitPattern: bits)
    }

    mutating func text() -> String? {
        guard let count: UInt32 = number(), left >= Int(count) else { return nil }
        defer { at += Int(count) }
        return String(decoding: bytes[at..<at + Int(count)], as: UTF8.self)
    }
}
