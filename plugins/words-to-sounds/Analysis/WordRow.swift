import PluginKit

/// One word's line in the table of all words.
struct WordRow: Codable, Equatable {
    let recording, word: String
    let number: Int
    let whole, silent: Double
    /// Nil where the sound gives the word nothing over silence, or cutting it up loses too much.
    let kept: Double?
    let cells, energy, completeness: Double
    let says: String

    init(recording: String, word: WrittenWord, _ kept: KeptSound.Result, says: String) {
        (self.recording, self.word, number) = (recording, word.text, word.number)
        (whole, silent, self.kept) = (kept.whole, kept.silent, kept.kept)
        (cells, energy, completeness, self.says) = (kept.cells, kept.energy, kept.completeness, says)
    }

    static let columns = [
        "recording", "number", "word", "with the sound", "with silence", "with what is kept", "cells kept",
        "energy kept",
        "attributed", "the kept part is written as",
    ]

    var row: [Cell] {
        [
            .text(recording), .number(Double(number)), .text(word), .number(whole), .number(silent),
            .number(kept ?? .nan), .number(kept == nil ? .nan : cells), .number(kept == nil ? .nan : energy),
            .number(completeness), .text(says),
        ]
    }

    var isSound: Bool {
        whole.isFinite && silent.isFinite && kept?.isFinite ?? true && (0...1).contains(cells) && energy.isFinite
    }
}
