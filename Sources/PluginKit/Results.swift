import CAuscultPlugin

/// A cell of a table: a number or words.
public enum Cell: Sendable, Equatable, ExpressibleByStringLiteral, ExpressibleByFloatLiteral,
    ExpressibleByIntegerLiteral
{
    case number(Double)
    case text(String)

    public init(stringLiteral value: String) { self = .text(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
}

/// Something that lasts from `start` to `end`, in seconds from the recording's beginning.
public struct TimedEvent: Sendable, Equatable {
    public var start, end: Double
    public var label: String
    public var value: Double

    public init(start: Double, end: Double, label: String, value: Double = 0) {
        self.start = start
        self.end = end
        self.label = label
        self.value = value
    }
}

/// A value of a declared output.
public enum ResultValue: Sendable {
    case scalar(Double)
    /// - Parameter axis: in place of the declared one.
    case vector([Double], axis: Axis? = nil)
    /// Row-major, `rows * columns` numbers.
    /// - Parameter axes: of the rows and of the columns, in place of the declared ones.
    case matrix([Double], rows: Int, columns: Int, axes: [Axis] = [])
    case table(columns: [String], rows: [[Cell]])
    case events([TimedEvent])
    /// Mono, full scale ±1.
    case audio([Float], sampleRate: Int)
    case text(String)
}

/// Where results go. They are copied before ``emit(_:_:recording:mayBeNaN:)`` returns.
public struct Results {
    let host: Host

    /// Gives a value of a declared output.
    /// - Parameters:
    ///   - recording: the name of the recording that it is about; nil where it is about all of them.
    ///   - mayBeNaN: a NaN stands for "no value"; otherwise numbers must be finite.
    /// - Throws: ``PluginError``: `invalidArgument` where it is not declared, of another kind or shape, or not finite;
    ///   `limit` where there are too many or it is too large. What was refused is not kept; a plugin may go on.
    public func emit(_ id: String, _ value: ResultValue, recording: String? = nil, mayBeNaN: Bool = false) throws {
        let memory = CMemory()
        var c = auscult_value()
        c.struct_size = UInt32(MemoryLayout<auscult_value>.size)
        c.may_be_nan = mayBeNaN ? 1 : 0
        c.recording = memory.string(recording ?? "")
        c.text = memory.string("")
        try memory.fill(&c, with: value, id)
        try host.check(host.pointer.pointee.emit(host.pointer, memory.string(id), &c), "the result \"\(id)\"")
    }
}

extension CMemory {
    fileprivate func fill(_ c: inout auscult_value, with value: ResultValue, _ id: String) throws {
        switch value {
        case .scalar(let number):
            c.kind = Output.Kind.scalar.rawValue
            c.scalar = number
        case .vector(let numbers, let axis):
            c.kind = Output.Kind.vector.rawValue
            fill(&c, numbers, shape: [numbers.count], axes: axis.map { [$0] } ?? [])
        case .matrix(let numbers, let rows, let columns, let axes):
            let (size, overflow) = rows.multipliedReportingOverflow(by: columns)
            guard rows >= 0, columns >= 0, !overflow, size == numbers.count else {
                throw PluginError(
                    .invalidArgument, "the matrix \"\(id)\" has \(numbers.count) numbers, not \(rows) x \(columns)")
            }
            c.kind = Output.Kind.matrix.rawValue
            fill(&c, numbers, shape: [rows, columns], axes: axes)
        case .table(let columns, let rows):
            if let row = rows.firstIndex(where: { $0.count != columns.count }) {
                throw PluginError(
                    .invalidArgument,
                    "row \(row) of the table \"\(id)\" has \(rows[row].count) cells for \(columns.count) columns")
            }
            c.kind = Output.Kind.table.rawValue
            c.columns = strings(columns)
            c.column_count = UInt32(columns.count)
            c.cells = array(rows.joined().map(cell))
            c.row_count = UInt64(rows.count)
        case .events(let events):
            c.kind = Output.Kind.timedEvents.rawValue
            c.events = array(
                events.map { auscult_event(start: $0.start, end: $0.end, label: string($0.label), value: $0.value) })
            c.event_count = UInt64(events.count)
        case .audio(let samples, let rate):
            c.kind = Output.Kind.audioClip.rawValue
            c.samples = array(samples)
            c.sample_count = UInt64(samples.count)
            c.sample_rate = UInt32(clamping: rate)
        case .text(let text):
            c.kind = Output.Kind.text.rawValue
            c.text = string(text)
        }
    }

    private func fill(_ c: inout auscult_value, _ numbers: [Double], shape: [Int], axes: [Axis]) {
        var tensor = auscult_tensor()
        tensor.struct_size = UInt32(MemoryLayout<auscult_tensor>.size)
        tensor.dtype = TensorView.Element.float64.rawValue
        tensor.rank = UInt32(shape.count)
        tensor.shape.0 = Int64(shape[0])
        tensor.strides.0 = shape.count > 1 ? Int64(shape[1]) : 1
        if shape.count > 1 {
            tensor.shape.1 = Int64(shape[1])
            tensor.strides.1 = 1
        }
        tensor.data = array(numbers).map { UnsafeRawPointer($0) }
        tensor.hook = string("")
        let empty = string("")
        tensor.axes = (empty, empty, empty, empty, empty, empty, empty, empty)
        c.array = UnsafePointer(value(tensor))
        c.axes = array(axes.map(axis))
        c.axis_count = UInt32(axes.count)
    }

    private func cell(_ cell: Cell) -> auscult_cell {
        switch cell {
        case .number(let number): auscult_cell(text: nil, number: number)
        case .text(let text): auscult_cell(text: string(text), number: 0)
        }
    }
}
