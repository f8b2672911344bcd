//! Every noun, on both engines: each scenario is a test of its own, and together they run every
//! statement of the crate.

mod access;
mod activities;
mod parts;
mod places;
mod results;

use std::sync::Once;

use envora_domain::time::Timestamp;
use envora_store::observer::EngineKind;
use envora_testkit::databases::{on_both_engines, recorder};
use envora_testkit::postgres;

/// The instant of these tests.
const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000)
}

macro_rules! scenarios {
    ($($module:ident :: $name:ident,)*) => {
        // Each runs once, for its own test and for the one that looks at all of them.
        $(#[test] fn $name() {
            static ONCE: Once = Once::new();
            ONCE.call_once(|| on_both_engines($module::$name));
        })*
        const SCENARIOS: &[fn()] = &[$($name),*];
    };
}

scenarios! {
    access::a_token_is_known_until_it_is_revoked_or_over,
    access::a_sign_in_code_is_used_once,
    access::a_session_ends_by_itself_or_on_request,
    activities::a_segment_is_found_by_id_and_seq,
    activities::an_import_keeps_its_counts_and_its_bad_rows,
    activities::a_mapping_has_versions,
    activities::an_activity_has_one_successor,
    activities::what_took_an_activitys_place_is_followed_to_its_end,
    activities::segments_are_found_by_the_words_they_name,
    activities::what_rows_say_is_kept_by_segment,
    activities::an_answer_is_kept_and_found_again,
    parts::an_import_is_open_until_it_is_closed,
    parts::an_import_that_nobody_commits_goes,
    places::settings_are_read_as_of_a_seq,
    places::a_facility_has_versions,
    places::a_source_has_versions,
    places::an_entity_has_versions,
    places::a_supplier_has_versions,
    places::the_log_grows_and_proves,
    places::an_older_database_put_back_says_so,
    results::a_pack_takes_the_place_of_its_version_before,
    results::an_own_pack_is_kept_once_by_its_digest,
    results::a_run_catches_up_and_takes_over,
    results::a_why_has_one_number,
    results::a_block_is_found_by_its_seq,
    results::a_delta_is_found_by_its_segment,
    results::sums_add_up_exactly,
    results::sums_of_retired_runs_go_in_batches,
    results::unresolved_rows_are_said_anew,
}

/// Nothing checks SQL at compile time, therefore every statement runs here on both engines.
#[test]
fn every_statement_ran_on_both_engines() {
    on_both_engines(|_| {});
    for scenario in SCENARIOS {
        scenario();
    }
    let engines = match postgres::server() {
        Some(_) => &[EngineKind::Sqlite, EngineKind::Postgres][..],
        None => &[EngineKind::Sqlite],
    };
    for engine in engines {
        let ran = recorder().names(*engine);
        let missing: Vec<_> = envora_store::statement::all()
            .map(|statement| statement.name)
            .filter(|name| !ran.contains(name))
            .collect();
        assert!(missing.is_empty(), "no test ran these on {engine}: {missing:?}");
    }
}
