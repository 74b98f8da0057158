import Foundation

/// What may be read of one file into memory: half of the machine's.
///
/// A file of nothing but a header and a hole says that it has terabytes, and Swift ends the process where an allocation fails.
package enum ReadingLimit {
    package static let bytes = Int(clamping: ProcessInfo.processInfo.physicalMemory / 2)

    /// - Parameters:
    ///   - elements: as float32; nil for more than can be counted.
    ///   - what: the file, and what of it.
    /// - Throws: ``TensorFileError`` (`resourceExhausted`).
    package static func check(elements: Int?, _ what: @autoclosure () -> String) throws {
        guard let elements, elements <= bytes / MemoryLayout<Float>.size else {
            let needed = elements.map { "\($0 / 1_000_000 * 4) MB" } ?? "more than can be counted"
            throw TensorFileError(
                .resourceExhausted,
                "\(what()) takes \(needed) as float32; at most \(bytes / 1_000_000) MB are read, half of this machine's memory"
            )
        }
    }
}
