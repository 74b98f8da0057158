import CAuscultPlugin

/// Memory for strings and arrays that C reads, freed all at once when the value goes.
package final class CMemory {
    private var blocks: [UnsafeMutableRawPointer] = []

    package init() {}

    deinit { blocks.forEach { $0.deallocate() } }

    package func string(_ text: String) -> UnsafePointer<CChar> {
        // A NUL inside would end the string early, unseen.
        let bytes = text.utf8.filter { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
        return array(bytes) ?? UnsafePointer(allocate(CChar.self, 1, filledWith: 0))
    }

    /// A copy; nil for none.
    package func array<Element: BitwiseCopyable>(_ values: [Element]) -> UnsafePointer<Element>? {
        guard let first = values.first else { return nil }
        let copy = allocate(Element.self, values.count, filledWith: first)
        for (index, value) in values.enumerated() { copy[index] = value }
        return UnsafePointer(copy)
    }

    package func strings(_ texts: [String]) -> UnsafePointer<UnsafePointer<CChar>?>? {
        array(texts.map { .some(string($0)) })
    }

    package func value<Value: BitwiseCopyable>(_ value: Value) -> UnsafeMutablePointer<Value> {
        allocate(Value.self, 1, filledWith: value)
    }

    private func allocate<Element: BitwiseCopyable>(
        _: Element.Type, _ count: Int, filledWith value: Element
    ) -> UnsafeMutablePointer<Element> {
        let pointer = UnsafeMutablePointer<Element>.allocate(capacity: count)
        pointer.initialize(repeating: value, count: count)
        blocks.append(UnsafeMutableRawPointer(pointer))
        return pointer
    }
}

// MARK: - Declarations, as C sees them

extension CMemory {
    func needs(_ needs: Needs) -> auscult_needs {
        var flags = 0
        if needs.allFrames { flags |= AUSCULT_NEED_ALL_FRAMES }
        if needs.audio { flags |= AUSCULT_NEED_AUDIO }
        if needs.decoder { flags |= AUSCULT_NEED_DECODER }
        if needs.labels { flags |= AUSCULT_NEED_LABELS }
        if needs.gradientsOf != nil { flags |= AUSCULT_NEED_GRADIENTS }
        if needs.oneRun { flags |= AUSCULT_NEED_ONE_RUN }
        if needs.canStream { flags |= AUSCULT_CAN_STREAM }
        if needs.nothingToHear { flags |= AUSCULT_NEED_NOTHING_TO_HEAR }
        return auscult_needs(
            struct_size: UInt32(MemoryLayout<auscult_needs>.size), flags: UInt32(flags),
            hooks: strings(needs.hooks), hook_count: UInt32(needs.hooks.count),
            objective: needs.gradientsOf.map(string))
    }

    func parameter(_ parameter: Parameter) -> auscult_parameter {
        auscult_parameter(
            struct_size: UInt32(MemoryLayout<auscult_parameter>.size), kind: parameter.kind.rawValue,
            id: string(parameter.id), description: string(parameter.description),
            default_value: string(parameter.defaultValue), minimum: parameter.range.lowerBound,
            maximum: parameter.range.upperBound, choices: strings(parameter.choices),
            choice_count: UInt32(parameter.choices.count))
    }

    func axis(_ axis: Axis) -> auscult_axis {
        auscult_axis(
            struct_size: UInt32(MemoryLayout<auscult_axis>.size), name: string(axis.name), unit: string(axis.unit),
            labels: strings(axis.labels), label_count: UInt32(axis.labels.count), first: axis.first, step: axis.step)
    }

    func output(_ output: Output) -> auscult_output {
        auscult_output(
            struct_size: UInt32(MemoryLayout<auscult_output>.size), kind: output.kind.rawValue,
            plot: output.plot.rawValue, id: string(output.id), title: string(output.title), unit: string(output.unit),
            description: string(output.description), axes: array(output.axes.map(axis)),
            axis_count: UInt32(output.axes.count))
    }

    func descriptor(_ descriptor: PluginDescriptor) -> UnsafePointer<auscult_descriptor> {
        UnsafePointer(
            value(
                auscult_descriptor(
                    struct_size: UInt32(MemoryLayout<auscult_descriptor>.size), id: string(descriptor.id),
                    name: string(descriptor.name), version: string(descriptor.version),
                    vendor: string(descriptor.vendor), licence: string(descriptor.licence),
                    description: string(descriptor.description), needs: needs(descriptor.needs),
                    parameters: array(descriptor.parameters.map(parameter)),
                    parameter_count: UInt32(descriptor.parameters.count),
                    outputs: array(descriptor.outputs.map(output)), output_count: UInt32(descriptor.outputs.count))))
    }
}
