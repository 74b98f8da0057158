import GRDB

/// A value as it lies in a table: columns are in snake case.
///
/// Values are read through `Decodable`, which reports what a damaged file holds instead of what was expected; a row's
/// subscripts would end the program.
public protocol AtlasRecord: Codable, Sendable, Hashable, FetchableRecord {}

extension AtlasRecord {
    public static var databaseColumnDecodingStrategy: DatabaseColumnDecodingStrategy { .convertFromSnakeCase }
}
