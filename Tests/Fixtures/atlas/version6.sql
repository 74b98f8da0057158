BEGIN TRANSACTION;
CREATE TABLE bin_examples (
    bin_id INTEGER NOT NULL REFERENCES bins (id) ON DELETE CASCADE,
    recording_id INTEGER NOT NULL,
    frame INTEGER NOT NULL,
    seconds REAL,
    value REAL NOT NULL,
    PRIMARY KEY (bin_id, recording_id, frame)
) STRICT, WITHOUT ROWID;
INSERT INTO "bin_examples" VALUES(1,1,3,0.07,0.5);
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
INSERT INTO "bins" VALUES(1,1,'+','width',0,0.0,1.25,9,'{"s":3}');
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
INSERT INTO "columns" VALUES(1,'speaker','lucas',100,0.5,0.25,2.5,0.1);
CREATE TABLE data_sets (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    recordings INTEGER NOT NULL
) STRICT;
INSERT INTO "data_sets" VALUES(1,'demo:',1);
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
INSERT INTO "examples" VALUES(1,1,'+',1,1,10,0.21,2.5,9,X'00380041');
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
INSERT INTO "features" VALUES(1,1,'encoder.conv1',7,'',100,0.5,0.25,-0.5,2.5,0.1,'{"+":[[0,1,9],[2,3,1]]}');
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO "grdb_migrations" VALUES('1');
INSERT INTO "grdb_migrations" VALUES('2');
INSERT INTO "grdb_migrations" VALUES('3');
INSERT INTO "grdb_migrations" VALUES('4');
INSERT INTO "grdb_migrations" VALUES('5');
INSERT INTO "grdb_migrations" VALUES('6');
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
, base REAL, lift REAL, ap REAL, precision_at_recall REAL) STRICT;
INSERT INTO "labels" VALUES(1,'+','phoneme','s',0.5,1,0.9,0.4,0.55,0.8,0.2,0.7,0.01,40,60,0.95,NULL,NULL,0.6,0.7);
CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    dimensions TEXT NOT NULL,
    UNIQUE (name, sha256)
) STRICT;
INSERT INTO "models" VALUES(1,'tiny','00ff','{"n_audio_state":384}');
CREATE TABLE problems (
    scan_id INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE,
    recording TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
INSERT INTO "problems" VALUES(1,'b.wav','is empty');
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
INSERT INTO "recordings" VALUES(1,1,0,'a.wav','/a.wav',NULL,NULL,2.0,100,'00ff','lucas','en','yes','name','{}');
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
, provenance TEXT) STRICT;
INSERT INTO "scans" VALUES(1,1,1,'features','0.9','{"k":"5"}','7','complete','2026-01-31 12:00:00.000','2026-01-31 12:01:00.000','{"version":"0.1.0","precision":"exact","context":"auto","padding":"mel","interventions":["encoder.conv1 = zero"],"recordingsSha256":"00ff","arguments":{"k":"5"}}');
CREATE TABLE selective (
    scan_id INTEGER NOT NULL REFERENCES scans (id) ON DELETE CASCADE,
    hook TEXT NOT NULL,
    features INTEGER NOT NULL,
    selective INTEGER NOT NULL,
    share REAL,
    criterion TEXT NOT NULL,
    UNIQUE (scan_id, hook)
) STRICT;
INSERT INTO "selective" VALUES(1,'encoder.conv1',2,1,0.5,'{"auc_at_least":0.7}');
CREATE TABLE sounds (
    recording_id INTEGER NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    start REAL NOT NULL,
    "end" REAL NOT NULL,
    label TEXT NOT NULL
) STRICT;
INSERT INTO "sounds" VALUES(1,'phoneme',0.0,0.5,'s');
CREATE INDEX sounds_of_recording ON sounds (recording_id, start);
CREATE INDEX examples_of_recording ON examples (recording_id);
CREATE INDEX labels_by_label ON labels (label, precision);
CREATE INDEX columns_of_feature ON columns (feature_id);
CREATE INDEX problems_of_scan ON problems (scan_id);
CREATE INDEX features_listed ON features (scan_id, hook, number, density, maximum, name);
CREATE INDEX labels_listed
    ON labels (feature_id, precision DESC, label, kind, side, lift, selectivity, auc, f1, ap, precision_at_recall);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('scans',1);
INSERT INTO "sqlite_sequence" VALUES('recordings',1);
INSERT INTO "sqlite_sequence" VALUES('features',1);
COMMIT;
PRAGMA application_id = 1096043603;
PRAGMA user_version = 6;
