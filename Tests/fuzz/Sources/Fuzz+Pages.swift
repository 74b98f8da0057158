@testable import AtlasPage

extension Fuzzed {
    /// What stands in an address of an atlas' page, and in a player's header.
    static func page(_ bytes: [UInt8], _ how: UInt8) {
        let text = String(decoding: bytes, as: UTF8.self)
        switch how % 3 {
        case 0:
            var parameters: [String: String] = [:]
            for (index, part) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                parameters[PageQuery.names[index % PageQuery.names.count]] = String(part)
            }
            guard let query = try? PageQuery.query(parameters) else { return }
            precondition((1...PageQuery.greatestPage).contains(query.pageSize) && query.page >= 0, "a page is one")
        case 1:
            guard let excerpt = try? PageExcerpt(name: text) else { return }
            precondition(excerpt.start < excerpt.end, "a part has a length")
            precondition((try? PageExcerpt(name: excerpt.name)) == excerpt, "its name says the same part")
        default:
            let size = 1000
            guard case .part(let part) = ByteRange(text, size: size) else { return }
            precondition(!part.isEmpty && part.lowerBound >= 0 && part.upperBound <= size, "a range lies in the file")
        }
    }
}
