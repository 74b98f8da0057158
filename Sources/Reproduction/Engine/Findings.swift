import Messages
import Results

/// What a section's study takes out of its parts' results.
struct Findings: Sendable {
    var measures: [Measure] = []
    /// What this model shows on these samples, in a sentence or two made of measured numbers.
    var sentence = ""
    /// Tables and figures of the section's own.
    var results = ComputedResults()
    /// What there is to hear.
    var listening: [Listening] = []
    /// What a reader has to know of these numbers.
    var notes: [String] = []
}

/// Something to listen to, with what is to be seen beside it.
enum Listening: Sendable {
    /// A recording with texts that light up as it plays.
    case recording(ListeningCard)
    /// A table whose cells may be sounds.
    case table(ListeningTable)
}

struct ListeningCard: Sendable {
    var title: String
    var sound: SoundRequest
    /// What is said when, for the strip below the player.
    var words: [HeardWord] = []
    /// Seconds that something was done to.
    var spans: [Range<Double>] = []
    /// Texts to compare, each with its name.
    var texts: [ComparedText] = []
}

/// A word with its time.
package struct HeardWord: Sendable {
    package let text: String
    package let start: Double
    package let end: Double
}

/// A text beside another one.
struct ComparedText: Sendable {
    let name: String
    let words: [WordChange]
    /// A remark behind it: its word error rate, say.
    var note = ""
}

struct ListeningTable: Sendable {
    var title: String
    var columns: [String]
    var rows: [[ListeningCell]]
}

enum ListeningCell: Sendable {
    case text(String)
    case number(Double)
    case sounds([PlayableMoment])
    /// Texts below each other, each with what is marked in it.
    case texts([[WordChange]])
}

/// A moment that one can press to hear.
struct PlayableMoment: Sendable {
    /// What is written on it.
    let label: String
    let sound: SoundRequest
}

/// A piece of a sample's sound.
package struct SoundRequest: Sendable, Hashable {
    package let sample: String
    /// Seconds from the recording's start.
    package let start: Double
    /// Nil for the end.
    package let end: Double?
    /// The frame that is brought out, with its surroundings ducked; nil for the sound as it is.
    package var moment: UInt64?
}
