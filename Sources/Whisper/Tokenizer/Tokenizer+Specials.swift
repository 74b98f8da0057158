import Foundation

extension Tokenizer {
    /// The name of a special token, `<|en|>`; nil for an ordinary one.
    public func specialName(of id: Int) -> String? {
        specialBytes[id].map { String(decoding: $0, as: UTF8.self) }
    }

    /// The ids of `text`, in which the name of a special token stands for that token. For text that its writer controls;
    /// ``encode(_:)`` is for anybody's.
    public func encodeWithSpecials(_ text: String) -> [Int] {
        var ids: [Int] = []
        var plain = text.startIndex
        var place = text.startIndex
        while let opening = text[place...].range(of: "<|"), let closing = text[opening.upperBound...].range(of: "|>") {
            guard let id = special(String(text[opening.lowerBound..<closing.upperBound])) else {
                place = opening.upperBound
                continue
            }
            ids += encode(String(text[plain..<opening.lowerBound])) + [id]
            plain = closing.upperBound
            place = plain
        }
        return ids + encode(String(text[plain...]))
    }
}
