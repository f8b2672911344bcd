//! Parquet: what its columns say is what the same table says as CSV, and what lies about itself is refused.

use std::sync::Arc;

use envora_domain::activities::problems::{Flag, RowCode};
use envora_domain::activities::{Origin, Period};
use envora_ingest::formats::mend::{Refused, Rows, error_file};
use envora_ingest::formats::{Format, OpenError};
use envora_ingest::mapping::Mapping;
use envora_ingest::rows::ParsedRow;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray,
    FixedLenByteArrayType, Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::tables::{good, reader};

/// The values of a column; where it is optional, some may be none.
#[derive(Clone)]
pub(crate) enum Values {
    Bool(Vec<bool>),
    I32(Vec<Option<i32>>),
    I64(Vec<Option<i64>>),
    I96(Vec<Int96>),
    F64(Vec<f64>),
    Text(Vec<Option<&'static str>>),
    Fixed(Vec<Vec<u8>>),
}

/// A file of these columns, a row group for each list.
pub(crate) fn file(schema: &str, how: WriterProperties, groups: &[Vec<Values>]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(&format!("message rows {{ {schema} }}")).unwrap());
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(how)).unwrap();
    for group in groups {
        let mut own = writer.next_row_group().unwrap();
        for values in group {
            let mut column = own.next_column().unwrap().unwrap();
            macro_rules! put {
                ($kind:ty, $values:expr) => {{
                    let writer = column.typed::<$kind>();
                    let values: Vec<Option<<$kind as DataType>::T>> = $values;
                    let levels: Vec<i16> = values.iter().map(|own| own.is_some().into()).collect();
                    let whole: Vec<_> = values.into_iter().flatten().collect();
                    let first = vec![0; levels.len()];
                    writer.write_batch(&whole, Some(&levels), Some(&first)).unwrap();
                }};
            }
            match values.clone() {
                Values::Bool(own) => put!(BoolType, own.into_iter().map(Some).collect()),
                Values::I32(own) => put!(Int32Type, own),
                Values::I64(own) => put!(Int64Type, own),
                Values::I96(own) => put!(Int96Type, own.into_iter().map(Some).collect()),
                Values::F64(own) => put!(DoubleType, own.into_iter().map(Some).collect()),
                Values::Text(own) => {
                    put!(
                        ByteArrayType,
                        own.into_iter().map(|own| own.map(ByteArray::from)).collect()
                    )
                }
                Values::Fixed(own) => {
                    let fixed = |own| Some(FixedLenByteArray::from(ByteArray::from(own)));
                    put!(FixedLenByteArrayType, own.into_iter().map(fixed).collect::<Vec<_>>())
                }
            }
            column.close().unwrap();
        }
        own.close().unwrap();
    }
    writer.into_inner().unwrap()
}

fn plain() -> WriterProperties {
    WriterProperties::builder().set_compression(Compression::UNCOMPRESSED).build()
}

fn rows(bytes: &[u8], mapping: &str) -> Vec<ParsedRow> {
    let reader = reader(Format::Parquet, bytes, mapping).unwrap_or_else(|error| panic!("{error}"));
    reader.map(Result::unwrap).collect()
}

/// Why a file as a whole is refused: code, words and hint.
fn refusal(bytes: &[u8], mapping: &str) -> (&'static str, String) {
    match reader(Format::Parquet, bytes, mapping) {
        Err(OpenError::File(problems)) => {
            let problem = problems.first().unwrap();
            (problem.code, format!("{}: {}", problem.detail, problem.hint))
        }
        Err(OpenError::Io(error)) => panic!("{error}"),
        Ok(_) => panic!("the file was read"),
    }
}

#[track_caller]
fn refused(bytes: &[u8], mapping: &str, words: &[&str]) {
    let (_, text) = refusal(bytes, mapping);
    for word in words {
        assert!(text.contains(word), "{word}: {text}");
    }
}

fn problems(rows: &[ParsedRow]) -> Vec<(u64, RowCode, String)> {
    let all = rows.iter().filter_map(|row| row.activity.as_ref().err()).flatten();
    all.map(|problem| (problem.line, problem.code, problem.detail.clone())).collect()
}

