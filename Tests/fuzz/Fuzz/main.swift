// libFuzzer makes up inputs and tries them: Tests/fuzz/run.sh, or make fuzz.

/// libFuzzer's own entry point. SwiftPM calls `main` by another name, so the one that comes with libFuzzer is not found.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ try: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
_ = runDriver(&count, &arguments) { fuzz($0, $1) }
