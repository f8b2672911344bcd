//! Numbers stay what was sent, whatever is done with them.

use envora_query::QueryError;

use crate::world::{answer_of, row, rows, some, words};

#[test]
fn sums_are_exact_to_the_last_digit_and_wide_enough() {
    let largest = "99999999999999999999.999999999999999999";
    let table = rows((0..7).map(|_| row("a", largest, "kg", "2022-01-01")).collect());
    let answer = answer_of("SELECT sum(quantity) AS s, avg(quantity) AS m FROM activities", table);
    let answer = answer.unwrap();
    assert_eq!(words(&answer), [["699999999999999999999.999999999999999993", largest]]);
    assert_eq!(answer.columns[0].kind, "DECIMAL(48,18)");
    let tenths = rows((0..3).map(|_| row("a", "0.1", "kg", "2022-01-01")).collect());
    let answer = answer_of("SELECT sum(quantity) = 0.3 AS same FROM activities", tenths).unwrap();
    assert_eq!(words(&answer), [["true"]]);
}

#[test]
fn a_literal_with_a_point_is_a_decimal() {
    let sql =
        "SELECT quantity * 0.19338 AS kg, quantity / 1000 AS mwh, round(quantity * 0.19338, 3) AS r
        FROM activities WHERE quantity > 372.39999 AND quantity < 372.5";
    let answer = answer_of(sql, some()).unwrap();
    assert_eq!(words(&answer), [["72.014712", "0.3724", "72.015"]]);
    for column in &answer.columns {
        assert!(column.kind.starts_with("DECIMAL"), "{column:?}");
    }
}

#[test]
fn a_float_comes_up_only_where_it_is_asked_for() {
    let sql = "SELECT CAST(quantity AS DOUBLE) AS f FROM activities LIMIT 1";
    let answer = answer_of(sql, some()).unwrap();
    assert_eq!(
        (answer.columns[0].kind.as_str(), words(&answer)),
        ("DOUBLE", vec![vec!["372.4".to_owned()]])
    );
    let all = "SELECT sum(quantity) AS a, avg(quantity) AS b, min(quantity) AS c, max(quantity) AS d,
        median(quantity) AS e, abs(min(quantity)) AS f, ceil(max(quantity)) AS g, floor(max(quantity)) AS h,
        sum(quantity * 2) AS i, sum(convert(quantity, unit, 'kW.h')) AS j,
        coalesce(sum(quantity), 0) AS k, greatest(max(quantity), 1.5) AS l, sum(quantity) / 7 AS m
        FROM activities";
    for column in &answer_of(all, some()).unwrap().columns {
        assert!(column.kind.starts_with("DECIMAL"), "{column:?}");
    }
}

#[test]
fn amounts_are_converted_exactly_and_what_measures_something_else_is_null() {
    let sql =
        "SELECT unit, convert(quantity, unit, 'kW.h') AS kwh FROM activities ORDER BY first_day";
    let answer = answer_of(sql, some()).unwrap();
    assert_eq!(
        words(&answer),
        [["kW.h", "372.4"], ["kW.h", "0.1"], ["MW.h", "1500"], ["L", "null"]]
    );
    let joules = "SELECT convert(quantity, unit, 'MJ') AS mj FROM activities LIMIT 1";
    assert_eq!(words(&answer_of(joules, some()).unwrap()), [["1340.64"]]);
}

#[test]
fn times_are_times_and_digits_stay_as_they_were_sent() {
    let table = rows(vec![row("a", "372.40", "kW.h", "2022-03-05")]);
    let sql =
        "SELECT quantity, quantity_sent, starts_at, first_day, date_trunc('month', starts_at) AS m,
        date_part('year', first_day) AS y, line FROM activities";
    let answer = answer_of(sql, table).unwrap();
    let row = "372.4 372.40 2022-03-05T00:00:00Z 2022-03-05 2022-03-01T00:00:00Z 2022 1";
    assert_eq!(words(&answer)[0].join(" "), row);
    let kinds: Vec<&str> = answer.columns.iter().map(|column| column.kind.as_str()).collect();
    assert_eq!(kinds[2..4], ["TIMESTAMP WITH TIME ZONE", "DATE"]);
}

/// Why a value was refused, and what to do.
#[track_caller]
fn too_large(sql: &str) -> (String, String) {
    match answer_of(sql, some()) {
        Err(QueryError::Value { what, hint }) => (what, hint.unwrap_or_default()),
        other => unreachable!("{sql}: {other:?}"),
    }
}

#[test]
fn a_whole_number_that_is_too_large_is_refused_and_never_wraps_around() {
    for sql in [
        "SELECT 9223372036854775807 + 1",
        "SELECT -9223372036854775807 - 2",
        "SELECT 9223372036854775807 * 2",
        "SELECT -(-9223372036854775807 - 1)",
        "SELECT (-9223372036854775807 - 1) / -1",
        "SELECT abs(-9223372036854775807 - 1)",
        "SELECT 9223372036854775806 + line FROM activities",
        "SELECT line * 9223372036854775807 FROM activities",
        "SELECT -line - 9223372036854775807 FROM activities",
        "SELECT -(-9223372036854775807 - line) FROM activities WHERE line = 1",
        "SELECT line FROM activities WHERE line + 9223372036854775807 > 0",
        "SELECT count(*) AS n FROM activities GROUP BY 9223372036854775806 + line",
        "SELECT line FROM activities ORDER BY 9223372036854775806 + line",
        "SELECT max(9223372036854775806 + line) AS m FROM activities",
        "SELECT sum(line + 9223372036854775807) AS s FROM activities",
        "SELECT CASE WHEN line > 1 THEN line * 9223372036854775807 ELSE 0 END AS c FROM activities",
        "SELECT a.line FROM activities a JOIN activities b ON a.line = b.line + 9223372036854775807",
        "SELECT line, (SELECT max(b.line * 9223372036854775807) FROM activities b) AS m FROM activities",
        "SELECT lag(line + 9223372036854775806) OVER (ORDER BY line) AS l FROM activities",
    ] {
        let (what, hint) = too_large(sql);
        assert!(what.contains("more than 64 bits"), "{sql}: {what}");
        assert!(hint.contains("DECIMAL(38,0)"), "{sql}: {hint}");
    }
    let right =
        "SELECT 9223372036854775806 + 1 AS a, CAST(9223372036854775807 AS DECIMAL(38,0)) + 1 AS b,
        -9223372036854775807 - 1 AS c, 7 / 2 AS d, DATE '2022-03-01' - INTERVAL '1 day' AS e,
        DATE '2022-03-01' - DATE '2022-02-01' AS f";
    let row = "9223372036854775807 9223372036854775808 -9223372036854775808 3 2022-02-28 28";
    assert_eq!(words(&answer_of(right, some()).unwrap())[0].join(" "), row);
}

