import Foundation
import StrictJSON
import Testing

@testable import Pages

@Suite("A page as one file") struct SinglePageTests {
    @Test("Nothing is left to be loaded, and the policy lets nothing in", arguments: ["results", "reproduction"])
    func whole(folder: String) throws {
        let page = try SinglePage.html(folder, blocks: [("results", ["a": "b"]), ("colours", [])])
        #expect(!page.contains("<link") && !page.contains(" src=") && !page.contains("href=\"."))
        #expect(page.contains("default-src 'none'"))
        let data = JSON.object([("a", "b")]).compactText
        #expect(page.contains("id=\"results\">\(data)</script>"))
        #expect(page.components(separatedBy: "<script").count == 4)
        #expect(page.components(separatedBy: "</script").count == 4)
    }

    @Test("No text can end its block or become markup, whatever joins its characters")
    func escaping() throws {
        let hostile = "\u{600}</script>\u{600}<img>&\u{301}'\""
        let page = try SinglePage.html("results", title: hostile, blocks: [("results", .string(hostile))])
        #expect(page.unicodeScalars.split(separator: "<").filter { $0.starts(with: "img".unicodeScalars) }.isEmpty)
        #expect(page.utf8.split(separator: UInt8(ascii: "<")).filter { $0.starts(with: "/script".utf8) }.count == 3)
    }

    @Test("A page or a block that is not there is an error")
    func missing() {
        #expect(throws: PageError.self) { try SinglePage.html("gone", blocks: []) }
        #expect(throws: PageError.self) { try SinglePage.html("results", blocks: [("gone", [])]) }
    }
}
