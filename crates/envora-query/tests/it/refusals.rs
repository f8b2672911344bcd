//! What is refused: everything but reading these tables, and questions that are none.

use envora_query::QueryError;

use crate::world::{answer_of, some, words};

fn refused(sql: &str) -> (String, Option<(u64, u64)>, Option<String>) {
    match answer_of(sql, some()) {
        Err(QueryError::Invalid { what, place, hint }) => (what, place, hint),
        other => unreachable!("{sql}: {other:?}"),
    }
}

#[test]
fn only_reading_is_answered() {
    for sql in [
        "INSERT INTO activities VALUES (1)",
        "UPDATE activities SET quantity = 1",
        "DELETE FROM activities",
        "CREATE TABLE mine AS SELECT * FROM activities",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE VIEW v AS SELECT 1",
        "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "DROP TABLE activities",
        "TRUNCATE activities",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "COPY activities FROM '/etc/passwd'",
        "SET datafusion.execution.batch_size = 1",
        "RESET datafusion.execution.batch_size",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "BEGIN",
        "EXPLAIN ANALYZE SELECT 1",
        "EXPLAIN INSERT INTO activities VALUES (1)",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE activities",
        "SELECT * INTO mine FROM activities",
        "WITH x AS (INSERT INTO activities VALUES (1) RETURNING *) SELECT * FROM x",
        "",
        "-- nothing",
        "SELECT count(*) FROM activities GROUP BY CUBE (unit, type)",
        "SELECT count(*) FROM activities GROUP BY ROLLUP (unit, type)",
        "SELECT count(*) FROM activities GROUP BY GROUPING SETS ((unit), (type))",
        "SELECT * FROM activities TABLESAMPLE BERNOULLI (10)",
    ] {
        refused(sql);
    }
}

