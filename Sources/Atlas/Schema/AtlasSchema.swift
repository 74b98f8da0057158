import GRDB

/// The tables of an atlas and their versions.
///
/// A version is a migration, which is never changed once it has been released: what comes later is a migration more.
/// `PRAGMA user_version` is the version's number, and `PRAGMA application_id` says that the file is an atlas at all.
package enum AtlasSchema {
    /// "ATLS" in ASCII.
    static let applicationID: Int32 = 0x4154_4C53

    /// The version that this program writes; it reads this one, and brings older ones up to it.
    package static let version = 6

    package static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: version1)
            try db.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = 1")
        }
        migrator.registerMigration("2", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: version2)
            try db.execute(sql: "PRAGMA user_version = 2")
        }
        migrator.registerMigration("3", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: version3)
            try db.execute(sql: "PRAGMA user_version = 3")
        }
        migrator.registerMigration("4", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: version4)
            try db.execute(sql: "PRAGMA user_version = 4")
        }
        migrator.registerMigration("5", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: version5)
            try db.execute(sql: "PRAGMA user_version = 5")
        }
        migrator.registerMigration("6", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: version6)
            try db.execute(sql: "PRAGMA user_version = 6")
        }
        return migrator
    }
}
