import CAuscultPlugin
import Messages

/// Numbers on their way to a plugin, with what they are: C's `auscult_tensor`, on this side of the wall.
///
/// The bytes are row-major and contiguous. They stay where they are until the tensor is copied into the memory that the
/// plugin's process maps.
public struct PluginTensor: Sendable {
    static let mostAxes = Int(AUSCULT_MAX_RANK)

    public var dtype: V1.DType
    /// Extents, outermost first; at most 8.
    public var shape: [Int]
    /// The hook point, with "@grad" behind for a gradient; empty where it is none.
    public var hook: String
    /// What each axis is, as auscult_plugin.h lists them; empty names where it is not known.
    public var axes: [String]
    /// The position that index 0 of the axis of positions stands for, from the recording's beginning.
    public var firstPosition: Int
    /// 50, or 100 for mel frames; 0 for tokens.
    public var positionsPerSecond: Double
    /// Positions that overlap audio.
    public var validPositions: Int
    package let withBytes: @Sendable ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

    /// - Parameter withBytes: calls its argument with all bytes, which are valid while it runs; on the calling thread.
    public init(
        dtype: V1.DType = .f32, shape: [Int], hook: String = "", axes: [String] = [], firstPosition: Int = 0,
        positionsPerSecond: Double = 0, validPositions: Int = 0,
        withBytes: @escaping @Sendable ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) {
        self.dtype = dtype
        self.shape = shape
        self.hook = hook
        self.axes = axes
        self.firstPosition = firstPosition
        self.positionsPerSecond = positionsPerSecond
        self.validPositions = validPositions
        self.withBytes = withBytes
    }

    /// A tensor of float32.
    public init(
        shape: [Int], _ elements: [Float], hook: String = "", axes: [String] = [], firstPosition: Int = 0,
        positionsPerSecond: Double = 0, validPositions: Int = 0
    ) {
        self.init(
            shape: shape, hook: hook, axes: axes, firstPosition: firstPosition,
            positionsPerSecond: positionsPerSecond, validPositions: validPositions
        ) { body in try elements.withUnsafeBytes(body) }
    }

    /// Bytes of the elements.
    /// - Throws: ``PluginError`` (`invalidArgument`) where the shape or the type is none that the interface has.
    public var byteCount: Int {
        get throws {
            guard let size = dtype.pluginElementSize else {
                throw PluginError(.invalidArgument, "tensor \(hook): the interface has no type \(dtype.rawValue)")
            }
            guard shape.count <= Self.mostAxes else {
                throw PluginError(.invalidArgument, "tensor \(hook): rank \(shape.count), at most \(Self.mostAxes)")
            }
            return try shape.reduce(size) { bytes, extent in
                let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
                guard extent >= 0, !overflow else {
                    throw PluginError(.invalidArgument, "tensor \(hook): impossible shape \(shape)")
                }
                return product
            }
        }
    }
}

extension V1.DType {
    /// Bytes of an element, of the types that `auscult_dtype` has.
    package var pluginElementSize: Int? {
        switch self {
        case .f32, .i32: 4
        case .f64, .i64: 8
        case .u8: 1
        default: nil
        }
    }
}
