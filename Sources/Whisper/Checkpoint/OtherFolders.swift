/// Folders that are no Hugging Face checkpoint, and what each of them is.
enum OtherFolders {
    /// What to say about a folder without `config.json`.
    static func refusal(_ folder: any FileTree) -> WhisperError {
        let files = folder.fileNames
        func has(ending: String) -> Bool { files.contains { $0.lowercased().hasSuffix(ending) } }
        let what: String? =
            if files.contains("adapter_config.json") {
                "is a LoRA adapter, which changes another model; merge it into its base model "
                    + "(peft: merge_and_unload(), save_pretrained()) and name that folder"
            } else if files.contains("coremldata.bin") || files.contains("model.mil") || has(ending: ".mlmodelc")
                || has(ending: ".mlpackage") || has(ending: ".mlmodel") || folder.name.contains(".mlpackage")
            {
                "is a CoreML model, compiled for Apple's machines; name the checkpoint that it was made from"
            } else if has(ending: ".gguf") {
                "has GGUF files; whisper.cpp's models, which are read, are ggml .bin files"
            } else if has(ending: ".onnx") {
                "has ONNX files; name the checkpoint that they were made from"
            } else if files.contains("model.bin"), files.contains(where: { $0.hasPrefix("vocabulary.") }) {
                "is a CTranslate2 model without its config.json"
            } else if has(ending: ".bin"), files.contains(where: { $0.hasPrefix("ggml-") }) {
                "is a folder of ggml files; name one of them"
            } else {
                nil
            }
        guard let what else {
            return WhisperError(
                .notFound,
                "\(folder.name) has no config.json; a Hugging Face folder has config.json and model.safetensors")
        }
        return WhisperError(.unsupported, "\(folder.name) \(what)")
    }
}
