import Foundation
import StrictJSON

/// A page as one file that asks the network for nothing: its style sheets, its modules and its data are in it.
///
/// What is shown reaches it as JSON in blocks that are no programs, and from there as text: no markup is ever made of it.
package enum SinglePage {
    /// - Parameters:
    ///   - folder: of ``PageFiles``; its `index.html` names style sheets, one module, and the blocks.
    ///   - title: of the window; nil for the one in `index.html`.
    ///   - blocks: what is in each block, by its id.
    /// - Throws: ``PageError`` where the page's own files do not fit together.
    package static func html(_ folder: String, title: String? = nil, blocks: [(id: String, json: JSON)]) throws
        -> String
    {
        let index = "\(folder)/index.html"
        guard var html = PageFiles.text(index) else { throw PageError(description: "there is no \(index)") }
        func replace(_ old: String, _ new: String) throws {
            guard html.contains(old) else { throw PageError(description: "\(index) has no \(old)") }
            html.replace(old, with: new, maxReplacements: 1)
        }
        for match in html.matches(of: /<link rel="stylesheet" href="([\w.\/]+)">/) {
            let path = PageFiles.path(of: String(match.1), in: index)
            guard let style = PageFiles.text(path) else { throw PageError(description: "there is no \(path)") }
            try replace(String(match.0), "<style>\n\(style)</style>")
        }
        if let title {
            guard let old = html.firstMatch(of: /<title>[^<]*<\/title>/) else {
                throw PageError(description: "\(index) has no title")
            }
            html.replaceSubrange(old.range, with: "<title>\(escaped(title))</title>")
        }
        let script = try PageScript.bundle(PageFiles.modules, main: "\(folder)/main.js")
        try replace("<script type=\"module\" src=\"main.js\"></script>", "<script type=\"module\">\n\(script)</script>")
        for (id, json) in blocks {
            let start = "<script type=\"application/json\" id=\"\(id)\">"
            try replace(start + "</script>", start + block(json) + "</script>")
        }
        return html
    }

    /// The page before and after what is in one of its blocks: so that what is large can be written piece by piece.
    /// - Parameters:
    ///   - id: of the block; the others are as for ``html(_:title:blocks:)``.
    package static func around(
        _ folder: String, _ id: String, title: String? = nil, blocks: [(id: String, json: JSON)]
    ) throws -> (before: String, after: String) {
        let html = try html(folder, title: title, blocks: blocks)
        let start = "<script type=\"application/json\" id=\"\(id)\">"
        guard let place = html.range(of: start + "</script>") else {
            throw PageError(description: "\(folder)/index.html has no block \(id)")
        }
        let end = html.index(place.lowerBound, offsetBy: start.count)
        return (String(html[..<end]), String(html[end...]))
    }

    /// JSON that cannot end the block that it stands in, whatever its strings are.
    package static func block(_ json: JSON) -> String {
        replacing(["<": "\\u003c", ">": "\\u003e", "&": "\\u0026"], in: json.compactText)
    }

    /// Text as markup has it.
    static func escaped(_ text: String) -> String {
        replacing(["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;"], in: text)
    }

    /// By bytes, as what is replaced is ASCII: a character may be one of these and a mark that joins it.
    private static func replacing(_ table: [Unicode.Scalar: String], in text: String) -> String {
        var marks = [String?](repeating: nil, count: 128)
        for (scalar, replacement) in table { marks[Int(scalar.value)] = replacement }
        var text = text
        return text.withUTF8 { bytes in
            var out: [UInt8] = []
            out.reserveCapacity(bytes.count + bytes.count / 16)
            var start = 0
            for (place, byte) in bytes.enumerated() where byte < 128 {
                guard let replacement = marks[Int(byte)] else { continue }
                out += bytes[start..<place]
                out += replacement.utf8
                start = place + 1
            }
            out += bytes[start...]
            return String(decoding: out, as: UTF8.self)
        }
    }
}
