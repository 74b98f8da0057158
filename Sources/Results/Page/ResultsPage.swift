import Pages
import Palette
import StrictJSON

/// A run as one page: everything that it needs is in it, and it asks the network for nothing.
///
/// What a plugin or a file says reaches the page as JSON in a block that is not a program, and from there as text:
/// no markup is ever made of it.
package enum ResultsPage {
    /// Larger matrices are shown as means of neighbours; the files beside the page have them whole.
    package static let mostValues = 500_000
    /// Once this much is in a page, further arrays and sounds are left to the files; a browser has to hold it all.
    static let mostBytes = 96_000_000

    /// All of it.
    /// - Throws: ``Pages/PageError`` where the page's own files do not fit together.
    package static func html(_ run: RunResults) throws -> String {
        var out = ""
        try write(run) { out += $0 }
        return out
    }

    /// Hands the page over, a result at a time.
    /// - Throws: ``Pages/PageError`` where the page's own files do not fit together; what `take` throws.
    package static func write(_ run: RunResults, _ take: (String) throws -> Void) throws {
        let (before, after) = try SinglePage.around(
            "results", "results", title: "\(run.title.isEmpty ? "Results" : run.title) · auscult",
            blocks: [("colours", colours)])
        try take(before)
        try writeData(run, take)
        try take(after)
    }

    /// Those of heat maps, from little to much.
    package static var colours: JSON { JSON(ColourMap.table.map(\.hex)) }

    private static func writeData(_ run: RunResults, _ take: (String) throws -> Void) rethrows {
        let packed = ResultsJSON(numbers: .packed(most: mostValues))
        var room = mostBytes
        var problems: [JSON] = []
        try take("{")
        for (name, value) in ResultsJSON.head(run) {
            try take("\(SinglePage.block(.string(name))):\(SinglePage.block(PagePaths.without(folders: value))),")
        }
        try take(#""results":["#)
        var isFirst = true
        for result in run.typed() {
            switch result {
            case .failure(let error): problems.append(.string(error.description))
            case .success(let result):
                let size = size(of: result)
                let fits = size <= room
                if fits { room -= size }
                let left = ResultsJSON.identity(result) + [("too_large", .bool(true))]
                let json = fits ? packed.json(result) : .object(left)
                try take((isFirst ? "" : ",") + SinglePage.block(PagePaths.without(folders: json)))
                isFirst = false
            }
        }
        try take(#"],"problems":\#(SinglePage.block(PagePaths.without(folders: .array(problems))))}"#)
    }

    /// About how many bytes it takes.
    private static func size(of result: TypedResult) -> Int {
        switch result.value {
        case .scalar: 100
        case .vector(let array), .matrix(let array): min(array.values.count, mostValues) * 16 / 3
        case .table(let table): table.rows.count * table.columns.count * 16
        case .events(let events): events.count * 80
        case .audio(let clip): clip.samples.count * 8 / 3
        case .text(let text): text.utf8.count
        }
    }
}
