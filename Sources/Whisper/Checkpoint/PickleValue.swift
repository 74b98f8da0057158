import TensorFiles

/// What a pickle of tensors can hold, as ``Unpickler`` reads it.
///
/// Containers lie in an arena and values refer to them by index. So a list that contains itself is no cycle of
/// references, one nested a million deep overflows no stack when it is freed, and memory grows only with the pickle.
enum PickleValue {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    case container(Int)
    case global(PickleGlobal)
    case storage(PickleStorage)
    case tensor(PickleTensor)
}

enum PickleContainer {
    case tuple([PickleValue])
    case list([PickleValue])
    case dictionary(keys: [PickleValue], values: [PickleValue], isOrdered: Bool)
}

/// The names that a pickle may use: functions and classes of which this reader knows what they would do.
enum PickleGlobal: Hashable {
    case orderedDictionary
    case rebuildTensor
    /// `nn.Parameter`: a tensor, and whether it is trained.
    case rebuildParameter
    case storageType(ElementType)

    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"), ("torch._utils", "_rebuild_parameter_with_state"):
            self = .rebuildParameter
        case ("torch", _):
            guard let type = Self.storages[name] else { return nil }
            self = .storageType(type)
        default: return nil
        }
    }

    private static let storages: [String: ElementType] = [
        "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
        "LongStorage": .int64, "IntStorage": .int32, "ShortStorage": .int16, "CharStorage": .int8,
        "ByteStorage": .uint8, "BoolStorage": .bool,
    ]
}

/// A PyTorch storage: the archive's entry `data/KEY`, which holds `count` elements.
struct PickleStorage {
    let type: ElementType
    let key: String
    let count: Int
}

/// A tensor as `torch._utils._rebuild_tensor_v2` would make it: a strided view of a storage.
final class PickleTensor {
    let storage: PickleStorage
    let offset: Int
    let shape: [Int]
    let strides: [Int]

    init(storage: PickleStorage, offset: Int, shape: [Int], strides: [Int]) {
        self.storage = storage
        self.offset = offset
        self.shape = shape
        self.strides = strides
    }
}
