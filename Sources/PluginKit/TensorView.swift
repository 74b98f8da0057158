import CAuscultPlugin

/// Numbers of the host's, looked at where they lie: valid until the function that got them returns, and never longer.
public struct TensorView {
    public enum Element: Int32, Sendable { case float32 = 1, float64 = 4, int32 = 5, int64 = 6, uint8 = 7 }

    public let element: Element
    /// Outermost first.
    public let shape: [Int]
    /// In elements.
    public let strides: [Int]
    /// The hook point that it was captured at; "" where it is none. A gradient has "@grad" behind.
    public let hook: String
    /// What each axis is: "frame", "mel_frame", "token", "head", "head_dim", "state", "neuron", "vocab", "key_frame",
    /// "key_token".
    public let axes: [String]
    /// What index 0 of the axis of positions stands for, counted from the recording's beginning.
    public let firstPosition: Int
    /// 50 for frames, 100 for mel frames, 0 for tokens.
    public let positionsPerSecond: Double
    /// Positions that overlap audio.
    public let validPositions: Int
    private let data: UnsafeRawPointer?

    public var rank: Int { shape.count }
    public var count: Int { shape.reduce(1, *) }

    /// - Throws: ``PluginError`` (`unsupported`) where what the host describes is no tensor.
    package init(_ tensor: auscult_tensor) throws {
        try requireSize(tensor.struct_size, of: auscult_tensor.self, "tensor")
        hook = text(tensor.hook)
        func refuse(_ why: String) -> PluginError {
            PluginError(.unsupported, "the host's tensor \"\(text(tensor.hook))\" \(why)")
        }
        guard let element = Element(rawValue: tensor.dtype) else {
            throw refuse("has numbers of kind \(tensor.dtype), which is not known")
        }
        guard tensor.rank <= UInt32(AUSCULT_MAX_RANK) else { throw refuse("has \(tensor.rank) axes") }
        let rank = Int(tensor.rank)
        let shape = withUnsafeBytes(of: tensor.shape) { Array($0.bindMemory(to: Int64.self).prefix(rank)) }
        let strides = withUnsafeBytes(of: tensor.strides) { Array($0.bindMemory(to: Int64.self).prefix(rank)) }
        var count = 1, reach = 0
        for (extent, stride) in zip(shape, strides) {
            let (product, tooMany) = count.multipliedReportingOverflow(by: Int(extent))
            let (last, tooFar) = max(0, Int(extent) - 1).multipliedReportingOverflow(by: Int(stride))
            let (sum, over) = reach.addingReportingOverflow(last)
            guard extent >= 0, stride >= 0, !tooMany, !tooFar, !over, sum < 1 << 48 else {
                throw refuse("has shape \(shape) and strides \(strides)")
            }
            (count, reach) = (product, sum)
        }
        guard count == 0 || tensor.data != nil else { throw refuse("has \(count) elements and no data") }
        self.element = element
        self.shape = shape.map(Int.init)
        self.strides = strides.map(Int.init)
        axes = withUnsafeBytes(of: tensor.axes) {
            $0.bindMemory(to: UnsafePointer<CChar>?.self).prefix(rank).map(text)
        }
        firstPosition = Int(tensor.first_position)
        positionsPerSecond = tensor.positions_per_second
        validPositions = max(0, Int(tensor.valid_positions))
        data = tensor.data
    }

    private init(_ whole: TensorView, droppingFirst offset: Int) {
        element = whole.element
        shape = Array(whole.shape.dropFirst())
        strides = Array(whole.strides.dropFirst())
        axes = Array(whole.axes.dropFirst())
        hook = whole.hook
        firstPosition = whole.firstPosition
        positionsPerSecond = whole.positionsPerSecond
        validPositions = whole.validPositions
        data = whole.data.map { $0 + offset * whole.element.size }
    }
}

extension TensorView.Element {
    /// Bytes of one.
    public var size: Int {
        switch self {
        case .float32, .int32: 4
        case .float64, .int64: 8
        case .uint8: 1
        }
    }
}

// MARK: - Looking

