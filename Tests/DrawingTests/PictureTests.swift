import CPangoCairo
import Foundation
import FoundationXML
import Palette
import TestSupport
import Testing

@testable import Drawing

@Suite("Pictures") struct PictureTests {
    private static let hostile = "<&\"'>]]>\u{0}\u{1B}[31m\u{FFFF}\n\u{202E}end"
    private static let scripts = ["日本語の音声", "مرحبا بالعالم", "नमस्ते", "👩‍👩‍👧 😀", "e\u{301}a\u{308}", "ʃɪˈɡəʊ"]

    private func picture(_ title: String = "title", texts: [String] = ["text"]) -> Picture {
        Picture(title: title, width: 300, height: 200) { canvas in
            canvas.fill(Area(20, 20, 60, 40), Colour(200, 10, 20), note: texts.first)
            canvas.line([Point(0, 100), Point(300, 100)], .ink, width: 4)
            for (index, text) in texts.enumerated() { canvas.text(Text(text), at: Point(100, 20 + 20 * Double(index))) }
        }
    }

    @Test func `A PNG has two pixels a unit, and colours at their places`() throws {
        let png = try PNGPicture(picture().bytes(as: .png))
        #expect(png.width == 600 && png.height == 400)
        #expect(png.pixel(1, 1) == [255, 255, 255])
        #expect(png.pixel(40, 40) == [200, 10, 20] && png.pixel(159, 119) == [200, 10, 20])
        #expect(png.pixel(39, 60) == [255, 255, 255] && png.pixel(160, 60) == [255, 255, 255])
        #expect(png.pixel(300, 200) == [31, 41, 51] && png.pixel(300, 210) == [255, 255, 255])
    }

    @Test func `A text is drawn where it is placed, and nowhere else`() throws {
        let text = Text("MMMM", TextStyle(size: 20))
        let picture = Picture(title: "", width: 300, height: 200) { $0.text(text, at: Point(150, 100), .middle) }
        let ink = try #require(try PNGPicture(picture.bytes(as: .png)).bounds { $0[0] < 200 })
        #expect(Double(ink.columns.lowerBound) >= 2 * (150 - text.width / 2) - 2)
        #expect(Double(ink.columns.upperBound) <= 2 * (150 + text.width / 2) + 2)
        #expect(ink.rows.upperBound <= 202 && ink.rows.lowerBound > 2 * 75)
    }

    @Test func `A turned text reads upwards from its place`() throws {
        let text = Text("MMMM", TextStyle(size: 20))
        let picture = Picture(title: "", width: 300, height: 200) {
            $0.text(text, at: Point(100, 150), .start, isTurned: true)
        }
        let ink = try #require(try PNGPicture(picture.bytes(as: .png)).bounds { $0[0] < 200 })
        #expect(ink.columns.upperBound <= 202 && ink.rows.upperBound <= 302)
        #expect(ink.rows.count > 2 * ink.columns.count)
    }

    @Test(arguments: scripts)
    func `Every script is drawn in every format`(text: String) throws {
        let picture = picture(text, texts: [text])
        let svg = try picture.bytes(as: .svg)
        #expect(String(decoding: svg, as: UTF8.self).contains("<title>\(text)</title>"))
        #expect(XMLParser(data: Data(svg)).parse())
        #expect(try picture.bytes(as: .pdf).starts(with: "%PDF-1".utf8))
        let blank = try PNGPicture(self.picture(texts: []).bytes(as: .png))
        let png = try PNGPicture(picture.bytes(as: .png))
        let isWritten = (200..<600).contains { x in (0..<80).contains { png.pixel(x, $0) != blank.pixel(x, $0) } }
        #expect(isWritten)
    }

    @Test func `Nothing in a text becomes markup, and control characters leave it XML`() throws {
        let svg = try picture(Self.hostile, texts: [Self.hostile]).bytes(as: .svg)
        let reader = TitleReader()
        let parser = XMLParser(data: Data(svg))
        parser.delegate = reader
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        let shown = "<&\"'>]]>\u{FFFD}\u{FFFD}[31m\u{FFFD} \u{202E}end"
        #expect(reader.titles == [shown, shown])
        #expect(try picture(Self.hostile, texts: [Self.hostile]).bytes(as: .pdf).starts(with: "%PDF-1".utf8))
    }

