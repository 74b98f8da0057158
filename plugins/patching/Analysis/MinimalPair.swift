/// A recording that was heard.
struct Heard: Codable, Equatable {
    var name: String
    /// What puts it into a pair: the value of the column; nil where pairs are by order.
    var pair: String?
    /// Whether it is the clean one; nil where the first of a pair is.
    var isClean: Bool?
    /// What is said, where the data set knows.
    var text: String?
    var samples: [Float]
}

/// Two recordings of which one differs from the other in what is looked for: rug and mug.
struct MinimalPair: Equatable {
    let name: String
    let clean, corrupted: Heard

    /// The pairs of what was heard, in the order of their first recordings, and what there is to say about recordings that are left over.
    static func all(of heard: [Heard]) -> (pairs: [MinimalPair], notes: [String]) {
        var groups: [(key: String?, members: [Heard])] = []
        for recording in heard {
            let open = groups.lastIndex { $0.key == recording.pair && (recording.pair != nil || $0.members.count < 2) }
            if let open { groups[open].members.append(recording) } else { groups.append((recording.pair, [recording])) }
        }
        var pairs: [MinimalPair] = [], notes: [String] = []
        for (key, members) in groups {
            let name = key ?? members.map(\.name).joined(separator: " / ")
            guard members.count == 2 else {
                notes.append(
                    "\(name) has \(members.count) recordings (\(members.map(\.name).joined(separator: ", "))); a pair has two"
                )
                continue
            }
            let (first, second) = (members[0], members[1])
            guard first.isClean == nil || first.isClean != second.isClean else {
                notes.append("\(name) has two recordings of one side; a pair has a clean and a corrupted one")
                continue
            }
            let swaps = first.isClean == false || second.isClean == true
            pairs.append(MinimalPair(name: name, clean: swaps ? second : first, corrupted: swaps ? first : second))
        }
        return (pairs, notes)
    }
}
