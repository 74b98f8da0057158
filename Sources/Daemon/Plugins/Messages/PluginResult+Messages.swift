import Messages

extension PluginResult {
    /// - Throws: ``ServiceError`` (`dataLoss`) for a result without a value, or an array of a type that no plugin gives.
    init(_ message: V1.PluginResult) throws {
        let value: Value
        switch message.value {
        case .scalar(let number)?: value = .scalar(number)
        case .array(let array)?: value = .array(try Array(array, of: message.outputId))
        case .table(let table)?:
            value = .table(columns: table.columns, rows: table.rows.map { $0.cells.map(Cell.init) })
        case .events(let list)?: value = .events(list.events.map(TimedEvent.init))
        case .audio(let clip)?: value = .audio(Sound(sampleRate: clip.sampleRate, samples: clip.samples))
        case .text(let text)?: value = .text(text)
        case nil: throw ServiceError(.dataLoss, "the result '\(message.outputId)' has no value")
        }
        self.init(output: message.outputId, recording: message.file, value: value, continues: message.continues)
    }
}

extension PluginResult.Array {
    fileprivate init(_ message: V1.PluginArray, of output: String) throws {
        let tensor = message.tensor ?? V1.Tensor()
        switch tensor.dtype {
        case .f32: element = .float32
        case .f64: element = .float64
        case let other:
            throw ServiceError(
                .dataLoss, "the result '\(output)' is of the type \(other.name); expected f32 or f64")
        }
        (shape, data) = (tensor.shape, tensor.data)
        axes = message.axes.map(PluginAxis.init)
    }
}

extension PluginResult.Cell {
    fileprivate init(_ message: V1.PluginCell) {
        self =
            switch message.value {
            case .number(let number)?: .number(number)
            case .text(let text)?: .text(text)
            case nil: .missing
            }
    }
}

extension PluginResult.TimedEvent {
    fileprivate init(_ message: V1.PluginTimedEvent) {
        self.init(start: message.start, end: message.end, label: message.label, value: message.value)
    }
}

extension V1.PluginResult {
    init(_ result: PluginResult) {
        let value: Value =
            switch result.value {
            case .scalar(let number): .scalar(number)
            case .array(let array):
                .array(
                    V1.PluginArray(
                        tensor: V1.Tensor(
                            dtype: array.element == .float32 ? .f32 : .f64, shape: array.shape, data: array.data),
                        axes: array.axes.map(V1.ResultAxis.init)))
            case .table(let columns, let rows):
                .table(V1.PluginTable(columns: columns, rows: rows.map(V1.PluginRow.init)))
            case .events(let events): .events(V1.PluginTimedEvents(events: events.map(V1.PluginTimedEvent.init)))
            case .audio(let sound): .audio(V1.PluginAudioClip(sampleRate: sound.sampleRate, samples: sound.samples))
            case .text(let text): .text(text)
            }
        self.init(outputId: result.output, file: result.recording, value: value, continues: result.continues)
    }
}

extension V1.PluginRow {
    fileprivate init(_ row: [PluginResult.Cell]) {
        self.init(
            cells: row.map { cell in
                switch cell {
                case .number(let number): V1.PluginCell(value: .number(number))
                case .text(let text): V1.PluginCell(value: .text(text))
                case .missing: V1.PluginCell()
                }
            })
    }
}

extension V1.PluginTimedEvent {
    fileprivate init(_ event: PluginResult.TimedEvent) {
        self.init(start: event.start, end: event.end, label: event.label, value: event.value)
    }
}

extension V1.PluginResultChunk {
    init(_ part: PluginResult.Part, isLast: Bool) {
        self.init(last: isLast)
        switch part {
        case .bytes(let bytes): data = bytes
        case .rows(let rows): self.rows = rows.map(V1.PluginRow.init)
        case .events(let events): self.events = events.map(V1.PluginTimedEvent.init)
        case .text(let text): self.text = text
        }
    }
}

extension PluginResult.Part {
    init(_ message: V1.PluginResultChunk) {
        self =
            if !message.rows.isEmpty {
                .rows(message.rows.map { $0.cells.map(PluginResult.Cell.init) })
            } else if !message.events.isEmpty {
                .events(message.events.map(PluginResult.TimedEvent.init))
            } else if !message.text.isEmpty {
                .text(message.text)
            } else {
                .bytes(message.data)
            }
    }
}
