// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "template-swift",
    products: [.library(name: "plugin", type: .dynamic, targets: ["TemplateSwift"])],
    targets: [
        // Auscult's side: the C header, the entry symbol and PluginKit. Not to be edited.
        .target(name: "CAuscultPlugin", path: "auscult/CAuscultPlugin"),
        .target(name: "CPluginEntry", dependencies: ["CAuscultPlugin"], path: "auscult/CPluginEntry"),
        .target(name: "PluginKit", dependencies: ["CAuscultPlugin"], path: "auscult/PluginKit"),

        .target(name: "TemplateSwift", dependencies: ["CPluginEntry", "PluginKit"], path: "Sources"),
    ]
)