#[test]
fn no_file_no_address_and_no_function_reaches_out() {
    for sql in [
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM 'http://127.0.0.1:1/x.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM generate_series(1, 1000000000)",
        "SELECT * FROM range(1, 10)",
        "SELECT repeat('x', 1000000000)",
        "SELECT lpad('x', 1000000000)",
        "SELECT rpad('x', 1000000000, 'y')",
        "SELECT replace(unit, 'k', 'kkkkkkkk') FROM activities",
        "SELECT random()",
        "SELECT uuid()",
        "SELECT now()",
        "SELECT version()",
    ] {
        refused(sql);
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_what_is_meant() {
    let (what, place, _) = refused("SELECT type FORM activities");
    assert!(what.contains("activities"), "{what}");
    assert_eq!(place, Some((1, 18)), "{what}");
    let (what, place, hint) = refused("SELECT\n  quantty FROM activities");
    assert_eq!(what, "there is no column quantty");
    assert_eq!(hint.as_deref(), Some("did you mean quantity?"));
    assert_eq!(place, Some((2, 3)));
    let (what, _, hint) = refused("SELECT * FROM activites");
    assert_eq!(what, "there is no table activites");
    assert!(hint.is_some_and(|hint| hint.contains("SHOW TABLES")));
    let (what, _, hint) = refused("SELECT summ(quantity) FROM activities");
    assert!(what.contains("summ") && hint.is_some_and(|hint| hint.contains("sum")), "{what}");
    let unit =
        answer_of("SELECT convert(quantity, unit, 'kilowatts') AS c FROM activities", some());
    assert!(
        matches!(&unit, Err(QueryError::Value { what, .. }) if what.contains("kilowatts")),
        "{unit:?}"
    );
    refused("SELECT a.unit, b.unit FROM activities a JOIN activities b ON a.line = b.line");
}

#[test]
fn a_value_that_cannot_be_worked_with_is_the_questions_fault() {
    let error = answer_of("SELECT quantity / 0 AS q FROM activities", some()).unwrap_err();
    assert!(matches!(&error, QueryError::Value { what, .. } if what.contains("zero")), "{error:?}");
}

#[test]
fn what_there_is_can_be_asked() {
    let tables = answer_of("SHOW TABLES", some()).unwrap();
    assert!(words(&tables).iter().any(|row| row.contains(&"activities".to_owned())));
    let columns = answer_of("DESCRIBE activities", some()).unwrap();
    assert!(words(&columns).iter().any(|row| row[0] == "quantity"));
    let listed = answer_of(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'activities'",
        some(),
    );
    assert_eq!(listed.unwrap().rows.len(), columns.rows.len());
    let plan = answer_of("EXPLAIN SELECT count(*) FROM activities", some()).unwrap();
    assert!(plan.rows.iter().any(|row| row[1].to_string().contains("Aggregate")));
}

/// Recursion is bounded by what a question may hold: no text ends the process.
#[test]
fn deep_questions_are_answered_or_refused() {
    let chain = |part: &str, times: usize| vec![part; times].join("+");
    let nested = |open: &str, close: &str, times: usize| {
        format!("SELECT {}1{}", open.repeat(times), close.repeat(times))
    };
    let unions = vec!["SELECT 1 AS a"; 200].join(" UNION ALL ");
    let ors = format!("SELECT 1 AS a WHERE {}", vec!["1=2"; 1_300].join(" OR "));
    for sql in [
        format!("SELECT {} AS s", chain("1", 1_990)),
        format!("SELECT {} AS s", chain("1", 200)),
        format!("SELECT {} AS s FROM activities", chain("quantity", 200)),
        nested("(", ")", 1_900),
        nested("-", "", 3_000),
        nested("abs(", ")", 900),
        nested("CASE WHEN true THEN ", " END", 600),
        format!("SELECT NOT {}true", "NOT ".repeat(3_000)),
        format!("{}SELECT 1 AS a{}", "SELECT * FROM (".repeat(700), ")".repeat(700)),
        unions,
        ors,
    ] {
        match answer_of(&sql, some()) {
            Ok(_) | Err(QueryError::Invalid { .. } | QueryError::Value { .. }) => {}
            Err(error) => panic!("{}…: {error:?}", &sql[..60]),
        }
    }
}

#[test]
fn what_the_engine_cannot_do_is_the_question_s_own_fault() {
    for sql in [
        "SELECT INTERVAL '999999999 years' AS b",
        "SELECT count(*) FROM activities WHERE type ~ '('",
        "SELECT count(*) FROM activities WHERE id ~ '(c{1000}){1000}'",
    ] {
        let answer = answer_of(sql, some());
        let is_told =
            matches!(answer, Err(QueryError::Invalid { .. } | QueryError::Value { .. }) | Ok(_));
        assert!(is_told, "{sql}: {answer:?}");
    }
}

#[test]
fn values_that_go_together_in_no_way_are_told() {
    for sql in [
        "SELECT count(*) FROM activities WHERE quantity LIKE '%5'",
        "SELECT count(*) FROM activities WHERE type LIKE 5",
    ] {
        let (said, _, remedy) = refused(sql);
        assert!(said.contains("LIKE"), "{sql}: {said}");
        assert!(remedy.is_some_and(|said| said.contains("BETWEEN")), "{sql}: {said}");
    }
}

#[test]
fn a_function_that_is_not_there_is_told_by_what_is() {
    for (sql, what, hint) in [
        (
            "SELECT stddev(quantity) FROM activities",
            "there is no function stddev",
            "there are abs, arrow_typeof, avg, ",
        ),
        ("SELECT version()", "there is no function version", "there are abs, "),
        ("SELECT now()", "there is no function now", "no function gives the present time"),
        (
            "SELECT current_date",
            "there is no function current_date",
            "no function gives the present time",
        ),
        ("SELECT current_timestamp", "there is no function current_timestamp", "no function gives"),
        ("SELECT summ(quantity) FROM activities", "there is no function summ", "did you mean sum?"),
        ("SELECT power(2, 3)", "there is no function power", "there are abs, "),
        ("SELECT quantity ^ 2 FROM activities", "there is no function power", "there are abs, "),
        ("SELECT CASE", "CASE is not finished", "CASE WHEN "),
        ("SELECT CASE FROM activities", "CASE is not finished", "CASE WHEN "),
        ("SELECT sum(unit) FROM activities", "sum takes numbers, and this is VARCHAR", "CAST it"),
    ] {
        let (said, _, remedy) = refused(sql);
        assert_eq!(said, what, "{sql}: {remedy:?}");
        assert!(remedy.as_deref().is_some_and(|said| said.starts_with(hint)), "{sql}: {remedy:?}");
    }
}
