import PluginKit

/// The smallest part of a spectrogram that keeps a number, as far as a search of some listenings finds it.
///
/// Cells come in the order of what was attributed to them. First the fewest of them are found, by bisection, that keep enough; then groups of
/// them are tried without, the least first, in ever smaller groups, as long as there are listenings left.
struct SmallestPart {
    /// Cells, the most important first.
    let order: [Int]
    /// At least this much has to be kept.
    let wanted: Double
    /// How many parts may be heard.
    let listenings: Int
    /// What a part gives.
    let listen: ([Int]) throws -> Double

    struct Found: Equatable {
        var cells: [Int]
        var value: Double
        var listenings: Int
    }

    /// - Returns: nil where not even all cells keep enough.
    func find() throws -> Found? {
        var found = Found(cells: order, value: try listen(order), listenings: 1)
        guard found.value >= wanted else { return nil }
        // Of the counts tried, the least that keeps enough and the largest below it that does not.
        var (few, many) = (0, order.count)
        while many - few > 1, found.listenings < listenings {
            let count = few + (many - few) / 2
            let value = try listen(Array(order[..<count]))
            found.listenings += 1
            if value >= wanted {
                (many, found.cells, found.value) = (count, Array(order[..<count]), value)
            } else {
                few = count
            }
        }
        var group = max(1, found.cells.count / 4)
        while found.listenings < listenings {
            var end = found.cells.count, removed = false
            while end > 0, found.cells.count > 1, found.listenings < listenings {
                let begin = max(0, end - group)
                let rest = Array(found.cells[..<begin] + found.cells[end...])
                end = begin
                guard !rest.isEmpty else { continue }
                let value = try listen(rest)
                found.listenings += 1
                if value >= wanted {
                    (found.cells, found.value) = (rest, value)
                    removed = true
                }
            }
            if group == 1, !removed { break }
            group = max(1, group / 2)
        }
        return found
    }
}
