//! Tracing: whatever stored part is changed, a trace says so, or refuses.

use envora_domain::figures::Figure;
use envora_ingest::footprint::footprint;
use envora_ingest::trace::{LinePage, trace_figure};

use crate::estate::{MAPPING, estate, year};
use crate::house::{House, TENANT, electricity, grant};

const FILE: &[u8] =
    b"datetime,equipment load [kWh]\n2022-01-01 00:00:00,372.4\n2022-02-01 00:00:00,1\n";

/// A house with an imported file, a row that was replaced, and a row that became known late.
fn house() -> House {
    let house = estate();
    house.import("meter.csv", FILE, MAPPING);
    house.submit(vec![electricity("a", "5", "2022-03-01T00:00:00Z")]);
    let mut correction = electricity("b", "6", "2022-03-01T00:00:00Z");
    correction.supersedes = Some("ext:a".to_owned());
    house.submit(vec![correction]);
    house.catch_up();
    house
}

/// What the trace of the year says: `equal`, `differs`, or why it refuses.
fn replay(house: &House) -> Result<String, String> {
    let found = footprint(&house.parts, &grant(), &year()).map_err(|error| error.to_string())?;
    let figure = Figure::parse(&found.totals.scope2_location.figure_id).unwrap();
    let page = LinePage { after: 0, limit: 20 };
    let trace = trace_figure(&house.parts, &grant(), &figure, page);
    trace.map(|trace| trace.replay).map_err(|error| format!("{error:?}"))
}

#[test]
fn an_untouched_store_replays_equal() {
    assert_eq!(replay(&house()).as_deref(), Ok("equal"));
}

#[track_caller]
fn is_noticed(change: &str) {
    let house = house();
    house.by_hand(change);
    assert_ne!(replay(&house).as_deref(), Ok("equal"), "nobody noticed {change}");
}

const FLIPPED: &str = "substr(X, 1, length(X) - 1) || CAST(char((unicode(CAST(substr(X, -1) AS TEXT)) + 1) % 128) AS BLOB)";

fn last_byte(column: &str) -> String {
    format!("CAST({} AS BLOB)", FLIPPED.replace('X', column))
}

#[test]
fn a_changed_segment_is_noticed() {
    is_noticed(&format!(
        "UPDATE segment_inline SET sealed = {} WHERE seq = (SELECT min(seq) FROM segment)",
        last_byte("sealed")
    ));
    is_noticed(
        "UPDATE segment SET root = randomblob(32) WHERE seq = (SELECT min(seq) FROM segment)",
    );
    is_noticed("UPDATE segment SET row_count = row_count - 1 WHERE row_count > 1");
}

#[test]
fn a_changed_log_is_noticed() {
    is_noticed(
        "UPDATE audit_entry SET leaf = (SELECT leaf FROM audit_entry WHERE seq = 0) WHERE seq IN (SELECT seq FROM segment)",
    );
    is_noticed("UPDATE audit_entry SET leaf_hash = randomblob(32)");
    is_noticed("UPDATE audit_node SET hash = randomblob(32)");
    is_noticed("UPDATE audit_head SET root = randomblob(32)");
}

#[test]
fn a_changed_calculation_is_noticed() {
    is_noticed("DELETE FROM rollup_sheaf WHERE grain = 1");
    is_noticed(
        "UPDATE rollup_sheaf SET bytes = (SELECT bytes FROM rollup_sheaf WHERE grain = 2 LIMIT 1) WHERE grain = 1",
    );
    is_noticed("UPDATE rollup_form SET form = replace(form, '\"co2e\":[0', '\"co2e\":[null')");
    is_noticed("UPDATE why SET json = replace(json, 'majority', 'minority')");
    is_noticed("UPDATE run SET identity = replace(identity, 'time_zones', 'time_zonez')");
    is_noticed(&format!(
        "UPDATE calc_block SET sealed = {} WHERE kind = 'segment'",
        last_byte("sealed")
    ));
    is_noticed(&format!("UPDATE calc_delta SET sealed = {}", last_byte("sealed")));
    is_noticed("DELETE FROM calc_delta");
}

#[test]
fn a_changed_registry_or_correction_is_noticed() {
    is_noticed("UPDATE facility_version SET country = 'FR'");
    is_noticed("DELETE FROM supersession");
    is_noticed("UPDATE supersession SET is_void = 1 - is_void");
}

#[test]
fn a_changed_source_file_is_noticed() {
    let house = house();
    let sources = house.folder.join("tenant").join("sources");
    let file = std::fs::read_dir(&sources).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert!(replay(&house).is_err(), "a bent file was quoted from");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(replay(&house).as_deref(), Ok("equal"), "without its file the row still replays");
    assert_eq!(house.parts.id, TENANT);
}
