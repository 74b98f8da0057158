import Foundation
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

    package static func html(_ run: RunResults) -> String {
        let title = SVGCanvas.escaped(run.title.isEmpty ? "Results" : run.title)
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <title>\(title) · auscult</title>
            <style>
            \(PageColours.css)
            \(style)
            </style>
            </head>
            <body>
            <main id="page"><noscript>This page draws its results with JavaScript.</noscript></main>
            <script type="application/json" id="colours">\(block(colours))</script>
            <script type="application/json" id="results">\(block(data(run)))</script>
            <script type="module">
            \(script)
            \(plots)
            \(seriesPlots)
            \(drawing)
            \(sections)
            </script>
            </body>
            </html>

            """
    }

    /// Nothing from elsewhere, no form, no frame.
    package static let policy =
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; media-src data:; "
        + "base-uri 'none'; form-action 'none'"

    package static var colours: JSON { JSON(ColourMap.table.map(\.hex)) }

    /// JSON that cannot end the block that it stands in, whatever its strings are.
    package static func block(_ json: JSON) -> String {
        json.compactText.replacingOccurrences(of: "<", with: "\\u003c").replacingOccurrences(of: ">", with: "\\u003e")
            .replacingOccurrences(of: "&", with: "\\u0026")
    }

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
