import Results
import Foundation
import Messages
import TestSupport
import Testing

@Suite("Results as pictures and as a page") struct ResultsPicturesTests {
    private func picture(_ run: RunResults, _ name: String) throws -> PNGPicture {
        let folder = try TemporaryFolder()
        var results = try ResultFolder(folder.path)
        _ = try results.write(run)
        return try PNGPicture(Data(contentsOf: URL(fileURLWithPath: folder.path + "/" + name)))
    }

    @Test("a heat map is dark for little, bright for much, and grey for no value")
    func heatMap() throws {
        let run = Planted.one(
            Planted.output("m", .matrix), Planted.array(Planted.tensor([0, 1, .nan, 0.5], [2, 2])))
        let picture = try picture(run, "m.png")
        // Cells of 120 × 48, from (58, 44), at two pixels a unit; the scale takes 96 to the right of them.
        #expect(picture.width == 2 * (58 + 240 + 96))
        let dark = picture.pixel(236, 136), bright = picture.pixel(476, 136)
        let missing = picture.pixel(236, 232), middle = picture.pixel(476, 232)
        #expect(missing == [205, 208, 212])
        #expect(dark.reduce(0, +) < 150)
        #expect(bright.reduce(0, +) > 450)
        #expect(dark[1] < middle[1] && middle[1] < bright[1])
        #expect(picture.pixel(2, 2) == [255, 255, 255])
    }

    @Test("a bar reaches as high as its value")
    func bars() throws {
        let axis = V1.ResultAxis(name: "x", labels: ["a", "b"])
        let run = Planted.one(
            Planted.output("v", .vector, [axis], .bar), Planted.array(Planted.tensor([1, 0.5], [2])))
        let picture = try picture(run, "v.png")
        // The plot is 632 × 280 from (64, 44); its scale ends at 1.
        let blue = [33, 102, 172]
        let upper = Int((44 + 280 * 0.25) * 2), lower = Int((44 + 280 * 0.75) * 2)
        let first = (64 + 158) * 2, second = (64 + 474) * 2
        #expect(picture.pixel(first, upper) == blue && picture.pixel(first, lower) == blue)
        #expect(picture.pixel(second, upper) != blue && picture.pixel(second, lower) == blue)
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
        let page = ResultsPage.html(run)
        #expect(page.components(separatedBy: "<script").count == 4)
        #expect(page.components(separatedBy: "</script").count == 4)
        #expect(!page.contains("<img") && !page.contains("<!--"))
        #expect(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"))
        #expect(page.contains("\\u003c/script\\u003e"))
    }

    @Test("the data in the page is JSON, with the planted values")
    func pageData() throws {
        let page = ResultsPage.html(Planted.everything)
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
    func extremes(_ extreme: Extreme) {
        #expect(ResultsPage.html(extreme.run).hasSuffix("</html>\n"))
    }

    @Test(
        "the page for the browser is written where RESULTS_PAGE says",
        .enabled(
            if: ProcessInfo.processInfo.environment["RESULTS_PAGE"] != nil,
            "RESULTS_PAGE is not set; Tests/integration/results-page.sh sets it"))
    func browser() throws {
        let path = try #require(ProcessInfo.processInfo.environment["RESULTS_PAGE"])
        try Data(ResultsPage.html(Planted.everything).utf8).write(to: URL(fileURLWithPath: path))
        #expect(FileManager.default.fileExists(atPath: path))
    }
}