const METERS: &str = r#"
mapping = "meters"
format = "parquet"
[const]
type = "electricity.purchased"
unit = "kW.h"
facility_code = "b24"
[[activity]]
period = { start = "from", length = "PT1H" }
quantity = { column = "load" }
source_code = { column = "meter" }
"#;

const SCHEMA: &str = "
    required int64 from (TIMESTAMP(MILLIS, true));
    optional int64 load (DECIMAL(18, 3));
    optional binary meter (STRING);
    optional int32 unused;
";

const MIDNIGHT: i64 = 1_640_995_200_000;
const HOUR: i64 = 3_600_000;

/// Hours of two meters in two row groups; the third row of each has no load.
fn hours(rows: i64) -> Vec<Vec<Values>> {
    let group = |first: i64| {
        let each = || first..first + rows;
        let load = |row: i64| (row % 100 != 2).then_some(372_400 + row);
        let meter = |row: i64| Some(if row % 2 == 0 { "m-even" } else { "m-odd" });
        vec![
            Values::I64(each().map(|row| Some(MIDNIGHT + row * HOUR)).collect()),
            Values::I64(each().map(load).collect()),
            Values::Text(each().map(meter).collect()),
            Values::I32(each().map(|_| None).collect()),
        ]
    };
    vec![group(0), group(rows)]
}

#[test]
fn columns_say_to_the_digit_what_their_csv_says() {
    let mut csv = String::from("from,load,meter,unused\n");
    for row in 0..600 {
        let at = envora_domain::time::Timestamp::from_micros((MIDNIGHT + row * HOUR) * 1_000);
        let load = if row % 100 == 2 {
            String::new()
        } else {
            format!("{}.{:03}", 372 + (400 + row) / 1_000, (400 + row) % 1_000)
        };
        let meter = if row % 2 == 0 { "m-even" } else { "m-odd" };
        csv.push_str(&format!("{at},{load},{meter},\n"));
    }
    let mapping = METERS.replace("format = \"parquet\"\n", "");
    let csv: Vec<ParsedRow> =
        reader(Format::Csv, csv.as_bytes(), &mapping).unwrap().map(Result::unwrap).collect();
    let ways = [
        WriterProperties::builder().set_compression(Compression::SNAPPY).build(),
        WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_data_page_row_count_limit(37)
            .set_write_batch_size(10)
            .build(),
        WriterProperties::builder()
            .set_compression(Compression::GZIP(Default::default()))
            .set_dictionary_enabled(false)
            .build(),
        WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_column_encoding("meter".into(), Encoding::DELTA_LENGTH_BYTE_ARRAY)
            .set_dictionary_enabled(false)
            .build(),
    ];
    for how in ways {
        let bytes = file(SCHEMA, how, &hours(300));
        let columns = rows(&bytes, METERS);
        assert_eq!(columns.len(), 600);
        assert_eq!(
            columns.iter().map(|row| row.row).collect::<Vec<_>>(),
            (1..=600).collect::<Vec<_>>()
        );
        for (own, other) in columns.iter().zip(&csv) {
            assert_eq!(own.external_id, other.external_id);
            match (&own.activity, &other.activity) {
                (Ok(own), Ok(other)) => {
                    assert_eq!(own.external_id, other.external_id);
                    assert_eq!(own.quantity.to_string(), other.quantity.to_string());
                    assert_eq!((&own.period, &own.source), (&other.period, &other.source));
                    assert_eq!(own.flags, other.flags);
                }
                (Err(own), Err(other)) => assert_eq!(own[0].code, other[0].code),
                (own, other) => panic!("{own:?} {other:?}"),
            }
        }
        let broken = problems(&columns);
        assert_eq!(broken.len(), 6, "{broken:?}");
        assert_eq!((broken[0].0, broken[0].1), (3, RowCode::MissingField));
        let Origin::File { row, offset, length, parser, .. } = &good(&columns)[300].origin else {
            panic!("a file")
        };
        assert_eq!((*row, *offset, *length, &**parser), (305, 0, 0, "parquet/1"));
    }
}

