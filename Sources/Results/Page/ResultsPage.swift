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

    /// - Throws: ``Pages/PageError`` where the page's own files do not fit together.
    package static func html(_ run: RunResults) throws -> String {
        try SinglePage.html(
            "results", title: "\(run.title.isEmpty ? "Results" : run.title) · auscult",
            blocks: [("colours", colours), ("results", data(run))])
    }

    /// Those of heat maps, from little to much.
    package static var colours: JSON { JSON(ColourMap.table.map(\.hex)) }

    private static func data(_ run: RunResults) -> JSON {
        let packed = ResultsJSON(numbers: .packed(most: mostValues))
        var room = mostBytes
        var results: [JSON] = []
        var problems: [JSON] = []
        for result in run.typed() {
            switch result {
            case .failure(let error): problems.append(.string(error.description))
            case .success(let result):
                let size = size(of: result)
                guard size <= room else {
                    results.append(.object(ResultsJSON.identity(result) + [("too_large", .bool(true))]))
                    continue
                }
                room -= size
                results.append(packed.json(result))
            }
        }
        return .object(ResultsJSON.head(run) + [("results", .array(results)), ("problems", .array(problems))])
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
