//! What tables are told: the columns that are wanted, and the conditions that spare reading.

use std::sync::Arc;

use envora_domain::time::{Day, Timestamp};
use envora_query::limits::Watch;
use envora_query::table::{Bound, NoRoom, Reading, Table, Wanted};
use envora_query::{QueryError, ask};

use crate::world::{LIMITS, answer_of, some, words};

fn bounds(condition: &str) -> (Vec<Bound>, usize) {
    let table = some();
    let seen = Arc::clone(&table.seen);
    let sql = format!("SELECT line FROM activities WHERE {condition}");
    let answer = answer_of(&sql, table).unwrap();
    let bounds = seen.bounds.lock().unwrap().clone();
    (bounds, answer.rows.len())
}

#[test]
fn only_the_columns_that_are_asked_for_are_read() {
    let table = some();
    let seen = Arc::clone(&table.seen);
    answer_of("SELECT sum(quantity) AS s FROM activities WHERE unit = 'L'", table).unwrap();
    assert_eq!(*seen.columns.lock().unwrap(), ["quantity", "unit"]);
    let table = some();
    let seen = Arc::clone(&table.seen);
    let answer = answer_of("SELECT count(*) AS n FROM activities", table).unwrap();
    assert_eq!(words(&answer), [["4"]]);
    assert_eq!(seen.columns.lock().unwrap().len(), 0);
}

#[test]
fn conditions_are_handed_down_and_hold_all_the_same() {
    let word = |name, word: &str| Bound::OneOf(name, vec![word.to_owned()]);
    let day = |text| Day::parse(text).unwrap();
    let at = |text| Timestamp::parse(text).unwrap();
    // The table gives rows that do not fulfil them; the answer has none of those.
    assert_eq!(bounds("unit = 'L'"), (vec![word("unit", "L")], 1));
    assert_eq!(
        bounds("first_day >= DATE '2022-02-01' AND last_day < DATE '2022-02-02'"),
        (
            vec![
                Bound::FromDay("first_day", day("2022-02-01")),
                Bound::ToDay("last_day", day("2022-02-02"))
            ],
            1
        )
    );
    assert_eq!(
        bounds("starts_at >= TIMESTAMP '2022-02-01T00:00:00Z'"),
        (vec![Bound::FromInstant("starts_at", at("2022-02-01T00:00:00Z"))], 2)
    );
    let either = bounds("unit IN ('L', 'MW.h')");
    assert_eq!(either.1, 2);
    // What says less than a condition on each row is none.
    assert_eq!(bounds("unit = 'L' OR quantity > 1000000"), (vec![], 1));
    assert_eq!(bounds("NOT unit = 'L'").0, vec![]);
}

/// A table that fails.
struct Broken(bool);

impl Table for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }
    fn columns(&self) -> Vec<envora_query::columns::Column> {
        some().columns()
    }
    fn read(&self, _wanted: Wanted) -> anyhow::Result<Reading> {
        Err(if self.0 { NoRoom.into() } else { anyhow::Error::from(std::io::Error::other("torn")) })
    }
}

#[test]
fn a_fault_of_reading_comes_back_as_it_was() {
    let ask = |full| {
        let table: Arc<dyn Table> = Arc::new(Broken(full));
        ask("SELECT count(*) AS n FROM broken", vec![table], (LIMITS, Watch::never())).unwrap_err()
    };
    let QueryError::Unexpected(error) = ask(false) else { panic!("a fault") };
    assert!(error.is::<std::io::Error>(), "{error:?}");
    assert!(matches!(ask(true), QueryError::Memory(_)));
}
