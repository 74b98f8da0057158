import Foundation
import CFuzzer

// auscult-fuzz [libFuzzer's options] CORPUS: `make fuzz` builds and runs it.
var argumentCount = CommandLine.argc
var argumentValues: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
let status = withUnsafeMutablePointer(to: &argumentValues) { values in
    values.withMemoryRebound(to: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?.self, capacity: 1) { values in
        LLVMFuzzerRunDriver(&argumentCount, values) { start, count in
            Fuzzed.tryOut(UnsafeBufferPointer(start: start, count: count))
            return 0
        }
    }
}
exit(status)
