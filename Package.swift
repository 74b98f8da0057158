// swift-tools-version: 6.0
import Foundation
import PackageDescription

/// The numerical modules are always optimised: a debug build of a matrix product is of no use to anyone.
let optimised: [SwiftSetting] = [.unsafeFlags(["-O"])]
/// The same, with what is internal open to tests in release as well: an analysis has one public type, the plugin.
let testable: [SwiftSetting] = [.unsafeFlags(["-O", "-enable-testing"])]
/// What only calls and compares is not optimised, so that the largest test modules build sooner.
let plain: [SwiftSetting] = [.unsafeFlags(["-Onone"])]

/// Kernels are one source in Swift SIMD, compiled once for each instruction set: what every processor has, and on x86-64 two wider ones.
/// Which of them runs is chosen at start.
#if arch(arm64)
    let instructionSets: [(name: String, flags: [String])] = [("Portable", [])]
#else
    let instructionSets: [(name: String, flags: [String])] = [
        ("Portable", []),
        ("AVX2", ["-Xcc", "-march=x86-64-v3"]),
        ("AVX512", ["-Xcc", "-march=x86-64-v4", "-Xcc", "-mprefer-vector-width=512"]),
        (
            "AVX512VNNI",
            [
                "-Xcc", "-march=x86-64-v4", "-Xcc", "-mavx512vnni", "-Xcc", "-mavx512bf16", "-Xcc",
                "-mprefer-vector-width=512",
            ]
        ),
        (
            "AMX",
            [
                "-Xcc", "-march=x86-64-v4", "-Xcc", "-mamx-tile", "-Xcc", "-mamx-int8", "-Xcc", "-mamx-bf16", "-Xcc",
                "-mprefer-vector-width=512",
            ]
        ),
    ]
#endif

/// The analyses that come along, in plugins/: a folder, and the module in its Sources. Each becomes a library of its own,
/// which `make plugins` puts into a bundle.
/// `parts`: modules of its own, which tests import without loading a library.
let analyses: [(folder: String, module: String, parts: [Target.Dependency])] = [
    (folder: "attention-stats", module: "AttentionStats", parts: []),
    (folder: "bigrams", module: "BigramsLibrary", parts: ["Bigrams"]),
    (folder: "compare", module: "CompareLibrary", parts: ["Compare"]),
    (folder: "cut-words", module: "CutWordsLibrary", parts: ["CutWords"]),
    (folder: "dream", module: "DreamLibrary", parts: ["Dream"]),
    (folder: "features", module: "FeaturesLibrary", parts: ["Features"]),
    (folder: "glitch", module: "GlitchLibrary", parts: ["Glitch"]),
    (folder: "heads", module: "HeadsLibrary", parts: ["Heads"]),
    (folder: "induction", module: "InductionLibrary", parts: ["Induction"]),
    (folder: "lens", module: "LensLibrary", parts: ["Lens"]),
    (folder: "neighbours", module: "NeighboursLibrary", parts: ["Neighbours"]),
    (folder: "padding-audit", module: "PaddingAuditLibrary", parts: ["PaddingAudit"]),
    (folder: "patching", module: "PatchingLibrary", parts: ["Patching"]),
    (folder: "probes", module: "ProbesLibrary", parts: ["Probes"]),
    (folder: "rollout", module: "RolloutLibrary", parts: ["Rollout"]),
    (folder: "settling", module: "SettlingLibrary", parts: ["Settling"]),
    (folder: "sae", module: "SparseAutoencodersLibrary", parts: ["SparseAutoencoders"]),
    (folder: "speakers-and-noise", module: "SpeakersAndNoiseLibrary", parts: ["SpeakersAndNoise"]),
    (folder: "window-sweep", module: "WindowSweepLibrary", parts: ["WindowSweep"]),
    (folder: "words-to-sounds", module: "WordsToSoundsLibrary", parts: ["WordsToSounds"]),
]

/// libFuzzer's library, where `make fuzz` names it: then there is a program more, and what reads sockets and files counts where
/// it has been. Ordinary builds see none of it.
let fuzzer = ProcessInfo.processInfo.environment["AUSCULT_FUZZER"]
let covered: [SwiftSetting] =
    fuzzer == nil ? [] : [.unsafeFlags(["-sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp"])]

