/// A page's modules as one plain script: browsers load no modules from a folder on disk, and a page that is a single file
/// has no others to load.
///
/// Each module becomes a function that gives back what it exports, and each import takes from there. This knows the few
/// forms that the pages' own modules use, and refuses others.
package enum PageScript {
    /// - Parameters:
    ///   - modules: their text, by path.
    ///   - main: the path of the first one.
    /// - Throws: ``PageError`` for an import or export in another form, and for modules that import each other in a circle.
    package static func bundle(_ modules: [String: String], main: String) throws -> String {
        var out = "'use strict';\nconst modules = {};\n"
        var isDone: [String: Bool] = [:]
        func add(_ path: String) throws {
            if isDone[path] == true { return }
            guard isDone[path] == nil, let text = modules[path] else {
                throw PageError(description: "\(path) is imported in a circle, or is not there")
            }
            isDone[path] = false
            let module = try Module(path, text)
            for needed in module.imports { try add(needed) }
            isDone[path] = true
            out +=
                "modules['\(path)'] = (() => {\n\(module.body)\nreturn { \(module.exports.joined(separator: ", ")) };\n})();\n"
        }
        try add(main)
        return out
    }

    private struct Module {
        var imports: [String] = []
        var exports: [String] = []
        var body = ""

        init(_ path: String, _ text: String) throws {
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                if line.hasPrefix("import ") {
                    guard let match = line.wholeMatch(of: /import \{ ([\w, ]+) \} from '(\.[\w.\/]+)';/) else {
                        throw PageError(description: "\(path) imports in a form that cannot be bundled: \(line)")
                    }
                    let other = PageFiles.path(of: String(match.2), in: path)
                    imports.append(other)
                    let names = match.1.replacing(" as ", with: ": ")
                    body += "const { \(names) } = modules['\(other)'];\n"
                } else if line.hasPrefix("export ") {
                    let declaration = line.dropFirst("export ".count)
                    guard let match = declaration.prefixMatch(of: /(?:async )?(?:function|const|class) (\w+)/) else {
                        throw PageError(description: "\(path) exports in a form that cannot be bundled: \(line)")
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