    @Test(arguments: PictureFormat.allCases)
    func `The same picture gives the same bytes, whatever was drawn before it`(format: PictureFormat) throws {
        let pixels = Pixels(width: 3, height: 2, .ink)
        func bytes() throws -> [UInt8] {
            try Picture(title: "t", width: 90, height: 90) { canvas in
                canvas.image(pixels, in: Area(10, 10, 30, 20))
                canvas.text(Text("abc مرحبا"), at: Point(5, 60))
            }.bytes(as: format)
        }
        let first = try bytes()
        _ = try picture(texts: Self.scripts).bytes(as: format)
        #expect(try bytes() == first)
    }

    @Test(arguments: PictureFormat.allCases)
    func `A surface that is given up before its canvas writes nowhere`(format: PictureFormat) {
        var output: OutputSurface? = OutputSurface(format, width: 10, height: 10, title: "")
        let canvas = output.map { Canvas(on: $0.surface, width: 10, height: 10) }
        canvas?.fill(Area(1, 1, 5, 5), .ink)
        output = nil
        canvas?.fill(Area(1, 1, 5, 5), .ink)
        #expect(canvas?.finish() == CAIRO_STATUS_SURFACE_FINISHED)
    }

    @Test func `Pixels are stretched with sharp edges`() throws {
        var pixels = Pixels(width: 2, height: 1, Colour(255, 0, 0))
        pixels[1, 0] = Colour(0, 0, 255)
        let picture = Picture(title: "", width: 100, height: 100) { $0.image(pixels, in: Area(10, 10, 80, 40)) }
        let png = try PNGPicture(picture.bytes(as: .png))
        for x in [21, 60, 98] { #expect(png.pixel(x, 60) == [255, 0, 0]) }
        for x in [101, 140, 178] { #expect(png.pixel(x, 60) == [0, 0, 255]) }
    }

    @Test(arguments: [(0.0, 10.0), (10, -1), (4097, 10), (.infinity, 10), (10, .nan)])
    func `A size that cannot be is refused by name`(width: Double, height: Double) {
        for format in PictureFormat.allCases {
            let error = #expect(throws: DrawingError.self) {
                try Picture(title: "", width: width, height: height) { _ in }.bytes(as: format)
            }
            #expect(error?.description.contains("expected 1 to 4096") == true)
        }
    }

    @Test(arguments: PictureFormat.allCases)
    func `What has no place is not drawn, and keeps nothing else from it`(format: PictureFormat) throws {
        let odd = [Double.nan, .infinity, -.infinity, 1e300, -1e300]
        let bytes = try Picture(title: "", width: 50, height: 50) { canvas in
            for x in odd {
                canvas.fill(Area(x, 1, 5, 5), .ink)
                canvas.fill(Area(1, 1, x, 5), .missing, opacity: 0)
                canvas.line([Point(x, 1), Point(2, x)], .paper, width: 1)
                canvas.line([Point(1, 1)], .paper, width: x)
                canvas.text(Text("x"), at: Point(x, 1))
                canvas.image(Pixels(width: 1, height: 1), in: Area(1, x, 1, 1))
            }
            canvas.line([], .ink, width: 1)
            canvas.image(Pixels(width: 0, height: 0), in: Area(1, 1, 1, 1))
            canvas.fill(Area(20, 20, 10, 10), Colour(200, 10, 20))
        }.bytes(as: format)
        if format == .png { #expect(try PNGPicture(bytes).pixel(50, 50) == [200, 10, 20]) }
    }
}

/// Collects what the elements `title` say.
private final class TitleReader: NSObject, XMLParserDelegate {
    private(set) var titles: [String] = []
    private var isTitle = false

    func parser(
        _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        isTitle = element == "title"
        if isTitle { titles.append("") }
    }

    func parser(_ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?) {
        isTitle = false
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        if isTitle { titles[titles.count - 1] += text }
    }
}