#[test]
fn columns_named_like_fields_need_no_mapping() {
    let schema = "
        required binary external_id (STRING); required binary type (STRING);
        required fixed_len_byte_array(16) quantity (DECIMAL(38, 2)); required binary unit (STRING);
        required int32 start_date (DATE); required int32 end_date (DATE);
        required binary facility_code (STRING); required boolean primary;
        required group qualifiers { required binary fuel (STRING); }
    ";
    let quantity = |value: i128| value.to_be_bytes().to_vec();
    let text = |text| Values::Text(vec![Some(text), Some(text)]);
    let columns = vec![
        Values::Text(vec![Some("a-1"), Some("a-2")]),
        text("fuel.combusted.stationary"),
        Values::Fixed(vec![quantity(1_234_567_890_123_456_789_012), quantity(-1)]),
        text("kW.h.x:gross"),
        Values::I32(vec![Some(18_993); 2]),
        Values::I32(vec![Some(19_023); 2]),
        text("b24"),
        Values::Bool(vec![true, false]),
        text("natural_gas"),
    ];
    let bytes = file(schema, plain(), std::slice::from_ref(&columns));
    let all = rows(&bytes, "");
    let row = good(&all)[0];
    assert_eq!(row.quantity.to_string(), "12345678901234567890.12");
    assert_eq!(row.external_id.as_deref(), Some("a-1"));
    assert_eq!((row.primary, row.qualifiers["fuel"].as_str()), (Some(true), "natural_gas"));
    assert!(matches!(row.period, Period::Days { .. }), "{:?}", row.period);
    assert_eq!(problems(&all)[0].1, RowCode::NegativeNotAllowed);
    let wrong = schema.replace("facility_code", "facilty_code");
    let (_, text) = refusal(&file(&wrong, plain(), &[columns]), "");
    assert!(text.contains("did you mean \"facility_code\""), "{text}");
}

#[test]
fn floats_are_taken_only_where_the_mapping_says_so() {
    let schema = "required int64 from (TIMESTAMP(MICROS, true)); required double load; required binary meter (STRING);";
    let group = vec![
        Values::I64((0..4).map(|hour| Some((MIDNIGHT + hour * HOUR) * 1_000)).collect()),
        Values::F64(vec![0.1 + 0.2, 372.4, f64::NAN, 1e300]),
        Values::Text(vec![Some("m"); 4]),
    ];
    let bytes = file(schema, plain(), &[group]);
    refused(&bytes, METERS, &["\"load\" holds binary floats", "allow_float = true", "DECIMAL"]);
    let allowed = METERS.replace("[const]", "[file]\nallow_float = true\n[const]");
    let all = rows(&bytes, &allowed);
    let texts: Vec<String> = good(&all).iter().map(|row| row.quantity.to_string()).collect();
    assert_eq!(texts, ["0.30000000000000004", "372.4"]);
    assert!(good(&all).iter().all(|row| row.flags.contains(Flag::FloatArtifact)));
    let broken = problems(&all);
    assert!(broken[0].2.contains("holds NaN") && broken[0].0 == 3, "{broken:?}");
    assert_eq!((broken[1].0, broken[1].1), (4, RowCode::TooManyDigits));
}

#[test]
fn times_without_a_zone_are_local_and_int96_is_refused() {
    let local = SCHEMA.replace("true", "false");
    let bytes = file(&local, plain(), &hours(2)[..1]);
    let zoned = METERS.replace("[[activity]]", "time_zone = \"Europe/Berlin\"\n[[activity]]");
    let berlin = rows(&bytes, &zoned);
    let Period::Between(start, _) = &good(&berlin)[0].period else { panic!("instants") };
    assert_eq!(start.to_string(), "2021-12-31T23:00:00Z");
    assert!(matches!(good(&rows(&bytes, METERS))[0].period, Period::WallClock { .. }));
    let old =
        "required int96 from; required int64 load (DECIMAL(18,3)); required binary meter (STRING);";
    let day = Int96::from(vec![0, 0, 2_459_581]);
    let group =
        vec![Values::I96(vec![day]), Values::I64(vec![Some(1)]), Values::Text(vec![Some("m")])];
    refused(
        &file(old, plain(), &[group]),
        METERS,
        &["INT96", "say nothing of their zone", "TIMESTAMP"],
    );
    // Nanoseconds that are no whole microseconds are not cut off.
    let fine = SCHEMA.replace("MILLIS", "NANOS");
    let mut group = hours(1).remove(0);
    group[0] = Values::I64(vec![Some(MIDNIGHT * 1_000_000 + 1)]);
    let broken = problems(&rows(&file(&fine, plain(), &[group]), METERS));
    assert_eq!(broken[0].1, RowCode::TooManyDigits, "{broken:?}");
}

