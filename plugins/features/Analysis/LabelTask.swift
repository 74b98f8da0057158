import PluginDraws
import PluginKit

/// One kind of label over the sampled frames of one hook point: what is the same for all features.
///
/// Frames are in the order of recording and time, so that rotating the labels keeps what follows what.
struct LabelTask {
    /// "phoneme", "word", "token", or a column.
    let kind: String
    /// Rows of the sample, by part and in the order of time; rows of recordings that say nothing of this kind are in
    /// neither.
    let rows: [[Int]]
    /// In frames of 20 ms: labels at lag l are those of the sound l frames before. Only 0 for what does not change.
    let lags: [Int]
    /// Labels with enough frames to be named, in the order of their names; two classes more follow.
    let names: [String]
    /// [lags][part][place in rows[part]]: a class.
    let classes: [[[UInt16]]]
    /// [part][place]: the frames that a row stands for.
    let weights: [[Double]]
    /// Of labels that a recording or speaker has throughout: [place in rows[1]] the number of the recording or speaker.
    /// Empty for those that change with time.
    let units: [Int]
    /// The class of each.
    let classesOfUnits: [UInt16]

    /// Frames whose label has too few to be named, and frames without a label: negatives for all names.
    var other: Int { names.count }
    var none: Int { names.count + 1 }
    var classCount: Int { names.count + 2 }

    /// - Parameters:
    ///   - label: of a row at a lag: nil where its recording says nothing of this kind, "" where nothing is heard.
    ///   - unit: what has the label of a row throughout; nil where labels change with time.
    init(
        kind: String, rows order: [Int], lags: [Int], parts: (Int) -> SpeakerSplit.Part?,
        weights rowWeights: [[Double]],
        minimum: Int, label: (Int, Int) -> String?, unit: ((Int) -> String)? = nil
    ) {
        self.kind = kind
        self.lags = lags
        var rows: [[Int]] = [[], []]
        for row in order where label(row, 0) != nil {
            if let part = parts(row) { rows[Int(part.rawValue)].append(row) }
        }
        self.rows = rows
        var counts: [String: Int] = [:]
        for row in rows[0] { counts[label(row, 0) ?? "", default: 0] += 1 }
        counts[""] = nil
        let names = counts.filter { $0.value >= minimum }.keys.sorted().prefix(Int(UInt16.max) - 2)
        self.names = Array(names)
        let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, UInt16($0)) })
        let (other, none) = (UInt16(names.count), UInt16(names.count + 1))
        classes = lags.map { lag in
            rows.map { part in
                part.map { row in
                    let text = label(row, lag) ?? ""
                    return text.isEmpty ? none : numbers[text] ?? other
                }
            }
        }
        weights = rows.enumerated().map { part, rows in rows.map { rowWeights[part][$0] } }
        var (units, classesOfUnits): ([Int], [UInt16]) = ([], [])
        if let unit {
            var numbers: [String: Int] = [:]
            for (place, row) in rows[1].enumerated() {
                let name = unit(row)
                if numbers[name] == nil {
                    numbers[name] = classesOfUnits.count
                    classesOfUnits.append(classes[0][1][place])
                }
                units.append(numbers[name] ?? 0)
            }
        }
        (self.units, self.classesOfUnits) = (units, classesOfUnits)
    }
}
