import Client
import Messages

/// One claim of the post: what is run for it, which figures show it, and from which numbers on it holds.
///
/// A section is a value; ``Reproduction`` runs any. To add an experiment, declare one in a file of Sections/ and name it
/// in ``Section/all``.
package struct Section: Sendable {
    /// A word for the command line, and the section's folder.
    package let id: String
    package let title: String
    /// What the post found.
    package let claim: String
    /// What is done here, with what differs from the post.
    package let method: String
    /// What is run, in this order.
    let parts: [Part]
    /// What makes the claim hold.
    package let criteria: [Criterion]
    /// The figures, in the order of the page.
    package let exhibits: [Exhibit]
    /// Takes the measured numbers out of what the parts gave.
    let study: @Sendable (Evidence) async throws -> Findings

    /// Whether it looks at what the model writes of recordings.
    var writes: Bool {
        parts.contains { if case .transcripts = $0 { true } else { false } } || self.readsTranscripts
    }
    /// Whether a plugin of it looks at what the model writes.
    var readsTranscripts = false

    /// The parts' names, which exhibits name.
    package var partIDs: [String] { parts.map(\.id) }
}

/// One thing to run.
enum Part: Sendable {
    case plugin(PluginPart)
    case transcripts(TranscriptPart)

    var id: String {
        switch self {
        case .plugin(let part): part.id
        case .transcripts(let part): part.id
        }
    }
}

/// A plugin over the samples.
struct PluginPart: Sendable {
    let id: String
    let plugin: String
    /// Whether it hears the samples; false for one that needs none.
    let hears: Bool
    /// Whether the section can do without: an error is then the reason why it has no results.
    var isOptional = false
    /// An earlier part whose work it goes on with; without that one's results it is not run.
    var after = ""
    /// A folder for its results that other sections name as well, so that what they share is run once; empty for the
    /// section's own.
    var shared = ""
    /// Which of the samples it hears, where it hears any.
    var extent = Extent.all
    /// How much of a window the encoder computes for it.
    var context = V1.EncoderContext.full
    /// Its arguments on these samples.
    /// - Throws: ``Unsuitable`` where it can say nothing about them.
    let arguments: @Sendable (Situation) async throws -> [(key: String, value: String)]

    /// With the same arguments for all samples.
    init(_ id: String, _ plugin: String, hears: Bool = true, _ arguments: KeyValuePairs<String, String> = [:]) {
        let pairs = arguments.map { (key: $0.key, value: $0.value) }
        self.init(id, plugin, hears: hears) { _ in pairs }
    }

    init(
        _ id: String, _ plugin: String, hears: Bool = true,
        arguments: @escaping @Sendable (Situation) async throws -> [(key: String, value: String)]
    ) {
        self.id = id
        self.plugin = plugin
        self.hears = hears
        self.arguments = arguments
    }
}

/// The spoken samples written down, as they are and under each condition.
struct TranscriptPart: Sendable {
    let id: String
    /// Whether the sample without a change is written down with the times of its words, for conditions that need them; what is changed has none.
    var isTimed = true
    /// The conditions for one sample, given how it is written down without any.
    let conditions: @Sendable (Sample, WrittenText) -> [Condition]
}

/// Changes to the model under which a sample is written down.
struct Condition: Sendable, Equatable {
    /// "window 75", "first second".
    let name: String
    /// In the text form of the command line.
    let interventions: [String]
    /// The seconds of the recording that are changed, where it is a part.
    var span: Range<Double>?
}

/// Why a section says nothing about these samples or this model; it is no failure.
struct Unsuitable: Error, CustomStringConvertible {
    let description: String

    init(_ reason: String) { description = reason }
}

/// A figure: results of a part, or of the section's own findings.
package struct Exhibit: Sendable {
    /// The name of what a section's study found itself.
    package static let findings = "findings"

    /// A part of the section, or ``findings``.
    package let part: String
    /// The id of the output.
    package let output: String
    /// What is to be seen, in a sentence.
    package let caption: String
    /// Whether it is shown only when somebody asks.
    package let isFolded: Bool

    package init(_ part: String, _ output: String, _ caption: String, folded: Bool = false) {
        self.part = part
        self.output = output
        self.caption = caption
        self.isFolded = folded
    }
}