#[test]
fn a_total_row_is_listed_and_never_summed() {
    let schema = "required binary meter (STRING); required int64 from (TIMESTAMP(MILLIS, true)); required int64 load;";
    let group = vec![
        Values::Text(vec![Some("m"), Some("Total")]),
        Values::I64(vec![Some(MIDNIGHT); 2]),
        Values::I64(vec![Some(5); 2]),
    ];
    let all = rows(&file(schema, plain(), &[group]), METERS);
    assert_eq!((good(&all).len(), problems(&all)[0].1), (1, RowCode::LooksLikeTotal));
}

#[test]
fn columns_that_are_not_there_or_hold_lists_are_named() {
    let bytes = file(SCHEMA, plain(), &hours(3));
    refused(
        &bytes,
        &METERS.replace("\"load\"", "\"laod\""),
        &["\"laod\"", "did you mean \"load\""],
    );
    let csv = METERS.replace("format = \"parquet\"", "format = \"csv\"");
    refused(&bytes, &csv, &["format = \"csv\"", "the file is parquet"]);
    let lists = "required int64 from (TIMESTAMP(MILLIS, true)); required binary meter (STRING); repeated int64 load;";
    let group = vec![
        Values::I64(vec![Some(MIDNIGHT)]),
        Values::Text(vec![Some("m")]),
        Values::I64(vec![None]),
    ];
    refused(&file(lists, plain(), &[group]), METERS, &["\"load\" holds lists"]);
}

/// A file of this footer and nothing else.
fn made(footer: &[u8]) -> Vec<u8> {
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    [b"PAR1", footer, &length, b"PAR1"].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
    out
}

#[test]
fn a_footer_that_lies_is_refused_before_room_is_made() {
    // A schema of one column; then 10^12 rows and no row group.
    let name = |name: &str| [&[0x18, u8::try_from(name.len()).unwrap()], name.as_bytes()].concat();
    let root = [&[0x48], &name("rows")[1..], &[0x15, 2, 0]].concat();
    let leaf = [&[0x15, 4, 0x25, 0][..], &name("load"), &[0]].concat();
    let schema = [&[0x15, 2, 0x19, 0x2c][..], &root, &leaf].concat();
    let rows = |rows: u64| [&[0x16][..], &varint(rows * 2)].concat();
    let many = [&schema[..], &rows(1_000_000_000_000), &[0x19, 0x0c, 0]].concat();
    refused(&made(&many), METERS, &["claims to have 1000000000000 rows", "at most 20000000"]);
    let none = [&schema[..], &rows(5), &[0x19, 0x0c, 0]].concat();
    refused(&made(&none), METERS, &["claims 5 rows, and its row groups have 0"]);
    // 2^32 - 1 row groups, each of which would have room made for it.
    let groups =
        [&schema[..], &rows(1), &[0x19, 0xfc], &varint(u64::from(u32::MAX)), &[0]].concat();
    refused(&made(&groups), METERS, &["footer is damaged"]);
    // Columns in columns, a hundred thousand deep, and more than there may be.
    let deep: Vec<u8> = (0..3_000).flat_map(|_| root.clone()).collect();
    let deep = [&[0x15, 2, 0x19, 0xfc][..], &varint(3_000), &deep, &[0]].concat();
    refused(&made(&deep), METERS, &["deep in each other"]);
    let wide: Vec<u8> = (0..100_000).flat_map(|_| leaf.clone()).collect();
    let wide = [&[0x15, 2, 0x19, 0xfc][..], &varint(100_000), &wide, &[0]].concat();
    refused(&made(&wide), METERS, &["100000 columns"]);
    // A struct that never ends.
    refused(&made(&[0x1c; 50_000]), METERS, &["footer is damaged"]);
}

