import Kernels
import TensorFiles

extension SafetensorsFile {
    /// The activation that the file at `path` holds for the hook point `hook`: the tensor of that name (as a trace writes
    /// it), or the only one in the file.
    /// - Throws: ``WhisperError``: `notFound` where the file has several tensors and none of this name.
    public static func activation(_ path: String, _ hook: String) throws -> Tensor {
        let file = try SafetensorsFile(path: path)
        return try file.tensor(named: file.names.count == 1 ? file.names[0] : hook)
    }
}
