// swift-tools-version: 6.0
import PackageDescription

/// The numerical modules are always optimised: a debug build of a matrix product is of no use to anyone.
let optimised: [SwiftSetting] = [.unsafeFlags(["-O"])]

let package = Package(
    name: "auscult",
    products: [
        .executable(name: "auscult", targets: ["auscult"]),
        .executable(name: "auscultd", targets: ["auscultd"]),
        .library(name: "Whisper", targets: ["Whisper"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // System libraries: module maps, nothing else.
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CSndFile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CSoxr", pkgConfig: "soxr", providers: [.apt(["libsoxr-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // The default model and the demonstration clips, as bytes in the binary.
        .target(name: "CEmbedded"),

        // What every layer needs of files; Foundation only.
        .target(name: "Files"),

        .target(name: "Kernels", dependencies: ["COpenBLAS"], swiftSettings: optimised),
        .target(name: "Audio", dependencies: ["Kernels", "CSndFile", "CSoxr"], swiftSettings: optimised),
        .target(name: "Whisper", dependencies: ["CZlib", "Files", "Kernels"], swiftSettings: optimised),
        .target(
            name: "Daemon",
            dependencies: [
                "Audio", "CEmbedded", "COpenSSL", "Files", "Kernels", "Whisper",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "TOMLKit", package: "TOMLKit"),
            ]),
        .target(
            name: "Commands",
            dependencies: [
                "Audio", "Daemon", "Files", "Whisper",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(name: "auscult", dependencies: ["Commands"]),
        .executableTarget(name: "auscultd", dependencies: ["Daemon"]),

        .target(name: "TestSupport", dependencies: ["Kernels"], path: "Tests/TestSupport"),
        .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels", "TestSupport"]),
        .testTarget(name: "AudioTests", dependencies: ["Audio", "TestSupport"]),
        .testTarget(name: "WhisperTests", dependencies: ["Files", "Whisper", "TestSupport"]),
        .testTarget(
            name: "DaemonTests",
            dependencies: [
                "Daemon", "Files", "TestSupport",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(name: "CommandsTests", dependencies: ["Commands", "Daemon", "Files", "TestSupport", "Whisper"]),
    ]
)