let package = Package(
    name: "auscult",
    products: [
        .executable(name: "auscult", targets: ["auscult"]),
        .executable(name: "auscultd", targets: ["auscultd"]),
        .executable(name: "auscult-plugin-host", targets: ["auscult-plugin-host"]),
        .executable(name: "auscult-capture", targets: ["auscult-capture"]),
        .library(name: "Whisper", targets: ["Whisper"]),
        // Plugins that the tests load.
        .library(name: "FaultyPlugin", type: .dynamic, targets: ["FaultyPlugin"]),
        .library(name: "HostilePlugin", type: .dynamic, targets: ["HostilePlugin"]),
        .library(name: "NoPlugin", type: .dynamic, targets: ["NoPlugin"]),
    ] + analyses.map { .library(name: $0.folder, type: .dynamic, targets: [$0.module]) },
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    ],
    targets: [
        // System libraries: module maps, nothing else.
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CSndFile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
        .systemLibrary(
            name: "CPangoCairo", pkgConfig: "pangocairo", providers: [.apt(["libcairo2-dev", "libpango1.0-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPortAudio", pkgConfig: "portaudio-2.0", providers: [.apt(["portaudio19-dev"])]),
        .systemLibrary(name: "CSoxr", pkgConfig: "soxr", providers: [.apt(["libsoxr-dev"])]),
        .systemLibrary(
            name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // The default model and the demonstration clips, as bytes in the binary.
        .target(name: "CEmbedded"),

        // Generated by make protos: protobuf-c's code, and Swift values over it.
        .target(name: "CProtos", dependencies: ["CProtobufC"], exclude: ["descriptors.binpb"]),
        .target(name: "Messages", dependencies: ["CProtobufC", "CProtos"], swiftSettings: covered),
        .target(
            name: "Wire",
            dependencies: [
                "CDescriptors", "Messages",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ], swiftSettings: covered),
        // Passing file descriptors over a Unix socket, and memory without a name: C's macros, which Swift cannot use.
        .target(name: "CDescriptors"),
        // What keeps a plugin's process to what it was granted: Landlock, seccomp, and a process that ends what it leaves.
        .target(name: "CConfinement", dependencies: ["CSeccomp"]),
        // The binary interface of plugins: one header, and all that a plugin includes.
        .target(name: "CAuscultPlugin"),
        // Plugins: their bundles, the processes that they run in, and both sides of the wall between.
        .target(
            name: "PluginHost",
            dependencies: ["CAuscultPlugin", "CConfinement", "CDescriptors", "Files", "Messages", "StrictJSON"],
            swiftSettings: testable),
        // The Swift side of it, and the symbol that a plugin written in Swift exports: linked into plugins alone.
        .target(name: "PluginKit", dependencies: ["CAuscultPlugin"], swiftSettings: optimised),
        .target(name: "CPluginEntry", dependencies: ["CAuscultPlugin"]),
        // Analyses that are plugins, without the library around them.
        .target(
            name: "Bigrams", dependencies: ["PluginKit", "PluginStatistics", "TensorFiles"],
            path: "plugins/bigrams/Analysis", swiftSettings: testable),
        .target(
            name: "Compare",
            dependencies: [
                "Dictionaries", "Kernels", "PluginDraws", "PluginKit", "SparseAutoencoders", "TensorFiles",
            ],
            path: "plugins/compare/Analysis", swiftSettings: testable),
        .target(
            name: "CutWords", dependencies: ["PluginDraws", "PluginKit", "PluginTranscripts"],
            path: "plugins/cut-words/Analysis", swiftSettings: testable),
        .target(
            name: "Dream",
            dependencies: ["Dictionaries", "Kernels", "Mel", "PluginDraws", "PluginKit", "PluginSound", "TensorFiles"],
            path: "plugins/dream/Analysis", swiftSettings: testable),
        .target(
            name: "Features", dependencies: ["Dictionaries", "Kernels", "PluginDraws", "PluginKit", "TensorFiles"],
            path: "plugins/features/Analysis", swiftSettings: testable),
        .target(
            name: "Heads", dependencies: ["PluginKit", "PluginTranscripts"], path: "plugins/heads/Analysis",
            swiftSettings: testable),
        .target(
            name: "Glitch", dependencies: ["PluginDraws", "PluginKit", "PluginTranscripts", "PluginVocabulary"],
            path: "plugins/glitch/Analysis", swiftSettings: testable),
        .target(
            name: "Induction", dependencies: ["PluginDraws", "PluginKit", "PluginTranscripts", "PluginVocabulary"],
            path: "plugins/induction/Analysis", swiftSettings: testable),
        .target(
            name: "Lens", dependencies: ["Kernels", "PluginKit", "PluginTranscripts"], path: "plugins/lens/Analysis",
            swiftSettings: testable),
        .target(
            name: "Neighbours", dependencies: ["PluginKit", "PluginTranscripts", "PluginVocabulary"],
            path: "plugins/neighbours/Analysis", swiftSettings: testable),
        // The vocabulary as analyses see it: texts of tokens, and their embedding.
        .target(
            name: "PluginVocabulary", dependencies: ["PluginKit"], path: "plugins/vocabulary/Sources",
            swiftSettings: optimised),
        .target(
            name: "PaddingAudit", dependencies: ["PluginKit", "PluginTranscripts"],
            path: "plugins/padding-audit/Analysis", swiftSettings: testable),
        .target(
            name: "Patching", dependencies: ["PluginKit", "TensorFiles"], path: "plugins/patching/Analysis",
            swiftSettings: testable),
        .target(
            name: "Probes", dependencies: ["Kernels", "PluginDraws", "PluginKit", "PluginStatistics", "TensorFiles"],
            path: "plugins/probes/Analysis", swiftSettings: testable),
        .target(
            name: "Rollout", dependencies: ["Kernels", "PluginKit"], path: "plugins/rollout/Analysis",
            swiftSettings: testable),
        .target(
            name: "Settling", dependencies: ["PluginKit"], path: "plugins/settling/Analysis", swiftSettings: testable),
        .target(
            name: "SparseAutoencoders",
            dependencies: [
                "Dictionaries", "Kernels", "PluginDraws", "PluginKit", "PluginTranscripts", "PluginVocabulary",
            ],
            path: "plugins/sae/Analysis", swiftSettings: testable),
        .target(
            name: "SpeakersAndNoise",
            dependencies: ["Heads", "PluginDraws", "PluginKit", "PluginStatistics", "PluginTranscripts"],
            path: "plugins/speakers-and-noise/Analysis", swiftSettings: testable),
        .target(
            name: "WindowSweep", dependencies: ["PluginKit", "PluginTranscripts"],
            path: "plugins/window-sweep/Analysis", swiftSettings: testable),
        .target(
            name: "WordsToSounds",
            dependencies: ["Dictionaries", "Kernels", "Mel", "PluginKit", "PluginSound", "TensorFiles"],
            path: "plugins/words-to-sounds/Analysis", swiftSettings: testable),
        // Random numbers that depend on what is drawn for, and on no order.
        .target(name: "PluginDraws", path: "plugins/draws/Sources", swiftSettings: optimised),
        // What follows from the order of numbers.
        .target(name: "PluginStatistics", path: "plugins/statistics/Sources", swiftSettings: optimised),
        // From log-mels to sound, and parts of spectrograms as sound.
        .target(
            name: "PluginSound", dependencies: ["Kernels", "Mel", "PluginDraws", "PluginKit", "Spectra"],
            path: "plugins/sound/Sources", swiftSettings: testable),
        // Recordings written down again and again: their words, compared.
        .target(
            name: "PluginTranscripts", dependencies: ["PluginDraws", "PluginKit"], path: "plugins/transcripts/Sources",
            swiftSettings: optimised),
        // The start of a new plugin, as bytes of the binary, and how it is written into a folder.
        .target(name: "CTemplates"),
        .target(name: "PluginTemplates", dependencies: ["CTemplates"]),
        // What every layer needs of files; Foundation only.
        .target(name: "Files"),
        // SHA-256 by OpenSSL.
        .target(name: "Digests", dependencies: ["COpenSSL", "Files"]),
        // Lists of recordings with what is known about them.
        .target(name: "DataSets", dependencies: ["Files", "StrictJSON"], swiftSettings: testable + covered),

        // Features of models with what excites them, in a file: SQLite's, and what is asked of it.
        .target(
            name: "Atlas", dependencies: ["Files", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: testable),
        // Colours that the drawings and the pages share.
        .target(name: "Palette"),
        // Pictures as PNG, SVG and PDF from one drawing, with text in any script: cairo's surfaces and pango's layouts.
        .target(name: "Drawing", dependencies: ["CPangoCairo", "Palette"], swiftSettings: testable),
        // Text in columns of a terminal: how wide it is, and tables of it.
        .target(name: "TerminalText", swiftSettings: optimised),
        // What pages are made of, as bytes of the binary; their modules as one script, and pages that are one file.
        .target(name: "CPages", exclude: ["Pages"]),
        .target(name: "Pages", dependencies: ["CPages", "StrictJSON"], swiftSettings: testable),
        // The page to explore an atlas: what serves and exports it.
        .target(
            name: "AtlasPage",
            dependencies: [
                "Atlas", "Files", "Pages", "Palette",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ], swiftSettings: testable + covered),

        // The constants of a Fourier transform, and spectra by the form that every processor has.
        .target(name: "Spectra", dependencies: ["CVectors", "KernelsPortable"], swiftSettings: optimised),
        .target(
            name: "Kernels",
            dependencies: ["COpenBLAS", "CProcessor", "CVectors", "Spectra"]
                + instructionSets.map { .byName(name: "Kernels\($0.name)") },
            swiftSettings: testable),
        // What the processor has, and vector instructions that Swift has no word for.
        .target(name: "CProcessor"),
        .target(name: "CVectors"),
        // JSON, read strictly and written in an order.
        .target(name: "StrictJSON", swiftSettings: optimised + covered),
        // Files of tensors and of JSON beside them, read strictly and written whole.
        .target(
            name: "TensorFiles", dependencies: ["CZlib", "Files", "Kernels", "StrictJSON"],
            swiftSettings: optimised + covered),
        // Sparse dictionaries: their files and their mathematics.
        .target(
            name: "Dictionaries", dependencies: ["Files", "Kernels", "TensorFiles"], swiftSettings: optimised),
        // Files of sound, read and written.
        .target(name: "Audio", dependencies: ["CSndFile", "CSoxr", "Files"], swiftSettings: testable),
        // What a model hears: the log-mel of samples.
        .target(name: "Mel", dependencies: ["Audio", "Kernels", "Spectra"], swiftSettings: testable),
        // The helper that captures sound: PortAudio's callback and the ring behind it in C, and what it says to the daemon.
        .target(name: "CaptureChannel", swiftSettings: testable),
        .target(name: "CCapture", dependencies: ["CPortAudio"], cSettings: [.unsafeFlags(["-O2"])]),
        .target(
            name: "Capture", dependencies: ["Audio", "CCapture", "CPortAudio", "CaptureChannel"],
            swiftSettings: testable
        ),
        .executableTarget(name: "auscult-capture", dependencies: ["Capture"]),
        .target(
            name: "Whisper",
            dependencies: ["CZlib", "Dictionaries", "Files", "Kernels", "StrictJSON", "TensorFiles"],
            exclude: ["Hooks/INTERVENTIONS.md"],
            swiftSettings: fuzzer == nil ? optimised : testable + covered),
        .target(
            name: "Daemon",
            dependencies: [
                "Atlas", "Audio", "CDescriptors", "CEmbedded", "CaptureChannel", "DataSets", "Dictionaries", "Digests",
                "Files", "Kernels",
                "Mel", "Messages", "PluginHost", "TensorFiles", "Whisper", "Wire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "TOMLKit", package: "TOMLKit"),
            ], swiftSettings: testable),
        // What analyses give: typed values, and their forms as text, files, drawings and pages.
        .target(
            name: "Results",
            dependencies: [
                "Audio", "Drawing", "Files", "Messages", "Pages", "Palette", "Spectra", "StrictJSON", "TerminalText",
                "Wire",
            ],
            exclude: ["RESULTS.md"], swiftSettings: testable),
        // The near side of the socket: finding or starting the daemon, recordings, the console, how commands end.
        .target(
            name: "Client",
            dependencies: [
                "DataSets", "Digests", "Files", "Messages", "Results", "TerminalText", "Wire",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: testable),
        // JSON as any message of any server, by the descriptors that it gives; JSON-RPC for editors.
        .target(
            name: "Reflection",
            dependencies: [
                "Client", "Files", "Messages", "StrictJSON", "Wire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ], swiftSettings: testable),
        // What results were made of, as digests, and whether they come out again.
        .target(
            name: "Receipts",
            dependencies: ["Client", "Digests", "Files", "Messages", "Reflection", "Results", "StrictJSON"],
            swiftSettings: testable),
        // The post's experiments, and the page that says how they went.
        .target(
            name: "Reproduction",
            dependencies: [
                "Client", "Digests", "Files", "Messages", "Pages", "Receipts", "Results", "StrictJSON", "TerminalText",
                "Wire",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: testable),
        .target(
            name: "Commands",
            dependencies: [
                "Atlas", "AtlasPage", "Audio", "Client", "Digests", "Drawing", "Files", "Messages", "Palette",
                "PluginTemplates", "Receipts", "Reflection", "Reproduction", "Results", "StrictJSON", "TerminalText",
                "Wire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: testable),
        .executableTarget(name: "auscult", dependencies: ["Commands"]),
        .executableTarget(name: "auscultd", dependencies: ["Daemon"]),
        // What is measured and how, of `make bench`; the machine's peak is measured in C, which can name instructions.
        .target(name: "CMachinePeak", cSettings: [.define("_GNU_SOURCE"), .unsafeFlags(["-O2"])]),
        .target(
            name: "Bench",
            dependencies: [
                "Audio", "CDescriptors", "CMachinePeak", "Daemon", "Files", "Kernels", "Mel", "Messages",
                "PluginHost", "SparseAutoencoders", "StrictJSON", "TensorFiles", "TerminalText", "TestHost", "Whisper",
                "Wire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: testable),
        .executableTarget(name: "auscult-bench", dependencies: ["Bench"]),
        .executableTarget(name: "auscult-plugin-host", dependencies: ["PluginHost"]),

        .target(name: "TestSupport", dependencies: ["CPangoCairo", "Kernels"], path: "Tests/TestSupport"),
        .testTarget(
            name: "BigramsTests",
            dependencies: ["Bigrams", "PluginKit", "PluginStatistics", "TestHost", "TestSupport"]),
        // What changes of a model do to what it writes: heads, windows, cuts, padding, speakers.
        .testTarget(
            name: "CausalTests",
            dependencies: [
                "CutWords", "Heads", "PaddingAudit", "PluginKit", "PluginTranscripts", "SpeakersAndNoise", "TestHost",
                "TestSupport", "WindowSweep",
            ]),
        // Sounds that are made: dreams, and what a word rests on.
        .testTarget(
            name: "DreamTests",
            dependencies: [
                "Dream", "Kernels", "Mel", "PluginKit", "PluginSound", "TensorFiles", "TestHost", "TestSupport",
                "WordsToSounds",
            ]),
        .testTarget(
            name: "LanguageTests",
            dependencies: [
                "Compare", "Glitch", "Induction", "Lens", "Neighbours", "PluginDraws", "PluginKit", "PluginVocabulary",
                "TestHost", "TestSupport",
            ]),
        .testTarget(
            name: "PatchingTests",
            dependencies: ["Kernels", "Patching", "PluginKit", "TensorFiles", "TestHost", "TestSupport"]),
        .testTarget(
            name: "ProbesTests",
            dependencies: ["PluginDraws", "PluginKit", "PluginStatistics", "Probes", "TestHost", "TestSupport"]),
        .testTarget(
            name: "FeaturesTests",
            dependencies: [
                "Dictionaries", "Features", "Kernels", "PluginDraws", "PluginKit", "TensorFiles", "TestHost",
                "TestSupport",
            ]),
        // A host of plugins for their tests: loads a bundle into the process and calls it through the C interface.
        .target(name: "TestHost", dependencies: ["CAuscultPlugin", "PluginKit"], path: "Tests/TestHost"),
        .testTarget(name: "AtlasPageTests", dependencies: ["Atlas", "AtlasPage", "Files", "TestSupport"]),
        .testTarget(
            name: "BenchTests",
            dependencies: [
                "Bench", "StrictJSON", "TestSupport", "Whisper",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(name: "DigestsTests", dependencies: ["Digests", "Files", "TestSupport"]),
        .testTarget(name: "DrawingTests", dependencies: ["CPangoCairo", "Drawing", "Palette", "TestSupport"]),
        .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
        .testTarget(name: "DataSetsTests", dependencies: ["DataSets", "Files", "TestSupport"]),
        // What two atlases say, for comparing them.
        .target(name: "AtlasSupport", dependencies: ["Atlas"], path: "Tests/AtlasSupport"),
        .testTarget(
            name: "AtlasTests",
            dependencies: [
                "Atlas", "AtlasSupport", "Files", "TestSupport", .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels", "Spectra", "TestSupport"]),
        .testTarget(name: "AudioTests", dependencies: ["Audio", "CSndFile", "Files", "Kernels", "Mel", "TestSupport"]),
        .testTarget(
            name: "WhisperTests",
            dependencies: ["Dictionaries", "Files", "Kernels", "TensorFiles", "TestSupport", "Whisper"]),
        .testTarget(
            name: "DictionariesTests", dependencies: ["Dictionaries", "Kernels", "TensorFiles", "TestSupport"]),
        .testTarget(
            name: "SparseAutoencodersTests",
            dependencies: ["Dictionaries", "Kernels", "PluginKit", "SparseAutoencoders", "TestHost", "TestSupport"]),
        .testTarget(name: "TerminalTextTests", dependencies: ["TerminalText"]),
        .testTarget(name: "TensorFilesTests", dependencies: ["Files", "Kernels", "TensorFiles", "TestSupport"]),
        .testTarget(
            name: "WireTests",
            dependencies: [
                "CDescriptors", "CProtos", "Messages", "TestSupport", "Wire",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        .target(
            name: "FaultyPlugin", dependencies: ["CAuscultPlugin"], path: "Tests/PluginHostTests/Plugins/FaultyPlugin"),
        .target(
            name: "HostilePlugin", dependencies: ["CAuscultPlugin"], path: "Tests/PluginHostTests/Plugins/HostilePlugin"
        ),
        .target(name: "NoPlugin", path: "Tests/PluginHostTests/Plugins/NoPlugin"),
        .testTarget(
            name: "PluginHostTests",
            dependencies: ["auscult-plugin-host", "CDescriptors", "Files", "Messages", "PluginHost", "TestSupport"],
            exclude: ["Plugins"]),
        .testTarget(
            name: "CaptureTests",
            dependencies: ["Audio", "CCapture", "Capture", "CaptureChannel"]),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Audio", "auscult-capture", "CDescriptors", "Daemon", "DataSets", "Dictionaries", "Digests", "Files",
                "Kernels",
                "Mel", "Messages", "PluginHost", "PluginTemplates", "TensorFiles", "TestSupport", "Whisper", "Wire",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: plain),
        .testTarget(
            name: "ResultsTests",
            dependencies: ["Drawing", "Messages", "Palette", "Results", "StrictJSON", "TestSupport", "Whisper"]),
        .testTarget(name: "ClientTests", dependencies: ["Client"]),
        .testTarget(name: "ReflectionTests", dependencies: ["Reflection", "StrictJSON", "TestSupport"]),
        .testTarget(name: "PagesTests", dependencies: ["Pages", "StrictJSON"]),
        .testTarget(name: "StrictJSONTests", dependencies: ["StrictJSON"]),
        .testTarget(
            name: "ReproductionTests",
            dependencies: ["Client", "DataSets", "Messages", "Reproduction", "Results", "TestSupport"]),
        .testTarget(
            name: "CommandsTests",
            dependencies: [
                "Atlas", "AtlasSupport", "Audio", "Client", "Commands", "Daemon", "Dictionaries", "Digests", "Files",
                "Kernels", "Messages", "PluginHost", "Reflection", "Reproduction", "Results", "StrictJSON",
                "TensorFiles",
                "TerminalText", "TestSupport", "Whisper", "Wire",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: plain),
        .testTarget(
            name: "PluginsTests",
            dependencies: [
                "Audio", "Kernels", "Mel", "PluginKit", "PluginTemplates", "Rollout", "Settling",
                "TestHost", "TestSupport",
                "Whisper",
            ]),
    ]
        + instructionSets.map {
            .target(
                name: "Kernels\($0.name)", dependencies: ["CVectors"], path: "Sources/KernelForms/\($0.name)",
                swiftSettings: [.unsafeFlags(["-O"] + $0.flags)])
        }
        + analyses.map {
            .target(
                name: $0.module, dependencies: ["CPluginEntry", "PluginKit"] + $0.parts,
                path: "plugins/\($0.folder)/Sources",
                swiftSettings: optimised,
                // A process may hold several plugins, each with its own PluginKit: each calls its own.
                linkerSettings: [.unsafeFlags(["-Xlinker", "-Bsymbolic"])])
        }
        + (fuzzer.map { library in
            [
                .target(name: "CFuzzer", path: "Tests/fuzz/CFuzzer"),
                .executableTarget(
                    name: "auscult-fuzz",
                    dependencies: [
                        "AtlasPage", "CFuzzer", "DataSets", "Messages", "StrictJSON", "TensorFiles", "Whisper", "Wire",
                        .product(name: "NIOCore", package: "swift-nio"),
                    ],
                    path: "Tests/fuzz/Sources", swiftSettings: covered,
                    linkerSettings: [.unsafeFlags([library, "-lstdc++"])]),
            ]
        } ?? [])
)

// Test modules take longest to build. `ONLY_TESTS=WhisperTests,WireTests swift build --build-tests` leaves the others out.
if let chosen = ProcessInfo.processInfo.environment["ONLY_TESTS"] {
    let names = chosen.split(separator: ",").map(String.init)
    package.targets.removeAll { $0.type == .test && !names.contains($0.name) }
}
