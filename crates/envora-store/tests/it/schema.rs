//! The schema: committed as it is, the same on both engines, and newer ones refused.

use std::collections::BTreeSet;
use std::path::Path;

use envora_store::database::TenantDb;
use envora_store::engine::{Engine, OpenError};
use envora_testkit::databases::{TestDb, all_inline, options};

/// The encrypted file, opened by hand: tests may look where the store does not let anyone look.
fn by_hand(folder: &Path) -> rusqlite::Connection {
    #[expect(clippy::disallowed_methods, reason = "the test looks at the file behind the store")]
    let connection = rusqlite::Connection::open(folder.join("tenant.db")).unwrap();
    let key = "07".repeat(32);
    connection.execute_batch(&format!("PRAGMA key = \"x'{key}'\"")).unwrap();
    connection
}

fn live_schema(folder: &Path) -> String {
    let connection = by_hand(folder);
    let mut statement = connection
        .prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC, name")
        .unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|sql| sql.unwrap() + ";\n").collect()
}

/// All migrations from empty equal the committed file.
#[test]
fn the_committed_schema_is_what_the_migrations_make() {
    let db = TestDb::sqlite();
    db.db.close();
    let live = live_schema(db.folder().unwrap());
    let committed = include_str!("../../schema.sql");
    let committed: String = committed
        .lines()
        .filter(|line| !line.starts_with("--"))
        .map(|line| format!("{line}\n"))
        .collect();
    if committed != live {
        let found = std::env::temp_dir().join("schema.sql.found");
        std::fs::write(&found, &live).unwrap();
        assert_eq!(committed, live, "the schema as found is in {}", found.display());
    }
}

#[test]
fn both_engines_have_the_same_tables_and_columns() {
    let Some(postgres) = TestDb::postgres() else { return };
    let sqlite = TestDb::sqlite();
    sqlite.db.close();
    let here: BTreeSet<(String, String, String)> = {
        let connection = by_hand(sqlite.folder().unwrap());
        let columns =
            "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c
            WHERE m.type = 'table'";
        let mut statement = connection.prepare(columns).unwrap();
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))
            .unwrap();
        rows.map(|row| row.unwrap())
            .map(|(table, column, kind)| {
                let kind = match kind.as_str() {
                    "INTEGER" => "bigint",
                    "BLOB" => "bytea",
                    "TEXT" => "text",
                    other => other,
                };
                (table, column, kind.to_owned())
            })
            .collect()
    };
    let Engine::Postgres { address } = postgres.engine() else { return };
    let name = address.to_string();
    let name = name.split('/').next_back().unwrap();
    let there = columns_of(&envora_testkit::postgres::server().unwrap().url(name));
    assert_eq!(here, there);
}

fn columns_of(url: &str) -> BTreeSet<(String, String, String)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        runtime.spawn(connection);
        let columns = "SELECT table_name::text, column_name::text, data_type::text
            FROM information_schema.columns WHERE table_schema = 'public'";
        let rows = client.query(columns, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    })
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let db = TestDb::sqlite();
    db.db.close();
    let folder = db.folder().unwrap();
    let newer = by_hand(folder);
    newer.execute_batch("INSERT INTO schema_version (version) VALUES (999)").unwrap();
    drop(newer);
    let error = TenantDb::open(options(db.engine().clone(), all_inline())).err().unwrap();
    assert!(matches!(error, OpenError::UnknownSchema { found: 999, known: 15 }), "{error:?}");
}