#[test]
fn what_is_no_parquet_file_is_told_so() {
    let whole = file(SCHEMA, plain(), &hours(3));
    refused(b"", METERS, &["empty"]);
    refused(b"from,load\n1,2\n", METERS, &["no Parquet file", ".csv"]);
    refused(&whole[..whole.len() - 3], METERS, &["is cut"]);
    refused(b"PAR1PAR1", METERS, &["is cut"]);
    refused(b"PARE....PARE", METERS, &["encrypted"]);
    let mut long = whole.clone();
    let tail = long.len() - 8;
    long[tail..tail + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    refused(&long, METERS, &["footer is said to have 4294967295 bytes"]);
    long[tail..tail + 4].copy_from_slice(&500_000_u32.to_le_bytes());
    refused(&long, METERS, &["would begin before it"]);
}

/// Where the first page of the file begins, which is that of the first column.
const FIRST_PAGE: usize = 4;

#[test]
fn a_page_that_lies_is_refused_before_room_is_made() {
    let how = || {
        WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_compression(Compression::UNCOMPRESSED)
    };
    let bytes = file(SCHEMA, how().build(), &hours(50));
    // 15 00: data page; 15 …: unpacked size; 15 …: size. Fifty values of eight bytes are 400.
    let head = &bytes[FIRST_PAGE..FIRST_PAGE + 8];
    assert_eq!(head[..2], [0x15, 0x00], "{head:?}");
    assert_eq!(head[2..8], [0x15, 0xa0, 0x06, 0x15, 0xa0, 0x06], "{head:?}");
    let change = |at: usize, with: &[u8]| {
        let mut changed = bytes.clone();
        changed[FIRST_PAGE + at..FIRST_PAGE + at + with.len()].copy_from_slice(with);
        changed
    };
    refused(
        &change(3, &[0xa0, 0x08]),
        METERS,
        &["does not unpack to the 528 bytes", "\"from\"", "row group 1"],
    );
    refused(&change(6, &[0xff, 0x7f]), METERS, &["\"from\""]);
    refused(&change(0, &[0x15, 0x0e]), METERS, &["a kind that is not known"]);
    refused(&change(0, &[0xff, 0xff]), METERS, &["header of a page is damaged"]);
    // How many values the page has: 2c, 15, 64 = fifty.
    let count = bytes.windows(3).position(|part| part == [0x2c, 0x15, 0x64]).unwrap();
    let mut more = bytes.clone();
    more[count + 2] = 0x7e;
    refused(&more, METERS, &["a page claims 63 values where 50 are due"]);
    more[count + 2] = 0x20;
    refused(&more, METERS, &["\"from\""]);

    // A dictionary of more words than it has bytes for.
    let bytes = file(SCHEMA, plain(), &hours(50));
    let dictionary = [0x15, 0x04];
    assert_eq!(bytes[FIRST_PAGE..FIRST_PAGE + 2], dictionary);
    let words = bytes.windows(3).position(|part| part == [0x4c, 0x15, 0x64]).unwrap();
    let mut more = bytes;
    more[words + 2] = 0x7e;
    refused(&more, METERS, &["claims 63 words, which do not fit"]);
}

#[test]
fn a_bomb_is_refused_by_what_it_claims_to_unpack_to() {
    // Texts of a few kilobytes that are all alike, packed to almost nothing, without a dictionary.
    let text: &'static str = Box::leak("x".repeat(10_000).into_boxed_str());
    let how = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_enabled(false)
        .set_data_page_size_limit(8 << 20)
        .build();
    let rows = 30_000;
    let group = || {
        vec![
            Values::I64(vec![Some(MIDNIGHT); rows]),
            Values::I64(vec![Some(1); rows]),
            Values::Text(vec![Some(text); rows]),
            Values::I32(vec![None; rows]),
        ]
    };
    let bytes = file(SCHEMA, how, &[group(), group(), group(), group()]);
    assert!(bytes.len() < 2 << 20, "{}", bytes.len());
    refused(&bytes, METERS, &["unpack to more than 1024 MiB"]);
}

#[test]
fn gzip_that_goes_on_behind_its_claim_is_refused() {
    let how = || {
        WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_compression(Compression::GZIP(Default::default()))
            .build()
    };
    let bytes = file(SCHEMA, how(), &hours(50));
    let claim = FIRST_PAGE + 3;
    assert_eq!(bytes[claim..claim + 2], [0xa0, 0x06]);
    let mut less = bytes;
    less[claim] = 0x80;
    refused(&less, METERS, &["does not unpack to the 384 bytes it claims"]);
}

#[test]
fn no_byte_that_is_changed_ends_in_a_panic() {
    let how = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let bytes = file(SCHEMA, how, &hours(20));
    let (mut read, mut refused) = (0, 0);
    for (at, bit) in (0..bytes.len()).step_by(2).zip([0x01, 0x40, 0xff].into_iter().cycle()) {
        {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            match reader(Format::Parquet, &changed, METERS) {
                Ok(reader) => {
                    assert!(reader.count() <= 1_000_000);
                    read += 1;
                }
                Err(OpenError::File(problems)) => {
                    assert!(!problems[0].hint.is_empty(), "{problems:?}");
                    refused += 1;
                }
                Err(OpenError::Io(error)) => panic!("{error}"),
            }
        }
    }
    assert!(read > 100 && refused > 100, "{read} read, {refused} refused");
    let cut = (0..bytes.len())
        .step_by(9)
        .filter(|at| reader(Format::Parquet, &bytes[..*at], METERS).is_ok());
    assert_eq!(cut.count(), 0);
}

#[test]
fn refused_rows_come_out_as_csv_that_is_read_as_the_columns_were() {
    let schema = "
        required binary meter (STRING); required int64 from (TIMESTAMP(MILLIS, false));
        optional int64 load (DECIMAL(12, 3)); optional double odd;
    ";
    let group = vec![
        Values::Text(vec![Some("=m"), Some("m 2"), Some("=m"), Some("=m")]),
        Values::I64(vec![Some(MIDNIGHT); 4]),
        Values::I64(vec![Some(1_500), Some(-2_000), None, Some(7)]),
        Values::F64(vec![0.5; 4]),
    ];
    let bytes = file(schema, plain(), &[group]);
    // A mapping that reads CSV of another style as well: the cells of the mended rows are none of it.
    let mapping = METERS.replace("format = \"parquet\"\n", "").replace("source_code", "note").replace(
        "[const]",
        "[file]\ndecimal = \",\"\ngroup = \".\"\ndelimiter = \";\"\nskip_lines = 2\nencoding = \"windows-1252\"\nformat = \"DD.MM.YYYY\"\n[const]\ntime_zone = \"UTC\"",
    );
    let all = rows(&bytes, &mapping);
    let broken = problems(&all);
    assert_eq!(broken.iter().map(|one| one.0).collect::<Vec<_>>(), [2, 3], "{broken:?}");
    let refused: Rows = [2, 3]
        .map(|row| {
            (row, Refused { code: "wrong".into(), message: "no".into(), remedy: "mend".into() })
        })
        .into();
    let parsed = Mapping::from_toml(&mapping).unwrap();
    let made = error_file(Format::Parquet, &bytes, (Some(&parsed), &refused)).unwrap();
    let text = String::from_utf8(made.bytes).unwrap();
    assert!(text.starts_with("meter,from,load,odd,_envora_row,"), "{text}");
    assert!(text.contains("\nm 2,2022-01-01T00:00:00,-2.000,0.5,2,wrong,no,mend,list_"), "{text}");
    assert!(text.contains("\n'=m,2022-01-01T00:00:00,,0.5,3,"), "{text}");
    assert!(text.contains(",tdnf\n"), "{text}");
    // Mended and sent as CSV through the same mapping, the rows have the ids they have in the file.
    let mended = text.replace("-2.000", "2.000").replace(",,0.5", ",1.250,0.5");
    let again = reader(Format::Csv, mended.as_bytes(), &mapping).unwrap();
    let again: Vec<ParsedRow> = again.map(Result::unwrap).collect();
    assert_eq!(problems(&again), []);
    let mended = good(&again);
    let texts: Vec<String> = mended.iter().map(|row| row.quantity.to_string()).collect();
    assert_eq!(texts, ["2.000", "1.250"]);
    let whole = vec![
        Values::Text(vec![Some("=m"), Some("m 2"), Some("=m"), Some("=m")]),
        Values::I64(vec![Some(MIDNIGHT); 4]),
        Values::I64(vec![Some(1_500), Some(2_000), Some(1_250), Some(7)]),
        Values::F64(vec![0.5; 4]),
    ];
    let whole = rows(&file(schema, plain(), &[whole]), &mapping);
    let ids: Vec<_> = good(&whole).iter().map(|row| row.external_id.clone()).collect();
    assert_eq!([&ids[1], &ids[2]], [&mended[0].external_id, &mended[1].external_id]);
}
