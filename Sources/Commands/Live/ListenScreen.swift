import Foundation
import Messages
import Results
import TerminalText

/// A session as lines of a terminal.
struct ListenScreen {
    var width: Int
    var height: Int
    /// Whether anything but characters may be written: colours, bold, faint.
    var isStyled: Bool
    var isPaused = false
    var page = 0
    /// Interventions that a key switches, where there are any.
    var canSteer = false

    /// Whether there is no room for numbers.
    private var isNarrow: Bool { width < 40 }

    private static let blocks = Array("▁▂▃▄▅▆▇█")
    private static let lowest: Float = -60

    /// At most `height` lines of `width` columns.
    func lines(_ state: ListenState, model: String) -> [String] {
        var lines = [header(state, model), levelLine(state), ""]
        let texts = textLines(state) + resultLines(state)
        let fixed = lines.count + texts.count + 4
        lines += texts + [""]
        lines += featureLines(state, rows: max(0, height - fixed))
        while lines.count < height - 2 { lines.append("") }
        return Array(lines.prefix(max(0, height - 2))) + [latencyLine(state), keys]
    }

    private func header(_ state: ListenState, _ model: String) -> String {
        let time = String(timestamp(state.duration).dropLast(2))
        let left = ["auscult listen", model, state.source].filter { !$0.isEmpty }.joined(separator: "  ")
        let right = (isPaused ? "paused  " : "") + time
        let room = max(0, width - PrintedText.width(right) - 2)
        return bold(PrintedText.pad(PrintedText.cut(PrintedText.safe(left), to: room), to: room)) + "  " + right
    }

    /// The level as a bar, with the highest of late as a line in it.
    private func levelLine(_ state: ListenState) -> String {
        let words =
            isNarrow ? "" : String(format: " %6.1f dB  %@", state.level, state.hasVoice ? "voice" : "     ")
        let room = max(4, width - 7 - PrintedText.width(words))
        func place(_ level: Float) -> Int { Int((max(0, min(1, 1 - level / Self.lowest)) * Float(room)).rounded()) }
        var bar = (0..<room).map { $0 < place(state.level) ? "█" : "·" }
        let peak = place(state.peak)
        if peak > 0, state.peak > Self.lowest { bar[peak - 1] = "▐" }
        let text = bar.joined()
        return " level " + (state.peak > -1 ? colour(text, 31) : state.hasVoice ? colour(text, 32) : text) + words
    }

    /// Settled text, then what two looks agree on, then what may change; the newest lines of each.
    private func textLines(_ state: ListenState) -> [String] {
        let compares = !state.text[1].isEmpty || !state.hypotheses[1].text.isEmpty
        let rows = compares ? max(1, height / 6) : max(1, height / 4)
        var lines: [String] = []
        for place in compares ? [0, 1] : [0] {
            if compares { lines.append(faint(place == 0 ? "with interventions" : "without")) }
            let hypothesis = state.hypotheses[place]
            let isStable = hypothesis.text.hasPrefix(hypothesis.stable)
            let stable = isStable ? hypothesis.stable : ""
            let rest = String(hypothesis.text.dropFirst(stable.count))
            let known = PrintedText.safe(state.text[place]), sure = PrintedText.safe(stable)
            let wrapped = wrap(known + sure + PrintedText.safe(rest), surely: (known + sure).count)
            lines += Array(wrapped.suffix(rows))
        }
        return lines
    }

    /// Cuts at blanks; what comes after `surely` characters is faint, or in brackets where nothing can be.
    private func wrap(_ text: String, surely: Int) -> [String] {
        var lines: [String] = []
        var (line, lineWidth, count) = ("", 0, 0)
        var isFaint = false
        for whole in text.split(separator: " ") {
            let word = PrintedText.cut(String(whole), to: width - 3)
            // Blanks count as they were: one before each word.
            let (columns, isTentative) = (PrintedText.width(word), count + 1 >= surely)
            if lineWidth + columns + 1 > width - 1, lineWidth > 0 {
                lines.append(line)
                (line, lineWidth) = ("", 0)
            }
            let mark = isTentative && !isStyled && !isFaint ? "…" : ""
            isFaint = isTentative
            line += " " + mark + (isTentative ? faint(word) : word)
            lineWidth += columns + 1 + PrintedText.width(mark)
            count += whole.count + 1
        }
        return lines + (line.isEmpty ? [] : [line])
    }

