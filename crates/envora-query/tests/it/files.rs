//! Answers as files: exact in each of their forms, cut where that is told, and refused where they do not fit.

use std::sync::Arc;

use envora_query::QueryError;
use envora_query::files::{Form, Told, ask_as};
use envora_query::limits::{Limits, Watch};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::RowAccessor as _;

use crate::world::{LIMITS, row, rows, some};

fn file_of(sql: &str, form: Form, limits: Limits) -> Result<(Vec<u8>, Told), QueryError> {
    let mut file = Vec::new();
    let told = ask_as((sql, form), vec![Arc::new(some())], (limits, Watch::never()), &mut file)?;
    Ok((file, told))
}

#[test]
fn parquet_keeps_decimals_with_their_scale_and_times_in_utc() {
    let sql = "SELECT quantity, sum(quantity) OVER () AS total, quantity * quantity AS square, starts_at, first_day,
        line, unit, is_primary, CAST(quantity AS DOUBLE) AS f, row_number() OVER (ORDER BY line) AS r,
        starts_at - TIMESTAMP '2022-01-01T00:00:00Z' AS since, NULL AS n FROM activities ORDER BY line LIMIT 1";
    let (file, told) = file_of(sql, Form::Parquet, LIMITS).unwrap();
    assert_eq!((told.rows, told.is_cut), (1, false));
    let reader = SerializedFileReader::new(bytes::Bytes::from(file)).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr();
    let kinds: Vec<String> = schema
        .columns()
        .iter()
        .map(|column| format!("{} {:?}", column.name(), column.logical_type_ref()))
        .collect();
    for (kind, wanted) in kinds.iter().zip([
        "quantity Some(Decimal(DecimalType { scale: 18, precision: 38",
        "total Some(Decimal(DecimalType { scale: 18, precision: 38",
        "square Some(Decimal(DecimalType { scale: 36, precision: 76",
        "starts_at Some(Timestamp(TimestampType { is_adjusted_to_u_t_c: true, unit: MICROS",
        "first_day Some(Date",
        "line None",
        "unit Some(String",
        "is_primary None",
        "f None",
        "r Some(Integer(IntType { bit_width: 64, is_signed: false",
        "since Some(String",
        "n Some(String",
    ]) {
        assert!(kind.starts_with(wanted), "{kind}");
    }
    let first = reader.get_row_iter(None).unwrap().next().unwrap().unwrap();
    let written = first.to_string();
    for value in [
        "quantity: 372.400000000000000000",
        "total: 384.000000000000000000",
        "square: 138681.760000000000000000000000000000000000",
        "starts_at: 2022-01-01 00:00:00",
        "first_day: 2022-01-01",
        "unit: \"kW.h\"",
        "is_primary: null",
        "n: null",
    ] {
        assert!(written.contains(value), "{value}: {written}");
    }
    assert_eq!((first.get_long(5).unwrap(), first.get_double(8).unwrap()), (1, 372.4));
}

#[test]
fn a_file_of_many_rows_has_groups_and_loses_none() {
    let mut many = rows((0..100).map(|n| row("a", &n.to_string(), "kg", "2022-01-01")).collect());
    many.times = 1_500;
    let mut file = Vec::new();
    let limits = Limits { rows_max: usize::MAX, answer_bytes_max: usize::MAX, ..LIMITS };
    let question = ("SELECT line, quantity FROM activities", Form::Parquet);
    let told = ask_as(question, vec![Arc::new(many)], (limits, Watch::never()), &mut file).unwrap();
    assert_eq!((told.rows, told.is_cut), (150_000, false));
    let reader = SerializedFileReader::new(bytes::Bytes::from(file)).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 3);
    let sum: i64 =
        reader.get_row_iter(None).unwrap().map(|row| row.unwrap().get_long(0).unwrap()).sum();
    assert_eq!(sum, 150_000 * 150_001 / 2);
}

#[test]
fn files_are_cut_and_refused_as_answers_are() {
    for form in [Form::Parquet, Form::Csv, Form::Ndjson] {
        let limits = Limits { rows_max: 3, ..LIMITS };
        let (_, told) = file_of("SELECT line FROM activities", form, limits).unwrap();
        assert_eq!(told, Told { rows: 3, is_cut: true });
        let limits = Limits { answer_bytes_max: 30, ..LIMITS };
        let error = file_of("SELECT type, unit FROM activities", form, limits).unwrap_err();
        assert!(matches!(error, QueryError::Answer(30)), "{error:?}");
        let error = file_of("SELECT quantty FROM activities", form, LIMITS).unwrap_err();
        assert!(matches!(error, QueryError::Invalid { .. }), "{error:?}");
        // No row is an answer too.
        let none = "SELECT line, quantity FROM activities WHERE line < 0";
        assert_eq!(file_of(none, form, LIMITS).unwrap().1, Told::default());
    }
    // A total is written with 38 digits, which every reader knows; more are refused and not rounded.
    let large = "SELECT sum(quantity * 10000000000) * 10000000000 AS s FROM activities";
    let large = format!("SELECT CAST(s AS DECIMAL(60,18)) AS s FROM ({large}) x");
    assert_eq!(file_of(&large, Form::Ndjson, LIMITS).unwrap().1.rows, 1);
    match file_of(&large, Form::Parquet, LIMITS) {
        Err(QueryError::Value { what, hint }) => {
            assert!(what.contains("DECIMAL(38,…)") && hint.is_some(), "{what}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn text_has_a_line_for_each_row() {
    let sql = "SELECT unit, quantity, note, 'a \"b\", c' AS t, is_primary FROM activities ORDER BY line LIMIT 1";
    let text = |form| String::from_utf8(file_of(sql, form, LIMITS).unwrap().0).unwrap();
    assert_eq!(
        text(Form::Csv),
        "unit,quantity,note,t,is_primary\nkW.h,372.4,,\"a \"\"b\"\", c\",\n"
    );
    assert_eq!(
        text(Form::Ndjson),
        "{\"unit\":\"kW.h\",\"quantity\":\"372.4\",\"note\":null,\"t\":\"a \\\"b\\\", c\",\"is_primary\":null}\n"
    );
}
