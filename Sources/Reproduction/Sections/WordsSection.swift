import Client
import Messages
import Results

extension Section {
    /// Claim 6: words are cut out of the embedding.
    package static let words = Section(
        id: "words",
        title: "Words can be cut out of the embedding",
        claim: """
            Where frames of the encoder's output are replaced by those of padding, the words said there are missing from \
            the transcript, and the others stay: of “hot ones. The show where celebrities answer hot questions …”, \
            frames 0–50 take “hot ones” away, and frames 150–175 (3.0–3.5 s) “hot questions”. So the embedding is \
            laid out in time.
            """,
        method: """
            encoder.ln_post at the chosen frames becomes what an input of padding alone gives at the same place. Each \
            recording is cut in its first second, from 3.0 to 3.5 s where it is that long, and at one word in its \
            middle, found by its times in the data set, or else by cross-attention. A word counts as cut where more than \
            half of it lies in the cut. Words are compared in order with those of the transcript before.
            """,
        parts: [.transcripts(TranscriptPart(id: "cuts", conditions: WordCuts.conditions))],
        criteria: [
            Criterion(
                "gone", "share of the words in a cut that are gone", holds: 0.7, partly: 0.4, least: 10,
                because: "in the post every word in the cut is gone; word times are uncertain by some frames"),
            Criterion(
                "stay", "share of the other words that stay", holds: 0.7, partly: 0.4, least: 10,
                because: "in the post every other word stays"),
        ],
        exhibits: [
            Exhibit(
                Exhibit.findings, "shares",
                "If words lie where they are said, the words in the cut go, and the others do not."),
            Exhibit(Exhibit.findings, "cuts", "Every cut, before and after.", folded: true),
        ],
        study: { WordCuts($0).findings() })
}

/// The study of cuts.
struct WordCuts {
    private static let names = ["first second", "3.0–3.5 s", "one word"]
    private let transcriptions: [ChangedTranscript]

    init(_ evidence: Evidence) { transcriptions = evidence.transcriptions["cuts"] ?? [] }

    /// The cuts of one recording.
    static func conditions(_ sample: Sample, _ plain: WrittenText) -> [Condition] {
        var spans: [(String, Range<Double>)] = []
        // Something has to be left.
        if plain.seconds > 1.5 { spans.append((names[0], 0..<1)) }
        if plain.seconds > 4 { spans.append((names[1], 3..<3.5)) }
        if let word = middleWord(sample.words(plain)) { spans.append((names[2], word)) }
        return spans.map { name, span in
            let frames = (Int((span.lowerBound * 50).rounded(.down)), Int((span.upperBound * 50).rounded(.up)))
            return Condition(
                name: name, interventions: ["encoder.ln_post substitute-padding \(frames.0):\(frames.1)"],
                span: Double(frames.0) / 50..<Double(frames.1) / 50)
        }
    }

    /// The longest word that is neither the first nor the last; nil where there is none that lasts.
    private static func middleWord(_ words: [HeardWord]) -> Range<Double>? {
        let inner = words.dropFirst().dropLast().filter { $0.start >= 0 && $0.end - $0.start >= 0.08 && $0.end < 30 }
        guard let word = inner.max(by: { $0.end - $0.start < $1.end - $1.start }) else { return nil }
        return word.start..<word.end
    }

    /// What one kind of cut did to all recordings.
    private struct Counts {
        var cuts = 0
        var within = 0, gone = 0
        var others = 0, stayed = 0
    }