extension TensorView {
    /// The axis of that name, "frame" say; nil where there is none.
    public func axis(_ name: String) -> Int? { axes.firstIndex(of: name) }

    /// One element. As with an array, an index that is out of range is a programmer's error.
    public subscript(indices: Int...) -> Double {
        precondition(indices.count == rank, "a tensor of \(rank) axes was given \(indices.count) indices")
        var offset = 0
        for axis in indices.indices {
            precondition(indices[axis] >= 0 && indices[axis] < shape[axis], "index out of range")
            offset += indices[axis] * strides[axis]
        }
        return number(at: offset)
    }

    /// What lies at one index of the first axis: a head of a pattern, a frame of a residual stream. No copy.
    public func slice(_ index: Int) -> TensorView {
        precondition(rank > 0 && index >= 0 && index < shape[0], "index out of range")
        return TensorView(self, droppingFirst: index * strides[0])
    }

    /// The slices along the first axis, in order. No copy.
    public var slices: some Sequence<TensorView> { (0..<(shape.first ?? 0)).lazy.map { slice($0) } }

    /// Whether the elements lie one behind the other, outermost axis first.
    public var isContiguous: Bool {
        var expected = 1
        for axis in shape.indices.reversed() where shape[axis] != 1 {
            if strides[axis] != expected { return false }
            expected *= shape[axis]
        }
        return true
    }

    /// The elements as float32, outermost axis first: where they lie, where they are that already, and otherwise a copy.
    public func withUnsafeFloats<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
        if element == .float32 && isContiguous {
            let start = count > 0 ? data?.assumingMemoryBound(to: Float.self) : nil
            return try body(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
        }
        return try floats().withUnsafeBufferPointer(body)
    }

    /// A copy of the elements, outermost axis first.
    public func floats() -> [Float] {
        if element == .float32 && isContiguous { return withUnsafeFloats(Array.init) }
        return doubles().map(Float.init)
    }

    /// A copy of the elements, outermost axis first.
    public func doubles() -> [Double] {
        var values: [Double] = []
        values.reserveCapacity(count)
        append(axis: 0, offset: 0, to: &values)
        return values
    }

    private func append(axis: Int, offset: Int, to values: inout [Double]) {
        guard axis < rank else { return values.append(number(at: offset)) }
        for index in 0..<shape[axis] { append(axis: axis + 1, offset: offset + index * strides[axis], to: &values) }
    }

    private func number(at offset: Int) -> Double {
        guard let data else { return .nan }
        let place = data + offset * element.size
        switch element {
        case .float32: return Double(place.loadUnaligned(as: Float.self))
        case .float64: return place.loadUnaligned(as: Double.self)
        case .int32: return Double(place.loadUnaligned(as: Int32.self))
        case .int64: return Double(place.loadUnaligned(as: Int64.self))
        case .uint8: return Double(place.loadUnaligned(as: UInt8.self))
        }
    }

    /// The view as C sees it, for functions of the host's that take one.
    package func withC<Result>(_ body: (auscult_tensor) throws -> Result) rethrows -> Result {
        var tensor = auscult_tensor()
        tensor.struct_size = UInt32(MemoryLayout<auscult_tensor>.size)
        tensor.dtype = element.rawValue
        tensor.rank = UInt32(rank)
        withUnsafeMutableBytes(of: &tensor.shape) { $0.copyBytes(of: shape.map(Int64.init)) }
        withUnsafeMutableBytes(of: &tensor.strides) { $0.copyBytes(of: strides.map(Int64.init)) }
        tensor.data = data
        return try "".withCString { empty in
            tensor.hook = empty
            withUnsafeMutableBytes(of: &tensor.axes) { bytes in
                let names = bytes.bindMemory(to: UnsafePointer<CChar>?.self)
                for axis in names.indices { names[axis] = empty }
            }
            return try body(tensor)
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func copyBytes(of numbers: [Int64]) {
        numbers.withUnsafeBytes { copyMemory(from: UnsafeRawBufferPointer(rebasing: $0.prefix(count))) }
    }
}
