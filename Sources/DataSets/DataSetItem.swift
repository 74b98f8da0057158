/// One recording of a data set, with what the data set says about it.
public struct DataSetItem: Sendable, Hashable {
    public enum Source: Sendable, Hashable {
        /// An absolute path.
        case path(String)
        /// An embedded clip, by its name.
        case clip(String)
    }

    /// A column of the data set that has no place of its own here.
    public struct Label: Sendable, Hashable {
        public var column: String
        public var value: String

        public init(column: String, value: String) {
            self.column = column
            self.value = value
        }
    }

    /// Its place in the data set, from 0; the same in every shard.
    public var index = 0
    /// As the data set names it: the path as it is written in a manifest, or relative to the folder.
    public var name: String
    public var source: Source
    /// The part of the recording that is meant, in seconds; nil for all of it.
    public var start: Double?
    /// Nil for the recording's end.
    public var end: Double?
    public var text: String?
    public var language: String?
    public var speaker: String?
    /// In the order of the columns.
    public var labels: [Label] = []
    public var phonemes: [TimedLabel] = []
    public var words: [TimedLabel] = []
    /// Files with more of ``phonemes`` and ``words``; ``aligned()`` reads them.
    public var alignments: [AlignmentFile] = []

    public init(name: String, source: Source) {
        self.name = name
        self.source = source
    }

    /// Whether the data set says anything about it.
    public var isLabelled: Bool {
        text != nil || language != nil || speaker != nil || !labels.isEmpty || !phonemes.isEmpty || !words.isEmpty
            || !alignments.isEmpty
    }

    /// Every column with a value: language, speaker and text first.
    public var columns: [Label] {
        let known = [("language", language), ("speaker", speaker), ("text", text)]
        return known.compactMap { column, value in value.map { Label(column: column, value: $0) } } + labels
    }

    /// The same with its alignment files read into ``phonemes`` and ``words``.
    ///
    /// Not done while a data set is listed, so that a long list stays small.
    /// - Throws: ``DataSetError`` with the file and the line.
    public func aligned() throws -> DataSetItem {
        var item = self
        item.alignments = []
        for file in alignments {
            let read = try file.read()
            if item.phonemes.isEmpty { item.phonemes = read.phonemes }
            if item.words.isEmpty { item.words = read.words }
        }
        return item
    }
}

/// Something that lasts from `start` to `end`, in seconds from the recording's beginning, half open.
public struct TimedLabel: Sendable, Hashable {
    public var start: Double
    public var end: Double
    public var label: String

    public init(start: Double, end: Double, label: String) {
        self.start = start
        self.end = end
        self.label = label
    }
}