    func findings() -> Findings {
        var findings = Findings()
        var counts: [String: Counts] = [:]
        var rows: [[ComputedResults.Cell?]] = []
        for one in transcriptions {
            guard let isCut = Self.isCut(one), let comparison = WordComparison(one.plain.text, one.changed.text) else {
                continue
            }
            var count = counts[one.condition.name, default: Counts()]
            count.cuts += 1
            for (isCut, isKept) in zip(isCut, comparison.isKept) {
                if isCut { (count.within, count.gone) = (count.within + 1, count.gone + (isKept ? 0 : 1)) }
                if !isCut { (count.others, count.stayed) = (count.others + 1, count.stayed + (isKept ? 1 : 0)) }
            }
            counts[one.condition.name] = count
            let cut = zip(comparison.before, isCut).filter(\.1).map(\.0).joined(separator: " ")
            rows.append([
                .text(one.sample.name), .text(one.condition.name), .number(one.condition.span?.lowerBound ?? .nan),
                .number(one.condition.span?.upperBound ?? .nan), .text(cut), .text(one.plain.text),
                .text(one.changed.text),
            ])
        }
        let all = counts.values.reduce(Counts()) { a, b in
            Counts(
                cuts: a.cuts + b.cuts, within: a.within + b.within, gone: a.gone + b.gone, others: a.others + b.others,
                stayed: a.stayed + b.stayed)
        }
        findings.measures = [
            Measure("gone", share: all.gone, of: all.within, "words in cuts"),
            Measure("stay", share: all.stayed, of: all.others, "words beside cuts"),
        ]
        let shown = Self.names.filter { counts[$0] != nil }
        let share = { (part: Int, whole: Int) in whole > 0 ? Double(part) / Double(whole) : .nan }
        findings.results.bars(
            "shares", "What a cut takes away", "Share of words that are gone from the transcript",
            groups: ("cut", shown), series: ("", ["words in the cut", "other words"]),
            values: shown.map { name in
                let count = counts[name] ?? Counts()
                return [share(count.gone, count.within), 1 - share(count.stayed, count.others)]
            })
        findings.results.table(
            "cuts", "Cuts", columns: ["recording", "cut", "from (s)", "to (s)", "words in it", "before", "after"],
            rows: rows)
        findings.listening = cards()
        findings.sentence =
            "\(all.cuts) cuts: \(all.gone) of the \(all.within) words in them are gone, and \(all.stayed) of the "
            + "\(all.others) others stay."
        return findings
    }

    /// For each word of the transcript before, whether more than half of it lies in the cut; nil where the words'
    /// times are not known.
    private static func isCut(_ one: ChangedTranscript) -> [Bool]? {
        guard let span = one.condition.span else { return nil }
        let words = one.sample.words(one.plain)
        // A word's times are of its text as it is written; a hyphen makes two words of it.
        let flags = words.flatMap { word in
            let within = min(word.end, span.upperBound) - max(word.start, span.lowerBound)
            // A word that the model gives no length is where it begins.
            let isCut = word.end > word.start ? within > (word.end - word.start) / 2 : span.contains(word.start)
            return WordComparison.words(word.text).map { _ in isCut }
        }
        return flags.count == WordComparison.words(one.plain.text).count ? flags : nil
    }

    /// Recordings with all their cuts; those whose words the data set times come first.
    private func cards() -> [Listening] {
        var seen: Set<String> = []
        let order = transcriptions.map(\.sample.name).filter { seen.insert($0).inserted }
        let byName = Dictionary(grouping: transcriptions) { $0.sample.name }
        let usable = order.compactMap { byName[$0] }.filter { all in
            guard let first = all.first else { return false }
            return first.plain.seconds <= ListeningCard.longest && !first.plain.text.isEmpty && all.count > 1
        }
        let timed = usable.filter { $0.first.map { !$0.sample.item.words.isEmpty } ?? false }
        return (timed.isEmpty ? usable : timed).prefix(4).compactMap { all in
            guard let first = all.first else { return nil }
            var card = ListeningCard(first.sample, first.plain)
            card.spans = all.compactMap(\.condition.span)
            card.texts = all.map { one in
                var text = ComparedText(one.condition.name, before: first.plain.text, after: one.changed.text)
                if let span = one.condition.span {
                    text.note = "\(Digits.short(span.lowerBound))–\(Digits.short(span.upperBound)) s cut"
                }
                return text
            }
            return .recording(card)
        }
    }
}