#[test]
fn whole_numbers_are_added_up_as_decimals() {
    let large = "SELECT sum(x) AS s, avg(x) AS a, median(x) AS m FROM
        (SELECT 9223372036854775807 AS x FROM activities WHERE line < 4)";
    let answer = answer_of(large, some()).unwrap();
    let row = "27670116110564327421 9223372036854775807 9223372036854775807";
    assert_eq!(words(&answer)[0].join(" "), row);
    let kinds: Vec<&str> = answer.columns.iter().map(|column| column.kind.as_str()).collect();
    assert_eq!(kinds, ["DECIMAL(30,0)", "DECIMAL(24,4)", "DECIMAL(21,1)"]);
    for (sql, wanted) in [
        ("SELECT sum(line) AS s, avg(line) AS a, median(line) AS m FROM activities", "10 2.5 2.5"),
        (
            "SELECT sum(DISTINCT x) AS s FROM (SELECT 9223372036854775807 - line % 2 AS x FROM activities)",
            "18446744073709551613",
        ),
        (
            "SELECT sum(x) OVER (ORDER BY line ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s
            FROM (SELECT line, 9223372036854775807 AS x FROM activities) ORDER BY line DESC",
            "18446744073709551614",
        ),
        ("SELECT count(DISTINCT unit) AS n, sum(line) AS s FROM activities", "3 10"),
        ("SELECT count(DISTINCT unit) AS n, sum(quantity) AS s FROM activities", "3 384"),
        (
            "SELECT sum(line) FILTER (WHERE unit = 'kW.h') AS s, sum(line) / count(*) AS a FROM activities",
            "3 2.5",
        ),
        (
            "SELECT sum(starts_at - TIMESTAMP '2022-01-01T00:00:00Z') AS s FROM activities",
            "PT5529600S",
        ),
    ] {
        assert_eq!(words(&answer_of(sql, some()).unwrap())[0].join(" "), wanted, "{sql}");
    }
}

#[test]
fn a_decimal_that_is_too_large_is_refused_and_never_wraps_around() {
    let wide =
        format!("CAST(quantity AS DECIMAL(76,18)) * CAST('1{}' AS DECIMAL(76,0))", "0".repeat(50));
    for (sql, said) in [
        (
            "SELECT max(quantity * quantity * quantity * quantity * 100) AS m FROM activities"
                .to_owned(),
            "a decimal came up",
        ),
        (
            "SELECT CAST('9999999999999999999999999999999999999' AS DECIMAL(38,0)) * 99999 AS m"
                .to_owned(),
            "a decimal came up",
        ),
        (format!("SELECT sum({wide}) AS s FROM activities"), "66 digits"),
        (format!("SELECT avg({wide}) AS s FROM activities"), "66 digits"),
        ("SELECT CAST(123456 AS DECIMAL(5,2)) AS c".to_owned(), "than a DECIMAL(5,…) holds"),
    ] {
        let (what, hint) = too_large(&sql);
        assert!(what.contains(said) && hint.contains("DECIMAL("), "{sql}: {what}: {hint}");
        assert!(what.len() < 140, "{what}");
    }
}

#[test]
fn spans_of_time_are_added_up_and_never_wrap_around() {
    let spans = "(SELECT TIMESTAMP '2000-01-01T00:00:00' - TIMESTAMP '1800-01-01T00:00:00' AS d FROM activities)";
    let (what, _) = too_large(&format!("SELECT sum(d) AS s FROM {spans}"));
    assert!(what.contains("a time came up"), "{what}");
    let average = format!("SELECT avg(d) = max(d) AS same FROM {spans}");
    assert_eq!(words(&answer_of(&average, some()).unwrap()), [["true"]]);
}

#[test]
fn what_does_not_fit_is_told_by_its_own_type() {
    for (sql, said) in [
        (
            "SELECT CAST(2147483647 AS INT) + CAST(1 AS INT) AS a",
            "a whole number came up that has more than 32 bits",
        ),
        (
            "SELECT DATE '2022-01-01' + INTERVAL '9999999 years' AS a",
            "a time came up that is too far away",
        ),
        (
            "SELECT max(quantity * quantity * quantity * quantity * quantity) AS m FROM activities",
            "a decimal came up that has more digits",
        ),
        (
            "SELECT sum(DISTINCT line) OVER (ORDER BY line ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM activities",
            "sum(DISTINCT …) over a window that moves",
        ),
    ] {
        let (what, _) = too_large(sql);
        assert!(what.starts_with(said), "{sql}: {what}");
    }
}
