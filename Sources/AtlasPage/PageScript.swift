import Foundation

/// The page's modules as one plain script: browsers load no modules from a folder on disk.
///
/// Each module becomes a function that gives back what it exports, and each import takes from there. This knows the few
/// forms that the page's own modules use, and refuses others.
enum PageScript {
    struct Failure: Error, CustomStringConvertible { let description: String }

    /// - Throws: ``Failure`` for an import or export in another form, and for modules that import each other in a circle.
    static func bundle(_ modules: [String: String], main: String) throws -> String {
        var out = "'use strict';\nconst modules = {};\n"
        var state: [String: Bool] = [:]
        func add(_ name: String) throws {
            if state[name] == true { return }
            guard state[name] == nil, let text = modules[name] else {
                throw Failure(description: "\(name) is imported in a circle, or is not there")
            }
            state[name] = false
            let module = try Module(name, text)
            for needed in module.imports { try add(needed) }
            state[name] = true
            out +=
                "modules['\(name)'] = (() => {\n\(module.body)\nreturn { \(module.exports.joined(separator: ", ")) };\n})();\n"
        }
        try add(main)
        return out
    }

    private struct Module {
        var imports: [String] = []
        var exports: [String] = []
        var body = ""

        init(_ name: String, _ text: String) throws {
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                if line.hasPrefix("import ") {
                    guard let match = line.wholeMatch(of: /import \{ ([\w, ]+) \} from '\.\/([\w.]+)';/) else {
                        throw Failure(description: "\(name) imports in a form that cannot be bundled: \(line)")
                    }
                    imports.append(String(match.2))
                    let names = match.1.replacing(" as ", with: ": ")
                    body += "const { \(names) } = modules['\(match.2)'];\n"
                } else if line.hasPrefix("export ") {
                    let declaration = line.dropFirst("export ".count)
                    guard let match = declaration.prefixMatch(of: /(?:async )?(?:function|const|class) (\w+)/) else {
                        throw Failure(description: "\(name) exports in a form that cannot be bundled: \(line)")
                    }
                    exports.append(String(match.1))
                    body += declaration + "\n"
                } else {
                    body += line + "\n"
                }
            }
        }
    }
}
