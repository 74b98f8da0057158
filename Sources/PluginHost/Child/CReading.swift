import CAuscultPlugin
import Foundation
import Messages

/// What is wrong with something that the plugin gave; a sentence.
struct PluginFault: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Reads the plugin's C structs into values, with bounds on everything. A pointer that leads nowhere ends the process,
/// which is what the process is for.
enum CReading {
    static let longestResultText = 16 << 20

    static func text(_ c: UnsafePointer<CChar>?, _ name: String, longest: Int = DescriptionCheck.longestText) throws
        -> String
    {
        guard let c else { throw PluginFault("\(name) is NULL") }
        let count = strnlen(c, longest + 1)
        guard count <= longest else { throw PluginFault("\(name) has more than \(longest) bytes") }
        let bytes = UnsafeRawBufferPointer(start: c, count: count)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw PluginFault("\(name) is not UTF-8") }
        return text
    }

    /// Checks a struct's size against what version 1.0 has of it.
    static func size<C>(_ size: UInt32, of: C.Type, _ name: String) throws {
        guard size >= MemoryLayout<C>.size else {
            throw PluginFault("\(name) has the struct_size \(size), at least \(MemoryLayout<C>.size) was expected")
        }
    }

    /// The elements of an array of structs that begin with their size, which is also the way from one to the next.
    static func structs<C>(
        _ base: UnsafePointer<C>?, _ count: UInt32, most: Int, _ name: String
    ) throws -> [UnsafePointer<C>] {
        guard count > 0 else { return [] }
        guard count <= most else { throw PluginFault("it has \(count) \(name), at most \(most)") }
        guard let base else { throw PluginFault("it has \(count) \(name) at NULL") }
        let raw = UnsafeRawPointer(base)
        let stride = Int(raw.loadUnaligned(as: UInt32.self))
        try size(UInt32(stride), of: C.self, "the first of its \(name)")
        guard stride <= 4096, stride % MemoryLayout<C>.alignment == 0 else {
            throw PluginFault("the first of its \(name) has the struct_size \(stride)")
        }
        return try (0..<Int(count)).map { index in
            let place = raw + index * stride
            guard Int(place.loadUnaligned(as: UInt32.self)) == stride else {
                throw PluginFault("its \(name) have different struct_sizes")
            }
            return place.assumingMemoryBound(to: C.self)
        }
    }

    static func texts(
        _ base: UnsafePointer<UnsafePointer<CChar>?>?, _ count: UInt32, most: Int, _ name: String
    ) throws -> [String] {
        guard count > 0 else { return [] }
        guard count <= most else { throw PluginFault("it has \(count) \(name), at most \(most)") }
        guard let base else { throw PluginFault("it has \(count) \(name) at NULL") }
        return try (0..<Int(count)).map { try text(base[$0], "one of its \(name)") }
    }

    // MARK: - The description

    static func description(_ c: UnsafePointer<auscult_descriptor>) throws -> HostV1.Done {
        let d = c.pointee
        try size(d.struct_size, of: auscult_descriptor.self, "its descriptor")
        let needs = try withUnsafePointer(to: d.needs) { try self.needs($0) }
        let listing = V1.PluginListing(
            id: try text(d.id, "its id"), name: try text(d.name, "its name"),
            version: try text(d.version, "its version"), vendor: try text(d.vendor, "its vendor"),
            licence: try text(d.licence, "its licence"))
        let description = V1.PluginDescription(
            listing: listing, description: try text(d.description, "its description"), needs: needs.needs,
            parameters: try structs(
                d.parameters, d.parameter_count, most: DescriptionCheck.mostParameters, "parameters"
            ).map(parameter),
            outputs: try structs(d.outputs, d.output_count, most: DescriptionCheck.mostOutputs, "outputs").map(output))
        return HostV1.Done(description: description, needs: needs)
    }

    static func needs(_ c: UnsafePointer<auscult_needs>) throws -> HostV1.Needs {
        let n = c.pointee
        try size(n.struct_size, of: auscult_needs.self, "its needs")
        let gradients = n.has(AUSCULT_NEED_GRADIENTS)
        return HostV1.Needs(
            needs: V1.PluginNeeds(
                hooks: try texts(n.hooks, n.hook_count, most: DescriptionCheck.mostHooks, "hook points"),
                gradients: gradients,
                objective: gradients ? try text(n.objective, "the objective of its gradients") : "",
                allFrames: n.has(AUSCULT_NEED_ALL_FRAMES), audio: n.has(AUSCULT_NEED_AUDIO),
                decoder: n.has(AUSCULT_NEED_DECODER), labels: n.has(AUSCULT_NEED_LABELS),
                oneRun: n.has(AUSCULT_NEED_ONE_RUN), canStream: n.has(AUSCULT_CAN_STREAM)),
            nothingToHear: n.has(AUSCULT_NEED_NOTHING_TO_HEAR))
    }

    private static func parameter(_ c: UnsafePointer<auscult_parameter>) throws -> V1.PluginParameter {
        let p = c.pointee
        let id = try text(p.id, "the id of a parameter")
        guard let kind = p.kindName else { throw PluginFault("its parameter \(id) has the unknown kind \(p.kind)") }
        return V1.PluginParameter(
            id: id, kind: kind, default: try text(p.default_value, "the default of \(id)"),
            minimum: p.hasBounds && p.minimum != -.infinity ? p.minimum : nil,
            maximum: p.hasBounds && p.maximum != .infinity ? p.maximum : nil,
            choices: try texts(p.choices, p.choice_count, most: DescriptionCheck.mostChoices, "choices of \(id)"),
            description: try text(p.description, "the description of \(id)"))
    }

    private static func output(_ c: UnsafePointer<auscult_output>) throws -> V1.PluginOutput {
        let o = c.pointee
        let id = try text(o.id, "the id of an output")
        return V1.PluginOutput(
            id: id, title: try text(o.title, "the title of \(id)"), unit: try text(o.unit, "the unit of \(id)"),
            kind: V1.ResultKind(rawValue: o.kind), axes: try axes(o.axes, o.axis_count),
            plot: V1.PlotHint(rawValue: o.plot), description: try text(o.description, "the description of \(id)"))
    }

    static func axes(_ base: UnsafePointer<auscult_axis>?, _ count: UInt32) throws -> [V1.ResultAxis] {
        try structs(base, count, most: 2, "axes").map { c in
            let a = c.pointee
            return V1.ResultAxis(
                name: try text(a.name, "the name of an axis"), unit: try text(a.unit, "the unit of an axis"),
                labels: try texts(a.labels, a.label_count, most: DescriptionCheck.mostLabels, "labels of an axis"),
                first: a.first, step: a.step)
        }
    }

    // MARK: - A result

    /// - Parameter most: bytes that its numbers may take.
    static func result(
        _ id: UnsafePointer<CChar>?, _ c: UnsafePointer<auscult_value>?, most: Int
    ) throws -> HostV1.Emit {
        guard let c else { throw PluginFault("the value is NULL") }
        let v = c.pointee
        try size(v.struct_size, of: auscult_value.self, "the value")
        var result = V1.PluginResult(
            outputId: try text(id, "the output's id"), file: try text(v.recording, "the name of the recording"))
        switch Int(v.kind) {
        case AUSCULT_SCALAR: result.value = .scalar(v.scalar)
        case AUSCULT_VECTOR: result.value = .array(try array(v, rank: 1, most: most))
        case AUSCULT_MATRIX: result.value = .array(try array(v, rank: 2, most: most))
        case AUSCULT_TABLE: result.value = .table(try table(v, most: most))
        case AUSCULT_TIMED_EVENTS:
            let events = try bounded(v.events, v.event_count, each: 24, most, "events").map {
                V1.PluginTimedEvent(
                    start: $0.start, end: $0.end, label: try text($0.label, "the label of an event"), value: $0.value)
            }
            result.value = .events(V1.PluginTimedEvents(events: events))
        case AUSCULT_AUDIO_CLIP:
            let samples = try bounded(v.samples, v.sample_count, each: 4, most, "samples")
            result.value = .audio(
                V1.PluginAudioClip(sampleRate: v.sample_rate, samples: Array(UnsafeRawBufferPointer(samples))))
        case AUSCULT_TEXT: result.value = .text(try text(v.text, "the text", longest: min(most, longestResultText)))
        default: throw PluginFault("the value has the unknown kind \(v.kind)")
        }
        return HostV1.Emit(result: result, mayBeNan: v.may_be_nan != 0)
    }

    /// - Parameter each: the least bytes that one takes in a message.
    private static func bounded<C>(
        _ base: UnsafePointer<C>?, _ count: UInt64, each: UInt64, _ most: Int, _ name: String
    ) throws -> UnsafeBufferPointer<C> {
        guard count <= UInt64(most) / each else { throw ResultTooLarge("the result has \(count) \(name)") }
        guard count > 0 else { return UnsafeBufferPointer(start: nil, count: 0) }
        guard let base else { throw PluginFault("the result has \(count) \(name) at NULL") }
        return UnsafeBufferPointer(start: base, count: Int(count))
    }

    private static func array(_ v: auscult_value, rank: Int, most: Int) throws -> V1.PluginArray {
        guard let array = v.array else { throw PluginFault("the array is NULL") }
        return V1.PluginArray(
            tensor: try tensor(array.pointee, rank: rank, most: most), axes: try axes(v.axes, v.axis_count))
    }

    /// Copies a tensor of the plugin's, row by row where its strides ask for it.
    static func tensor(_ t: auscult_tensor, rank: Int, most: Int) throws -> V1.Tensor {
        try size(t.struct_size, of: auscult_tensor.self, "the array")
        let size: Int
        switch Int(t.dtype) {
        case AUSCULT_F32: size = MemoryLayout<Float>.size
        case AUSCULT_F64: size = MemoryLayout<Double>.size
        default:
            throw PluginFault("the array has the type \(t.dtype), F32 or F64 was expected")
        }
        guard t.rank == rank else { throw PluginFault("the array has rank \(t.rank), \(rank) was expected") }
        let shape = [t.shape.0, t.shape.1].prefix(rank)
        let strides = [t.strides.0, t.strides.1].prefix(rank)
        var count = 1
        for extent in shape {
            guard extent >= 0 else { throw PluginFault("the array has the shape \(Array(shape))") }
            let (product, overflow) = count.multipliedReportingOverflow(by: Int(extent))
            guard !overflow, product <= most / size else {
                throw ResultTooLarge("the array has the shape \(Array(shape))")
            }
            count = product
        }
        guard let data = t.data ?? (count == 0 ? UnsafeRawPointer(bitPattern: 8) : nil) else {
            throw PluginFault("the array's data is NULL")
        }
        let rows = rank == 2 ? Int(shape[0]) : 1
        let columns = count == 0 ? 0 : count / max(rows, 1)
        let rowStride = rank == 2 ? Int(strides[0]) : 0
        let columnStride = Int(strides[rank - 1])
        for (stride, extent) in [(rowStride, rows), (columnStride, columns)] where extent > 1 {
            guard !stride.multipliedReportingOverflow(by: extent * size).overflow else {
                throw PluginFault("the array has the strides \(Array(strides))")
            }
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * size)
        for row in 0..<(count == 0 ? 0 : rows) {
            let start = data + row * rowStride * size
            if columnStride == 1 || columns == 1 {
                bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: columns * size))
            } else {
                for column in 0..<columns {
                    bytes.append(
                        contentsOf: UnsafeRawBufferPointer(start: start + column * columnStride * size, count: size))
                }
            }
        }
        return V1.Tensor(dtype: V1.DType(rawValue: t.dtype), shape: shape.map { UInt64($0) }, data: bytes)
    }

    private static func table(_ v: auscult_value, most: Int) throws -> V1.PluginTable {
        let columns = try texts(v.columns, v.column_count, most: ResultCheck.mostColumns, "columns")
        guard !columns.isEmpty else { throw PluginFault("the table has no columns") }
        let (count, overflow) = v.row_count.multipliedReportingOverflow(by: UInt64(columns.count))
        guard !overflow else { throw ResultTooLarge("the table has \(v.row_count) rows") }
        let cells = try bounded(v.cells, count, each: 12, most, "cells")
        var table = V1.PluginTable(columns: columns)
        var textBytes = 0
        for row in 0..<Int(v.row_count) {
            table.rows.append(
                V1.PluginRow(
                    cells: try cells[(row * columns.count)..<((row + 1) * columns.count)].map { cell in
                        guard let c = cell.text else { return V1.PluginCell(value: .number(cell.number)) }
                        let text = try text(c, "a cell of row \(row)")
                        textBytes += text.utf8.count
                        guard textBytes <= most else { throw ResultTooLarge("the table's texts are too long") }
                        return V1.PluginCell(value: .text(text))
                    }))
        }
        return table
    }
}

/// A result that is too large before it is even copied.
struct ResultTooLarge: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
