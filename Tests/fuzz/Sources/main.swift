import CFuzzer
import Foundation

// auscult-fuzz KIND [libFuzzer's options] CORPUS: `make fuzz` builds and runs it.
guard Fuzzed.chosen != nil else {
    let kinds = Fuzzed.allCases.map(\.rawValue).joined(separator: ", ")
    FileHandle.standardError.write(Data("auscult-fuzz KIND [OPTIONS] CORPUS…, where KIND is one of \(kinds)\n".utf8))
    exit(64)
}
// libFuzzer has the rest, behind the program's name.
var arguments = [CommandLine.unsafeArgv[0]] + (2..<Int(CommandLine.argc)).map { CommandLine.unsafeArgv[$0] } + [nil]
var count = Int32(arguments.count - 1)
let status = arguments.withUnsafeMutableBufferPointer { buffer in
    var values = buffer.baseAddress
    return withUnsafeMutablePointer(to: &values) { values in
        values.withMemoryRebound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1) { values in
            LLVMFuzzerRunDriver(&count, values) { start, count in
                Fuzzed.chosen?.tryOut(UnsafeBufferPointer(start: start, count: count))
                return 0
            }
        }
    }
}
exit(status)
