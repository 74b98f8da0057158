import Dictionaries
import Files
import Kernels
import TensorFiles

/// Where an intervention's text finds what it names: files, other recordings, data sets, words.
package struct InterventionMaterial {
    /// What is measured over a data set, of each column of a hook point.
    package enum Measure {
        case mean
        case quantile(Double)
        /// Of a latent's codes.
        case latentQuantile(SparseDictionary, Int, Double)
    }

    /// Another recording.
    package struct Recording {
        package let input: OtherInput
        /// Nil where nobody has listened.
        package let words: () throws -> [HeardWord]?

        package init(_ input: OtherInput, words: @escaping () throws -> [HeardWord]?) {
            (self.input, self.words) = (input, words)
        }
    }

    /// The tensor of a file for a hook point; a file that holds one tensor means that one.
    package var tensor: (_ file: String, _ hook: String) throws -> Tensor
    package var recording: (_ name: String) throws -> Recording
    package var recordings: (_ dataSet: String) throws -> OtherInputs
    /// One value a column; for a latent, one.
    package var measured:
        (_ dataSet: String, Measure, _ points: Set<HookPoint>, _ columns: [Int]?) throws -> [HookPoint: [Float]]
    /// Of the recording that is heard; nil where nobody has listened yet.
    package var words: () throws -> [HeardWord]?

    package init(
        tensor: @escaping (String, String) throws -> Tensor = SafetensorsFile.activation,
        recording: @escaping (String) throws -> Recording, recordings: @escaping (String) throws -> OtherInputs,
        measured: @escaping (String, Measure, Set<HookPoint>, [Int]?) throws -> [HookPoint: [Float]],
        words: @escaping () throws -> [HeardWord]?
    ) {
        (self.tensor, self.recording, self.recordings) = (tensor, recording, recordings)
        (self.measured, self.words) = (measured, words)
    }

    /// Where nobody listens: tensors and nothing else.
    /// - Parameter reason: why, for messages.
    package static func tensors(
        _ tensor: @escaping (String, String) throws -> Tensor = SafetensorsFile.activation,
        reason: String = "no recording is heard here"
    ) -> InterventionMaterial {
        func refuse(_ name: String) -> WhisperError {
            WhisperError(.invalidArgument, "\(name) cannot be listened to: \(reason)")
        }
        return InterventionMaterial(
            tensor: tensor, recording: { throw refuse($0) }, recordings: { throw refuse($0) },
            measured: { name, _, _, _ in throw refuse(name) },
            words: { throw WhisperError(.invalidArgument, "there are no words to name: \(reason)") })
    }
}