    /// A line for the newest of each result of plugins, on a third of the screen at most.
    private func resultLines(_ state: ListenState) -> [String] {
        let lines = state.results.map { PrintedText.cut(" " + $0.liveLine(width: max(20, width - 24)), to: width) }
        let failures = state.failures.map { PrintedText.cut(" " + PrintedText.safe($0), to: width) }
        let all = lines + failures
        return all.isEmpty ? [] : [""] + all.prefix(max(1, height / 3))
    }

    /// The features that answer most now, each with its last seconds; what may still change is faint.
    private func featureLines(_ state: ListenState, rows: Int) -> [String] {
        guard !state.tracks.isEmpty, rows > 1 else { return [] }
        let pages = (state.tracks.count + rows - 2) / (rows - 1)
        let shown: [ListenState.Track]
        if pages > 1, page % (pages + 1) == 0 {
            shown = Array(
                state.tracks.map { ($0, state.strength($0)) }.sorted { $0.1 > $1.1 }.prefix(rows - 1).map(\.0))
        } else {
            let at = pages > 1 ? page % (pages + 1) - 1 : 0
            shown = Array(state.tracks.dropFirst(at * (rows - 1)).prefix(rows - 1))
        }
        let names = min(width / 3, shown.map { PrintedText.width($0.name) }.max() ?? 0)
        let labels = min(width / 5, shown.map { PrintedText.width($0.label) }.max() ?? 0)
        let track = max(0, width - names - labels - (isNarrow ? 5 : 13))
        let ahead = Double(state.newest + 1 - state.settled) / 50
        let which =
            pages > 1
            ? (page % (pages + 1) == 0
                ? "strongest of \(state.tracks.count)" : "page \(page % (pages + 1)) of \(pages)") : ""
        let title = PrintedText.cut(
            String(format: " features  %@  settled up to %.1f s ago", which, max(0, ahead)), to: width)
        return [faint(title)]
            + shown.map { one in
                let name = PrintedText.pad(
                    PrintedText.cutBeginning(of: PrintedText.safe(one.name), to: names), to: names)
                let label = PrintedText.pad(PrintedText.cut(PrintedText.safe(one.label), to: labels), to: labels)
                let value = isNarrow ? "" : String(format: "%8.3f", one.values[state.newest] ?? 0)
                let strength = state.strength(one)
                let row = " \(name) \(label) "
                return (strength > 0.5 ? bold(row) : row) + sparkline(one, state, columns: track) + value
            }
    }

    private func sparkline(_ track: ListenState.Track, _ state: ListenState, columns: Int) -> String {
        guard columns > 0 else { return "" }
        var text = ["", ""]
        for frame in state.newest - columns + 1...max(state.newest, state.newest - columns + 1) {
            let value = track.values[frame].map { track.greatest > 0 ? max(0, $0) / track.greatest : 0 }
            let block = value.map { $0 > 0.02 ? Self.blocks[min(7, Int($0 * 8))] : " " } ?? "·"
            text[frame < state.settled ? 0 : 1].append(block)
        }
        return text[0] + faint(text[1])
    }

    private func latencyLine(_ state: ListenState) -> String {
        var parts = ["level", "features", "words"].compactMap { kind in
            state.delay(kind, percentile: 0.5).map { middle in
                "\(kind) \(middle)/\(state.delay(kind, percentile: 0.95) ?? middle) ms"
            }
        }
        if !parts.isEmpty { parts[0] = "latency " + parts[0] }
        if state.dropped > 0 { parts.append("\(state.dropped) events dropped") }
        if state.gaps > 0 { parts.append(state.gaps == 1 ? "1 gap" : "\(state.gaps) gaps") }
        if state.marks > 0 { parts.append(state.marks == 1 ? "1 mark" : "\(state.marks) marks") }
        if !state.interventions.isEmpty { parts.append(state.interventions.joined(separator: "; ")) }
        return faint(PrintedText.cut(" " + PrintedText.safe(parts.joined(separator: "  ")), to: width))
    }

    private var keys: String {
        let all = " space pause  n next page  m mark" + (canSteer ? "  i interventions on or off" : "") + "  q quit"
        return faint(PrintedText.cut(all, to: width))
    }

    private func bold(_ text: String) -> String { isStyled && !text.isEmpty ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
    private func faint(_ text: String) -> String { isStyled && !text.isEmpty ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
    private func colour(_ text: String, _ number: Int) -> String {
        isStyled ? "\u{1B}[\(number)m\(text)\u{1B}[0m" : text
    }
}
