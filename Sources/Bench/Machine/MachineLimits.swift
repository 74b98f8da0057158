import Foundation

/// What the machine can do at best, measured in the same run: a byte there and back, and bytes one way, between two
/// threads over a Unix socket with nothing around them; and a copy in memory.
enum MachineLimits {
    /// Microseconds for a byte there and back.
    static func roundTrips(_ count: Int) -> [Double] {
        let (here, there) = pair()
        let echo = Thread {
            var byte: UInt8 = 0
            while read(there, &byte, 1) == 1 { write(there, &byte, 1) }
        }
        echo.start()
        defer {
            shutdown(here, Int32(SHUT_RDWR))
            close(here)
            close(there)
        }
        var byte: UInt8 = 1
        return (0..<count).map { _ in
            seconds {
                write(here, &byte, 1)
                read(here, &byte, 1)
            } * 1e6
        }
    }

    /// GB/s over a Unix socket, in writes and reads of 1 MiB.
    static func socketStream(mebibytes: Int) -> Double {
        let (here, there) = pair()
        let size = 1 << 20
        let writer = Thread {
            let piece = [UInt8](repeating: 7, count: size)
            for _ in 0..<mebibytes {
                var done = 0
                while done < size {
                    let count = piece.withUnsafeBytes { write(there, $0.baseAddress! + done, size - done) }
                    guard count > 0 else { return }
                    done += count
                }
            }
        }
        var buffer = [UInt8](repeating: 0, count: size)
        let time = seconds {
            writer.start()
            var left = mebibytes * size
            while left > 0 {
                let count = read(here, &buffer, size)
                guard count > 0 else { return }
                left -= count
            }
        }
        close(here)
        close(there)
        return Double(mebibytes * size) / time / 1e9
    }

    /// GB/s of a copy from memory to memory, larger than any cache.
    static func copy() -> Double {
        let size = 256 << 20
        let from = [UInt8](repeating: 3, count: size)
        var to = [UInt8](repeating: 0, count: size)
        let time = seconds { to.withUnsafeMutableBytes { to in from.withUnsafeBytes { to.copyMemory(from: $0) } } }
        precondition(to[size / 2] == 3)
        return Double(size) / time / 1e9
    }

    /// Processes that wanted to run in the last minute, on average, as the system counts them: what else there was to do.
    static func load() -> Double {
        var averages = [0.0]
        return getloadavg(&averages, 1) == 1 ? averages[0] : .nan
    }

    private static func pair() -> (Int32, Int32) {
        var ends: [Int32] = [0, 0]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
        return (ends[0], ends[1])
    }
}
