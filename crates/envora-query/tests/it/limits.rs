//! What a question may use, and how it ends when it would use more.

use core::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use envora_query::limits::{End, Limits, Watch};
use envora_query::{QueryError, ask};

use crate::world::{LIMITS, Rows, row, rows, some, words};

/// A hundred thousand rows.
fn many() -> Rows {
    let mut many = rows((0..100).map(|n| row("a", &n.to_string(), "kg", "2022-01-01")).collect());
    many.times = 1_000;
    many
}

fn asked(
    sql: &str,
    table: Rows,
    limits: Limits,
) -> Result<envora_query::answer::Answer, QueryError> {
    ask(sql, vec![Arc::new(table)], (limits, Watch::never()))
}

#[test]
fn rows_beyond_the_limit_are_left_off_and_not_read() {
    let limits = Limits { rows_max: 3, ..LIMITS };
    let answer = asked("SELECT line FROM activities", some(), limits).unwrap();
    assert_eq!((words(&answer).concat().join(" ").as_str(), answer.is_cut), ("1 2 3", true));
    let all = Limits { rows_max: 4, ..LIMITS };
    let answer = asked("SELECT line FROM activities", some(), all).unwrap();
    assert_eq!((answer.rows.len(), answer.is_cut), (4, false));
    let many = many();
    let seen = Arc::clone(&many.seen);
    assert!(asked("SELECT line FROM activities", many, limits).unwrap().is_cut);
    assert!(seen.batches.load(Ordering::Relaxed) < 4);
}

#[test]
fn an_answer_of_too_many_bytes_is_refused() {
    let limits = Limits { answer_bytes_max: 1_000, rows_max: usize::MAX, ..LIMITS };
    let error = asked("SELECT type, line FROM activities", many(), limits).unwrap_err();
    assert!(matches!(error, QueryError::Answer(1_000)), "{error:?}");
}

#[test]
fn what_needs_too_much_memory_is_refused_and_spills_nothing() {
    let limits = Limits { memory_bytes_max: 1 << 20, ..LIMITS };
    for sql in [
        "SELECT line, sum(quantity) AS s FROM activities GROUP BY line ORDER BY s",
        "SELECT line FROM activities ORDER BY quantity_sent || CAST(line AS VARCHAR)",
        "SELECT count(*) AS n FROM activities a JOIN activities b ON a.line = b.line",
        "SELECT count(DISTINCT line) AS n FROM activities",
    ] {
        let error = asked(sql, many(), limits).unwrap_err();
        assert!(matches!(error, QueryError::Memory(_)), "{sql}: {error:?}");
    }
    // What needs none is answered, however many rows it goes through.
    let answer = asked("SELECT count(*) AS n, sum(quantity) AS s FROM activities", many(), limits);
    assert_eq!(words(&answer.unwrap()), [["100000", "4950000"]]);
}

#[test]
fn a_text_that_doubles_and_doubles_is_refused() {
    let mut sql = "SELECT unit AS t FROM activities".to_owned();
    for _ in 0..20 {
        sql = format!("SELECT t || t AS t FROM ({sql}) x");
    }
    let error = asked(&sql, many(), LIMITS).unwrap_err();
    assert!(matches!(error, QueryError::Value { .. }), "{error:?}");
    for _ in 0..20 {
        sql = format!("SELECT t || t AS t FROM ({sql}) x");
    }
    let error = asked(&sql, many(), LIMITS).unwrap_err();
    assert!(matches!(error, QueryError::Invalid { .. }), "{error:?}");
}

/// Ends with this when it was looked at so often.
fn after(looks: usize, end: End) -> Watch {
    let seen = Arc::new(AtomicUsize::new(0));
    Watch::new(move || (seen.fetch_add(1, Ordering::Relaxed) >= looks).then_some(end))
}

#[test]
fn a_question_ends_when_its_time_is_over_or_nobody_waits() {
    let endless = [
        "SELECT sum(a.quantity * b.quantity) AS s FROM activities a, activities b",
        "SELECT count(*) AS n FROM activities a, activities b WHERE a.quantity + b.quantity < 0",
        "SELECT count(*) AS n FROM activities a LEFT JOIN activities b ON a.quantity < b.quantity - 1000",
        "SELECT count(*) AS n FROM activities",
    ];
    for sql in endless {
        for (looks, end) in [(20, End::Late), (20, End::Gone), (0, End::Late)] {
            let error = ask(sql, vec![Arc::new(many())], (LIMITS, after(looks, end))).unwrap_err();
            assert!(matches!(error, QueryError::Ended(told) if told == end), "{sql}: {error:?}");
        }
    }
}

#[test]
fn the_longest_question_has_a_bound() {
    let long = format!("SELECT '{}' AS t", "x".repeat(17 << 10));
    assert!(matches!(asked(&long, some(), LIMITS), Err(QueryError::Invalid { .. })));
    let columns: Vec<String> = (0..201).map(|n| format!("1 AS c{n}")).collect();
    let wide = format!("SELECT {}", columns.join(","));
    assert!(matches!(asked(&wide, some(), LIMITS), Err(QueryError::Invalid { .. })));
}
