import COpenBLAS
import CProcessor
import Foundation

/// OpenBLAS as this process has it: the portable path of products, and the oracle of our own.
///
/// It has kernels for many processors and chooses among them when it is loaded, by the processor's model. What is newer than the library is
/// taken for the oldest of all: Debian 12's 0.3.21 takes recent Intel servers for a Prescott, and is five times slower than
/// it could be. So its choice is compared with what the processor has, and made anew by `OPENBLAS_CORETYPE` where it falls short, before
/// the first product. A choice that the variable made is left as it is.
public enum BLASLibrary {
    /// What OpenBLAS is and does here.
    public struct Description: Sendable, Equatable {
        /// "0.3.21".
        public let version: String
        /// The processor whose kernels run, as OpenBLAS names it: "Zen", "Haswell", "SkylakeX", "Prescott".
        public let core: String
        /// Why its products are slower than they could be; nil where they are not, so far as can be told.
        public let notice: String?
        /// What was set right; nil where nothing had to be.
        public let correction: String?
    }

    /// OpenBLAS in this process, its choice checked and set right where that can be done.
    public static let description: Description = {
        let needed = InstructionSet.ofProcessor
        let chosen = core
        let setting = ProcessInfo.processInfo.environment["OPENBLAS_CORETYPE"].flatMap { $0.isEmpty ? nil : $0 }
        guard !fits(chosen, needed), setting == nil, openblas_can_choose_again(), let wanted = needed.core else {
            return Description(
                version: version, core: chosen, notice: notice(chosen, needed, setting: setting), correction: nil)
        }
        choose(wanted)
        return Description(
            version: version, core: core, notice: notice(core, needed, setting: nil),
            correction: core == chosen
                ? nil : "OpenBLAS \(version) took this processor for a \(chosen); it uses the kernels of \(core) now.")
    }()

    /// Tells OpenBLAS to stay on the thread that calls it; before its first use, checks its choice of kernels.
    static func keepToCallingThread() {
        _ = description
        openblas_set_num_threads(1)
    }

    /// The processor whose kernels OpenBLAS uses at this moment.
    static var core: String { openblas_get_corename().map { String(cString: $0) } ?? "" }

    /// "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …" has it second.
    private static var version: String {
        let words = openblas_get_config().map { String(cString: $0) } ?? ""
        return words.split(separator: " ").dropFirst().first.map(String.init) ?? "of an unknown version"
    }

    /// Makes OpenBLAS use the kernels of `core`. Nothing else may use it meanwhile.
    static func choose(_ core: String) {
        // Child processes get it as well, and need not choose again.
        setenv("OPENBLAS_CORETYPE", core, 1)
        openblas_choose_again()
    }

    /// What vector instructions there are, each set with all before it.
    enum InstructionSet: Int, Comparable, CustomStringConvertible {
        case baseline, avx, avx2, avx512

        static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

        var description: String {
            switch self {
            case .baseline: "SSE"
            case .avx: "AVX"
            case .avx2: "AVX2"
            case .avx512: "AVX-512"
            }
        }

        static var ofProcessor: Self { processor_has_avx512() ? .avx512 : processor_has_avx2() ? .avx2 : .baseline }

        /// The processor that OpenBLAS has kernels of this set for, whatever its version; nil where the set says too little.
        var core: String? {
            switch self {
            case .avx512: "SkylakeX"
            case .avx2: processor_is_amd() ? "Zen" : "Haswell"
            case .avx, .baseline: nil
            }
        }

        /// What the kernels use that OpenBLAS has for a processor; nil for one that is newer than this list, which has all.
        static func ofCore(_ name: String) -> Self? {
            switch name.lowercased() {
            case "prescott", "core2", "penryn", "dunnington", "nehalem", "atom", "katmai", "coppermine", "northwood",
                "banias",
                "athlon", "opteron", "opteron_sse3", "barcelona", "bobcat", "nano", "generic", "unknown":
                .baseline
            case "sandybridge", "bulldozer", "piledriver", "steamroller": .avx
            case "haswell", "zen", "excavator": .avx2
            case "skylakex", "cooperlake", "sapphirerapids": .avx512
            default: nil
            }
        }
    }

    /// Whether the kernels of `core` use what a processor with `needed` has.
    static func fits(_ core: String, _ needed: InstructionSet) -> Bool {
        guard let used = InstructionSet.ofCore(core) else { return true }
        return used >= needed
    }

    /// What to tell a user about a choice that does not fit; nil about one that does.
    static func notice(_ core: String, _ needed: InstructionSet, setting: String?) -> String? {
        guard !fits(core, needed), let used = InstructionSet.ofCore(core) else { return nil }
        let why =
            setting.map { "OPENBLAS_CORETYPE is '\($0)'" }
            ?? "it took the processor for one, and cannot be told otherwise while it runs"
        let remedy = needed.core.map { "; OPENBLAS_CORETYPE=\($0) would be faster" } ?? ""
        return
            "OpenBLAS uses the kernels of \(core), with \(used) alone, on a processor that has \(needed): \(why)\(remedy)."
    }
}
