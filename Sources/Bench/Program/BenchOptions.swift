import ArgumentParser
import Foundation

/// What every layer's measurement takes.
public struct BenchOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Write everything, single samples too, to this file.", valueName: "file"))
    public var json: String?

    @Flag(help: "Print tables as SPEED.md has them.")
    public var markdown = false

    @Flag(help: "A few rounds and the small sizes: to see that all works, not to compare.")
    public var quick = false

    @Option(
        help: ArgumentHelp(
            "A released checkpoint's folder; repeatable. Without it those that were downloaded, or else random weights.",
            valueName: "folder"))
    public var model: [String] = []

    @Option(help: ArgumentHelp("Rounds of each measurement (11; 3 with --quick).", valueName: "n"))
    public var rounds: Int?

    @Option(help: ArgumentHelp("Numbers of threads, with commas (1 and all cores).", valueName: "n,…"))
    public var threads: String?

    @Option(
        help: ArgumentHelp(
            "A Python with Tests/speed/requirements.txt; without it no peers are measured.", valueName: "python"))
    public var peers: String?

    @Option(
        help: ArgumentHelp(
            "Names of what is measured, with commas: for all the layers, for rpc wire, daemon, plugins, otherwise "
                + "contenders (auscult, openai-whisper, transformers, ctranslate2, whisper.cpp).", valueName: "name,…"))
    public var only: String?

    @Option(
        help: ArgumentHelp(
            "Forms of our kernels to measure as well, with commas (AUSCULT_KERNELS).", valueName: "name,…"))
    public var kernels: String?

    @Option(help: ArgumentHelp("An older auscult-bench to measure beside this one.", valueName: "program"))
    public var baseline: String?

    @Option(
        help: ArgumentHelp(
            "Model sizes whose encoders are measured, with commas (tiny to large-v3; tiny and base with --quick).",
            valueName: "name,…"))
    public var sizes: String?

    @Option(help: ArgumentHelp("A manifest of recordings, a JSON object with 'path' a line.", valueName: "manifest"))
    public var data: String?

    public init() {}

    public func validate() throws {
        if let rounds, rounds < 1 { throw ValidationError("--rounds is \(rounds); expected 1 or more.") }
        _ = try threadCounts
        _ = try modelSizes
    }

    public var roundCount: Int { rounds ?? (quick ? 3 : 11) }

    /// - Throws: `ValidationError` for what is no number of threads.
    public var threadCounts: [Int] {
        get throws {
            let cores = ProcessInfo.processInfo.activeProcessorCount
            guard let threads else { return cores > 1 ? [1, cores] : [1] }
            return try Self.parts(threads).map { part in
                guard let count = Int(part), (1...256).contains(count) else {
                    throw ValidationError("--threads has '\(part)'; expected numbers from 1 to 256.")
                }
                return count
            }
        }
    }

    /// - Throws: `ValidationError` for a size that there is not.
    var modelSizes: [ModelSize] {
        get throws {
            guard let sizes else { return quick ? [.tiny, .base] : ModelSize.allCases }
            return try Self.parts(sizes).map { part in
                guard let size = ModelSize(rawValue: part) else {
                    let known = ModelSize.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ValidationError("--sizes has '\(part)'; expected of \(known).")
                }
                return size
            }
        }
    }

    var kernelNames: [String] { kernels.map(Self.parts) ?? [] }

    /// Whether `name` is to be measured.
    func wants(_ name: String) -> Bool { only.map { Self.parts($0).contains(name) } ?? true }

    static func parts(_ list: String) -> [String] {
        list.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
