//! Numbers stay what was sent, whatever is done with them.

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
