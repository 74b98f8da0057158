import Foundation
import TestSupport
import Testing

import PluginHost

@Suite("A thousand crashes", .serialized)
struct LeakTests {
    @Test("leave no descriptor, no process and no memory behind")
    func leaks() throws {
        let bundle = try TestBundle()
        func crash() throws {
            let gathered = Gathered()
            let process = try gathered.start(bundle)
            let error = #expect(throws: PluginError.self) { try provoke("abort", gathered, process) }
            #expect(error?.code == .crashed)
        }
        // The pool's threads, the loader's pages: what the first ones make and keep.
        for _ in 0..<100 { try crash() }
        let before = try Usage()
        for _ in 0..<1000 { try crash() }
        let after = try Usage()
        print("1000 crashes: \(before) before, \(after) after")
        // Other suites run beside this one and have a few of their own; a leak would be a thousand or more.
        #expect(after.descriptors < before.descriptors + 200)
        #expect(after.children < before.children + 100)
        #expect(after.threads < before.threads + 100)
        // Other suites' memory comes and goes; 64 KiB a crash would be 64 MiB, a single page 4 MiB.
        #expect(after.resident < before.resident + (256 << 20))
    }

    struct Usage: CustomStringConvertible {
        let descriptors: Int
        let children: Int
        let threads: Int
        let resident: Int

        init() throws {
            let files = FileManager.default
            descriptors = try files.contentsOfDirectory(atPath: "/proc/self/fd").count
            threads = try files.contentsOfDirectory(atPath: "/proc/self/task").count
            children = try files.contentsOfDirectory(atPath: "/proc/self/task").reduce(0) { count, thread in
                let text = try? String(contentsOfFile: "/proc/self/task/\(thread)/children", encoding: .utf8)
                return count + (text ?? "").split(separator: " ").count
            }
            let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
            resident = (Int(pages[1]) ?? 0) * 4096
        }

        var description: String {
            "\(descriptors) descriptors, \(children) children, \(threads) threads, \(resident >> 20) MiB"
        }
    }
}
