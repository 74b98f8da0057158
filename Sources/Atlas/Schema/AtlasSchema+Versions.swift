extension AtlasSchema {
    /// Missing values are NULL, times are seconds from the recording's start, JSON is text, moments are UTC as
    /// "2026-01-31 12:00:00.000".
    ///
    /// What belongs to something goes with it (`ON DELETE CASCADE`). `bin_examples` is by far the longest table: it is
    /// its own index, and names recordings without a rule, which would need a second one; both go with the scan.
    static let version1 = """
        CREATE TABLE models (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            dimensions TEXT NOT NULL,
            UNIQUE (name, sha256)
        ) STRICT;

        CREATE TABLE data_sets (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            recordings INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE scans (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            model_id INTEGER NOT NULL REFERENCES models (id),
            data_set_id INTEGER NOT NULL REFERENCES data_sets (id),
            plugin TEXT NOT NULL,
            version TEXT NOT NULL,
            arguments TEXT NOT NULL,
            seed TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN ('running', 'complete')),
            started TEXT NOT NULL,
            finished TEXT
        ) STRICT;

        CREATE TABLE recordings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            scan_id INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            name TEXT,
            path TEXT,
            start REAL,
            "end" REAL,
            seconds REAL,
            frames INTEGER,
            sha256 TEXT,
            speaker TEXT,
            language TEXT,
            text TEXT,
            split TEXT,
            labels TEXT NOT NULL DEFAULT '{}',
            UNIQUE (scan_id, number)
        ) STRICT;

        CREATE TABLE sounds (
            recording_id INTEGER NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            start REAL NOT NULL,
            "end" REAL NOT NULL,
            label TEXT NOT NULL
        ) STRICT;
        CREATE INDEX sounds_of_recording ON sounds (recording_id, start);

        CREATE TABLE features (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            scan_id INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE,
            hook TEXT NOT NULL,
            number INTEGER NOT NULL,
            name TEXT NOT NULL DEFAULT '',
            frames INTEGER,
            mean REAL,
            variance REAL,
            minimum REAL,
            maximum REAL,
            density REAL,
            histogram TEXT NOT NULL DEFAULT '{}',
            UNIQUE (scan_id, hook, number)
        ) STRICT;
        CREATE INDEX features_by_density ON features (hook, density);

        CREATE TABLE examples (
            id INTEGER PRIMARY KEY,
            feature_id INTEGER NOT NULL REFERENCES features (id) ON DELETE CASCADE,
            side TEXT NOT NULL CHECK (side IN ('+', '-')),
            rank INTEGER NOT NULL,
            recording_id INTEGER NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
            frame INTEGER NOT NULL,
            seconds REAL,
            value REAL NOT NULL,
            curve_first INTEGER,
            curve BLOB,
            UNIQUE (feature_id, side, rank)
        ) STRICT;
        CREATE INDEX examples_of_recording ON examples (recording_id);

        CREATE TABLE bins (
            id INTEGER PRIMARY KEY,
            feature_id INTEGER NOT NULL REFERENCES features (id) ON DELETE CASCADE,
            side TEXT NOT NULL CHECK (side IN ('+', '-')),
            kind TEXT NOT NULL,
            bin INTEGER NOT NULL,
            low REAL,
            high REAL,
            count INTEGER,
            sounds TEXT NOT NULL DEFAULT '{}',
            UNIQUE (feature_id, side, kind, bin)
        ) STRICT;

        CREATE TABLE bin_examples (
            bin_id INTEGER NOT NULL REFERENCES bins (id) ON DELETE CASCADE,
            recording_id INTEGER NOT NULL,
            frame INTEGER NOT NULL,
            seconds REAL,
            value REAL NOT NULL,
            PRIMARY KEY (bin_id, recording_id, frame)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE labels (
            feature_id INTEGER NOT NULL REFERENCES features (id) ON DELETE CASCADE,
            side TEXT NOT NULL CHECK (side IN ('+', '-')),
            kind TEXT NOT NULL,
            label TEXT NOT NULL,
            threshold REAL,
            lag INTEGER,
            precision REAL,
            recall REAL,
            f1 REAL,
            auc REAL,
            mutual_information REAL,
            selectivity REAL,
            p_value REAL,
            named_frames INTEGER,
            scored_frames INTEGER,
            named_precision REAL
        ) STRICT;
        CREATE INDEX labels_of_feature ON labels (feature_id, precision);
        CREATE INDEX labels_by_label ON labels (label, precision);

        CREATE TABLE columns (
            feature_id INTEGER NOT NULL REFERENCES features (id) ON DELETE CASCADE,
            "column" TEXT NOT NULL,
            value TEXT NOT NULL,
            frames INTEGER,
            mean REAL,
            variance REAL,
            maximum REAL,
            density REAL
        ) STRICT;
        CREATE INDEX columns_of_feature ON columns (feature_id);

        CREATE TABLE problems (
            scan_id INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE,
            recording TEXT NOT NULL,
            reason TEXT NOT NULL
        ) STRICT;
        CREATE INDEX problems_of_scan ON problems (scan_id);
        """

    /// How many features of a hook point are selective, and by which criterion.
    static let version2 = """
        CREATE TABLE selective (
            scan_id INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE,
            hook TEXT NOT NULL,
            features INTEGER NOT NULL,
            selective INTEGER NOT NULL,
            share REAL,
            criterion TEXT NOT NULL,
            UNIQUE (scan_id, hook)
        ) STRICT;
        """

    /// A label's share of all frames, and its precision over that.
    static let version3 = """
        ALTER TABLE labels ADD COLUMN base REAL;
        ALTER TABLE labels ADD COLUMN lift REAL;
        """

    /// Indexes with all that a list of features is chosen and sorted by, so that it does not go through the tables, in which
    /// histograms are.
    static let version4 = """
        DROP INDEX features_by_density;
        CREATE INDEX features_listed ON features (scan_id, hook, number, density, maximum, name);
        DROP INDEX labels_of_feature;
        CREATE INDEX labels_listed
            ON labels (feature_id, precision DESC, label, kind, side, lift, selectivity, auc, f1);
        """

    /// A label over all thresholds: average precision, and the precision at a recall that is the same for all.
    static let version5 = """
        ALTER TABLE labels ADD COLUMN ap REAL;
        ALTER TABLE labels ADD COLUMN precision_at_recall REAL;
        DROP INDEX labels_listed;
        CREATE INDEX labels_listed
            ON labels (feature_id, precision DESC, label, kind, side, lift, selectivity, auc, f1, ap, precision_at_recall);
        """

    /// How a scan was made, as JSON.
    static let version6 = """
        ALTER TABLE scans ADD COLUMN provenance TEXT;
        """
}
