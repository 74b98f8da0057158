"""Writes version1.sql to version6.sql: atlases as the migrations of then made them, with a row in every table.

    python3 Tests/Fixtures/atlas/generate.py

The schema is taken from the migrations' texts, which never change; a test compares the two. Only Python's own sqlite3
is needed.
"""

import pathlib
import re
import sqlite3

here = pathlib.Path(__file__).parent
source = (here.parents[2] / "Sources/Atlas/Schema/AtlasSchema+Versions.swift").read_text()

ROWS = {
    1: """
    INSERT INTO models VALUES (1, 'tiny', '00ff', '{"n_audio_state":384}');
    INSERT INTO data_sets VALUES (1, 'demo:', 1);
    INSERT INTO scans VALUES (1, 1, 1, 'features', '0.9', '{"k":"5"}', '7', 'complete', '2026-01-31 12:00:00.000',
        '2026-01-31 12:01:00.000');
    INSERT INTO recordings VALUES (1, 1, 0, 'a.wav', '/a.wav', NULL, NULL, 2.0, 100, '00ff', 'lucas', 'en', 'yes', 'name',
        '{}');
    INSERT INTO sounds VALUES (1, 'phoneme', 0.0, 0.5, 's');
    INSERT INTO features VALUES (1, 1, 'encoder.conv1', 7, '', 100, 0.5, 0.25, -0.5, 2.5, 0.1,
        '{"+":[[0,1,9],[2,3,1]]}');
    INSERT INTO examples VALUES (1, 1, '+', 1, 1, 10, 0.21, 2.5, 9, x'00380041');
    INSERT INTO bins VALUES (1, 1, '+', 'width', 0, 0.0, 1.25, 9, '{"s":3}');
    INSERT INTO bin_examples VALUES (1, 1, 3, 0.07, 0.5);
    INSERT INTO labels VALUES (1, '+', 'phoneme', 's', 0.5, 1, 0.9, 0.4, 0.55, 0.8, 0.2, 0.7, 0.01, 40, 60, 0.95);
    INSERT INTO columns VALUES (1, 'speaker', 'lucas', 100, 0.5, 0.25, 2.5, 0.1);
    INSERT INTO problems VALUES (1, 'b.wav', 'is empty');
    """,
    2: """
    INSERT INTO selective VALUES (1, 'encoder.conv1', 2, 1, 0.5, '{"auc_at_least":0.7}');
    """,
    # The label is still the one of then, without a base and a lift.
    3: "",
    4: "",
    5: "UPDATE labels SET ap = 0.6, precision_at_recall = 0.7;",
    6: """
    UPDATE scans SET provenance = '{"version":"0.1.0","precision":"exact","context":"auto","padding":"mel","interventions":["encoder.conv1 = zero"],'
        || '"recordingsSha256":"00ff","arguments":{"k":"5"}}';
    """,
}


def schema(version):
    text = re.search(rf'static let version{version} = """\n(.*?)\n *"""', source, re.S).group(1)
    return re.sub(r"^ {8}", "", text, flags=re.M)


database = sqlite3.connect(":memory:")
database.executescript("CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);")
for version, rows in ROWS.items():
    database.executescript(schema(version))
    database.executescript(f"INSERT INTO grdb_migrations VALUES ('{version}');" + rows)
    lines = list(database.iterdump())
    # What dumps leave out.
    lines += ["PRAGMA application_id = 1096043603;", f"PRAGMA user_version = {version};"]
    (here / f"version{version}.sql").write_text("\n".join(lines) + "\n")
