import Results
import Foundation
import FoundationXML
import Messages
import Palette
import TestSupport
import Testing

@Suite("Results as pictures and as a page") struct ResultsPicturesTests {
    private func picture(_ run: RunResults, _ name: String) throws -> PNGPicture {
        let folder = try TemporaryFolder()
        var results = try ResultFolder(folder.path)
        _ = try results.write(run)
        return try PNGPicture([UInt8](Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + name))))
    }

    private func colour(_ share: Double) -> [Int] {
        let colour = ColourMap.colour(share)
        return [colour.red, colour.green, colour.blue].map(Int.init)
    }

    @Test("a heat map is dark for little, bright for much, and grey for no value")
    func heatMap() throws {
        let run = Planted.one(
            Planted.output("m", .matrix), Planted.array(Planted.tensor([0, 1, .nan, 0.5], [2, 2])))
        let picture = try picture(run, "m.png")
        // Cells of 120 × 48 units, at two pixels a unit. The grey one is the lower left, the others lie around it.
        let grey = [205, 208, 212]
        let left = try #require(
            (0..<picture.width).first { x in (0..<picture.height).contains { picture.pixel(x, $0) == grey } })
        let top = try #require((0..<picture.height).first { picture.pixel(left + 120, $0) == grey })
        let bottom = try #require((top..<picture.height).first { picture.pixel(left + 120, $0) != grey })
        #expect(bottom - top == 96)
        for x in [left + 2, left + 238] {
            for y in [top + 2, bottom - 2] { #expect(picture.pixel(x, y) == grey) }
            for y in [top - 2, top - 94] { #expect(picture.pixel(x, y) == colour(0)) }
        }
        for x in [left + 242, left + 478] {
            for y in [top - 2, top - 94] { #expect(picture.pixel(x, y) == colour(1)) }
            for y in [top + 2, bottom - 2] { #expect(picture.pixel(x, y) == colour(0.5)) }
        }
        #expect(picture.pixel(2, 2) == [255, 255, 255])
    }

    @Test(
        "a picture is called by its recording, not by where that lies",
        arguments: [
            ("/home/me/talks/a.wav", "a.wav"), ("talks/a.wav, window 2", "a.wav, window 2"), ("demo:clip", "demo:clip"),
        ])
    func names(file: String, name: String) throws {
        let output = Planted.output("m", .matrix)
        let array = Planted.array(Planted.tensor([0, 1], [1, 2]))
        let result = V1.PluginResult(outputId: "m", file: file, value: array)
        let typed = try TypedResult(result, declared: output)
        let plot = try #require(Plot(typed))
        #expect(plot.title.hasSuffix(" · \(name)") && !plot.title.contains("talks"))
    }

    @Test("a bar reaches as high as its value")
    func bars() throws {
        let axis = V1.ResultAxis(name: "x", labels: ["a", "b"])
        let run = Planted.one(
            Planted.output("v", .vector, [axis], .bar), Planted.array(Planted.tensor([1, 0.5], [2])))
        let picture = try picture(run, "v.png")
        // The plot is 280 units high and its scale ends at 1, where the first bar ends.
        let blue = [33, 102, 172]
        let all = try #require(picture.bounds(of: blue))
        #expect(abs(all.rows.count - 560) <= 3)
        func height(_ x: Int) -> Int { (0..<picture.height).count { picture.pixel(x, $0) == blue } }
        let quarter = all.columns.count / 4
        #expect(abs(height(all.columns.lowerBound + quarter) - 560) <= 3)
        #expect(abs(height(all.columns.upperBound - quarter) - 280) <= 3)
    }

    private static let labels = [
        "日本語のとても長いラベル", "مرحبا بالعالم", "नमस्ते दुनिया", "👩‍👩‍👧 emoji", "<&\"'>", "e\u{301}", "", "plain",
    ]

    @Test("labels of every script are in the picture, as text beside it too")
    func scripts() throws {
        let axis = V1.ResultAxis(name: "متغير", unit: "秒", labels: Self.labels)
        let values = Planted.array(Planted.tensor((0..<64).map { Float($0) }, [8, 8]))
        let folder = try TemporaryFolder()
        var results = try ResultFolder(folder.path)
        _ = try results.write(Planted.one(Planted.output("m", .matrix, [axis, axis], .heatMap, title: "標題 😀"), values))
        let svg = try String(contentsOfFile: folder.path + "/m.svg", encoding: .utf8)
        let parser = XMLParser(data: Data(svg.utf8))
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(svg.contains("<title>標題 😀</title>") && svg.contains("متغير (秒)") && svg.contains("नमस्ते"))
        #expect(svg.contains("&lt;&amp;"))
        let pdf = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/m.pdf"))
        #expect(pdf.starts(with: "%PDF-1".utf8) && pdf.suffix(8).contains(UInt8(ascii: "%")))
    }

    private static let hostile = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>&\u{2028}'\""

    @Test("nothing that a plugin says becomes markup")
    func escaping() throws {
        let hostile = Self.hostile
        var run = Planted.run(
            [
                Planted.output(hostile, .text, unit: hostile, title: hostile),
                Planted.output("m", .matrix, [V1.ResultAxis(name: hostile, unit: hostile, labels: [hostile])]),
            ],
            [
                V1.PluginResult(outputId: hostile, file: hostile, value: .text(hostile)),
                V1.PluginResult(outputId: "m", file: hostile, value: Planted.array(Planted.tensor([1], [1, 1]))),
            ])
        run.description.listing?.name = hostile
        run.description.description = hostile
        let page = try ResultsPage.html(run)
        #expect(page.components(separatedBy: "<script").count == 4)
        #expect(page.components(separatedBy: "</script").count == 4)
        #expect(!page.contains("<img") && !page.contains("<!--"))
        #expect(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"))
        #expect(page.contains("\\u003c/script\\u003e"))
    }

    @Test("the data in the page is JSON, with the planted values")
    func pageData() throws {
        let page = try ResultsPage.html(Planted.everything)
        let parts = page.components(separatedBy: "id=\"results\">")
        let block = try #require(parts.last?.components(separatedBy: "</script>").first)
        let read = try #require(try JSONSerialization.jsonObject(with: Data(block.utf8)) as? [String: Any])
        let results = try #require(read["results"] as? [[String: Any]])
        #expect(results.count == 16)
        #expect(results[0]["value"] as? Double == 0.93125)
        let packed = try #require(results[3]["base64"] as? String)
        let first = try #require(Data(base64Encoded: packed)).prefix(4)
        #expect(Array(first) == Array(Planted.tensor([0.91], [1]).data))
        #expect(!page.contains("http://") && !page.contains("https://"))
    }

    @Test("extremes become a page", arguments: Extremes.all)
    func extremes(_ extreme: Extreme) throws {
        #expect(try ResultsPage.html(extreme.run).hasSuffix("</html>\n"))
    }

    @Test(
        "the page for the browser is written where RESULTS_PAGE says",
        .enabled(
            if: ProcessInfo.processInfo.environment["RESULTS_PAGE"] != nil,
            "RESULTS_PAGE is not set; Tests/integration/results-page.sh sets it"))
    func browser() throws {
        let path = try #require(ProcessInfo.processInfo.environment["RESULTS_PAGE"])
        try Data(try ResultsPage.html(Planted.everything).utf8).write(to: URL(fileURLWithPath: path))
        #expect(FileManager.default.fileExists(atPath: path))
    }
}
