import Testing

@testable import Drawing

@Suite("Names in SVG") struct SVGNamesTests {
    private func numbered(_ text: String) -> String {
        String(decoding: SVGNames.numbered(Array(text.utf8)), as: UTF8.self)
    }

    @Test func `Names are numbered in the order in which they come, each word by itself`() {
        #expect(
            numbered("<image id=\"image57\"/><use href=\"#image57\"/><g id=\"surface12\" fill=\"url(#image9)\">")
                == "<image id=\"image0\"/><use href=\"#image0\"/><g id=\"surface0\" fill=\"url(#image1)\">")
        #expect(numbered("id=\"glyph3-14\" href=\"#glyph3-14\"") == "id=\"glyph0-14\" href=\"#glyph0-14\"")
    }

    @Test func `What is no name stays as it is`() {
        for text in ["", "#", "id=\"", "fill=\"#123456\" x=\"12\"", "width=\"20px\" id=\"only\""] {
            #expect(numbered(text) == text)
        }
    }
}
