import GRDB

/// The tables. Specs and statuses are JSON documents: a new kind needs no migration.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 resources and events") { db in
            try db.execute(
                sql: """
                    CREATE TABLE resource (
                        kind TEXT NOT NULL, id TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL,
                        description TEXT NOT NULL, tags TEXT NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL,
                        generation INTEGER NOT NULL, version INTEGER NOT NULL,
                        phase TEXT NOT NULL, settled INTEGER NOT NULL, spec BLOB NOT NULL, status BLOB NOT NULL,
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT
                    );
                    CREATE UNIQUE INDEX resource_key ON resource (kind, id);
                    CREATE INDEX resource_list ON resource (kind, project, sequence);
                    CREATE INDEX resource_name ON resource (kind, project, name);
                    CREATE INDEX resource_unsettled ON resource (kind) WHERE settled = 0;

                    CREATE TABLE reference (
                        from_kind TEXT NOT NULL, from_id TEXT NOT NULL, to_kind TEXT NOT NULL, to_id TEXT NOT NULL,
                        hold INTEGER NOT NULL,
                        PRIMARY KEY (from_kind, from_id, to_kind, to_id)
                    ) WITHOUT ROWID;
                    CREATE INDEX reference_to ON reference (to_kind, to_id);

                    CREATE TABLE event (
                        sequence INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL,
                        project TEXT NOT NULL, at REAL NOT NULL, phase TEXT NOT NULL, message TEXT NOT NULL
                    );
                    CREATE INDEX event_resource ON event (kind, id, sequence);
                    """)
        }
        migrator.registerMigration("2 what lists of the console sort by") { db in
            try db.execute(
                sql: """
                    CREATE INDEX event_project ON event (project, sequence);
                    CREATE INDEX event_kind ON event (project, kind, sequence);
                    CREATE INDEX resource_id ON resource (kind, project, id);
                    CREATE INDEX resource_phase ON resource (kind, project, phase, sequence DESC);
                    CREATE INDEX resource_sorted ON resource (kind, project, name COLLATE NOCASE, sequence DESC);
                    """)
        }
        return migrator
    }
}
