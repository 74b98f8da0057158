import CAtlasPage
import Foundation
import Palette

/// The files that the page is made of; they lie in the binary.
enum PageFiles {
    /// What is served under a name, with its media type; nil for anything else.
    static func file(_ name: String) -> (bytes: [UInt8], type: String)? {
        guard let bytes = all[name] else { return nil }
        let type =
            switch (name as NSString).pathExtension {
            case "html": "text/html; charset=utf-8"
            case "js": "text/javascript; charset=utf-8"
            case "css": "text/css; charset=utf-8"
            case "svg": "image/svg+xml"
            default: "application/octet-stream"
            }
        return (bytes, type)
    }

    /// By name. The colours are those of the page of results.
    static let all: [String: [UInt8]] = {
        var files = ["palette.css": Array(PageColours.css.utf8)]
        var count = 0
        guard let table = auscult_page_files(&count) else { return files }
        for index in 0..<count {
            let bytes = UnsafeBufferPointer(start: table[index].bytes, count: table[index].size)
            files[String(cString: table[index].name)] = Array(bytes)
        }
        return files
    }()

    static func text(_ name: String) -> String { String(decoding: all[name] ?? [], as: UTF8.self) }
}
