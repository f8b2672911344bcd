//! Rows whose words are known are read in a short way. Whatever the bytes, it gives what the long way
//! gives, to the byte, or steps aside.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::Command;
use std::sync::Arc;

use envora_domain::planted;
use envora_ingest::formats::{Format, Opening, OriginHead, Reader, Tiers, open};
use envora_ingest::mapping::Mapping;
use envora_ingest::rows::ParsedRow;

/// How many mutated rows are read, of NDJSON and of JSON each.
const MUTANTS: usize = 20_000;

/// Mutated rows of one body.
pub(crate) const BATCH: usize = 40;

const SEEDS: [&str; 6] = [
    r#"{"external_id":"a1","type":"electricity.purchased","quantity":"12.50","unit":"kWh","start":"2022-01-01T00:00:00Z","end":"2022-01-01T01:00:00Z","facility_code":"b24","source_code":"m-1","tags":{"cost_centre":"47","floor":"2"}}"#,
    r#"{"quantity": 7.25, "unit": "L", "type": "fuel.combusted.stationary", "start_date": "2022-01-01", "end_date": "2022-01-31", "facility_code": "b2", "qualifiers": {"fuel": "diesel"}, "external_id": "f-1", "note": "from the tank's gauge", "time_zone": "Europe/London"}"#,
    r#"{"external_id":"v9","type":"electricity.purchased","quantity":-0,"unit":"MWh","occurred_at":"2022-06-01T12:00:00+02:00","entity_code":"e1","supplier_code":"s1","scope":2,"data_kind":"estimated","region":"GB","primary":true}"#,
    r#" { "type" : "water.supplied" , "quantity" : "3" , "unit" : "m3" , "start" : "2022-02-28T23:00:00-01:00" , "end" : "2022-03-02T00:00:00Z" , "source_code" : "w" , "tags" : { } } "#,
    r#"{"external_id":"s1","type":"spend.purchased","quantity":"-20.00","unit":"GBP","occurred_at":"2022-01-01T00:00:00Z","facility_id":"fac_00000000000000000000000000","item":"i","item_scheme":"cpc","price":{"year":2021}}"#,
    r#"{"external_id":"u1","type":"electricity.purchased","quantity":"1","unit":"quux","start":"2022-01-01T00:00:00Z","end":"2022-01-01T01:00:00Z","facility_code":"b24"}"#,
];

/// What a mutation puts somewhere.
const PIECES: [&str; 40] = [
    "\n",
    "\r\n",
    "\"",
    "\\",
    "\\u0041",
    "\\ud800",
    "\\n",
    "\0",
    "\u{1f}",
    "\u{7f}",
    "\u{85}",
    " ",
    "\t",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "é",
    "水",
    "0",
    "-",
    ".",
    "1e3",
    "+1",
    "12345678901234567",
    "123456789012345678901",
    "0.1234567890123456789012345678901234567",
    "99999999999999999999.999999999999999999",
    "\"scope\":3,",
    "\"unit\":\"kg\",",
    "\"unti\":1,",
    "\"void\":true,",
    "T24:00:00Z",
    ".5Z",
    "-00:00",
    "2022-02-30",
];

/// A sequence of numbers that is the same each time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((value ^ (value >> 31)) % limit.max(1) as u64).unwrap()
    }
}

/// A change to a row: of a byte, of a piece, of its members.
pub(crate) fn mutate(row: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.below(row.len() + 1);
    match dice.below(9) {
        0 => {
            if let Some(byte) = row.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
        1 => drop(row.splice(at..at, PIECES[dice.below(PIECES.len())].bytes())),
        2 => drop(row.splice(at..(at + dice.below(4)).min(row.len()), [])),
        3 => row.truncate(at),
        4 => {
            // Digits in the place of digits.
            if let Some(start) = (at..row.len()).find(|place| row[*place].is_ascii_digit()) {
                let piece = PIECES[23 + dice.below(9)];
                row.splice(start..=start, piece.bytes());
            }
        }
        _ => {
            let text = String::from_utf8_lossy(row).into_owned();
            let mut members: Vec<&str> = text.split(',').collect();
            let (one, other) = (dice.below(members.len()), dice.below(members.len()));
            match dice.below(4) {
                0 => members.swap(one, other),
                1 => members.insert(one, members[other]),
                2 => drop(members.remove(one)),
                _ => members[one] = members[other],
            }
            *row = members.join(if dice.below(4) == 0 { " ,\t" } else { "," }).into_bytes();
        }
    }
}

fn opening() -> Opening {
    let head = OriginHead::Request { request_id: "r".into(), body: [7; 32] };
    Opening {
        head,
        mapping: None,
        set: BTreeMap::new(),
        local_times: Default::default(),
        clocks: Default::default(),
    }
}

fn reader<'a>(format: Format, bytes: &'a [u8]) -> Option<Reader<'a>> {
    open(format, Box::new(bytes), &opening()).ok()
}

fn all(mut reader: Reader<'_>) -> (Vec<ParsedRow>, Tiers) {
    let rows = reader.by_ref().map(|row| row.unwrap()).collect();
    (rows, reader.tiers())
}

/// Both ways give the same rows, and rows that are looked at are those that are taken.
#[track_caller]
pub(crate) fn check(format: Format, bytes: &[u8]) -> (Vec<ParsedRow>, Tiers) {
    let Some(short) = reader(format, bytes) else {
        assert!(reader(format, bytes).is_none());
        return (Vec::new(), Tiers::default());
    };
    let (rows, tiers) = all(short);
    let (long, careful) = all(reader(format, bytes).unwrap().with_all_care());
    assert_eq!(careful.fast, 0);
    same(&rows, &long, bytes);
    let mut looked = Vec::new();
    reader(format, bytes).unwrap().each(|row| looked.push(row.clone())).unwrap();
    assert_eq!(looked, rows);
    (rows, tiers)
}

#[track_caller]
fn same(short: &[ParsedRow], long: &[ParsedRow], bytes: &[u8]) {
    assert_eq!(short.len(), long.len(), "{}", String::from_utf8_lossy(bytes));
    for (short, long) in short.iter().zip(long) {
        assert_eq!(short, long, "{}", String::from_utf8_lossy(bytes));
        let rows = [short, long].map(|row| row.activity.as_ref().ok());
        let [short, long] = rows.map(|row| row.map(|row| (row.canonical(), row.content_hash())));
        assert_eq!(short, long);
    }
}

/// Several rows of different words, each twice, so that those that follow may be read the short way.
fn known() -> Vec<Vec<u8>> {
    SEEDS.iter().chain(&SEEDS).map(|seed| seed.as_bytes().to_vec()).collect()
}

pub(crate) fn body(format: Format, rows: &[Vec<u8>]) -> Vec<u8> {
    match format {
        Format::Json => [&b"{\"activities\":["[..], &rows.join(&b","[..]), b"]}"].concat(),
        _ => rows.join(&b"\n"[..]),
    }
}

#[test]
fn mutated_rows_are_read_alike_in_both_ways() {
    let mut dice = Dice(20_260_301);
    let mut tiers = Tiers::default();
    for format in [Format::Ndjson, Format::Json] {
        let mut read = 0;
        while read < MUTANTS {
            let mut rows = known();
            for _ in 0..BATCH {
                let mut row = SEEDS[dice.below(SEEDS.len())].as_bytes().to_vec();
                for _ in 0..=dice.below(2) {
                    mutate(&mut row, &mut dice);
                }
                // What breaks the frame of a body breaks it for all rows: one in each is enough.
                let whole = serde_json::from_slice::<serde::de::IgnoredAny>(&row).is_ok();
                if format == Format::Ndjson || whole || dice.below(BATCH * 4) == 0 {
                    rows.push(row);
                }
            }
            rows.push(SEEDS[0].as_bytes().to_vec());
            tiers += check(format, &body(format, &rows)).1;
            read += BATCH;
        }
    }
    // A test in which all rows go one way proves nothing.
    assert!(tiers.fast > 4_000 && tiers.typed > 1_000 && tiers.explained > 10_000, "{tiers:?}");
}

#[test]
fn an_object_does_not_go_on_in_the_next_line() {
    for place in 0..=SEEDS[1].len() {
        for piece in ["\n", "\r\n", "\\", "\u{1}"] {
            let mut row = SEEDS[1].to_owned();
            row.insert_str(place, piece);
            let rows = [SEEDS[1], SEEDS[1], &row, SEEDS[1]].map(|row| row.as_bytes().to_vec());
            check(Format::Ndjson, &body(Format::Ndjson, &rows));
            check(Format::Json, &body(Format::Json, &rows));
        }
    }
}

/// Gives bytes in two parts.
struct Parts<'a>(Vec<&'a [u8]>);

impl Read for Parts<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.retain(|part| !part.is_empty());
        self.0.first_mut().map_or(Ok(0), |part| part.read(out))
    }
}

#[test]
fn rows_are_the_same_wherever_a_body_is_cut_in_transit() {
    let rows = [SEEDS[0], SEEDS[0], SEEDS[1], SEEDS[1], "{\"a\":1}", SEEDS[3], SEEDS[3]];
    let bytes = rows.join("\r\n").into_bytes();
    let (whole, tiers) = check(Format::Ndjson, &bytes);
    assert_eq!((whole.len(), tiers.fast), (7, 3));
    for cut in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(cut);
        let parts = Box::new(Parts(vec![head, tail]));
        let (rows, _) = all(open(Format::Ndjson, parts, &opening()).unwrap());
        assert_eq!(rows, whole, "cut at {cut}");
    }
}

/// Of two bodies that lie side by side the second completes the first: neither knows of the other.
#[test]
fn a_body_ends_where_it_ends() {
    let row = SEEDS[0].as_bytes();
    for cut in 0..=row.len() {
        let both = [row, b"\n", row].concat();
        let (first, second) = both.split_at(row.len() + 1 + cut);
        let (rows, _) = check(Format::Ndjson, first);
        let complete = rows.iter().filter(|row| row.activity.is_ok()).count();
        assert_eq!(complete, if cut == row.len() { 2 } else { 1 }, "cut at {cut}");
        let (rows, _) = check(Format::Ndjson, second);
        let complete = rows.iter().filter(|row| row.activity.is_ok()).count();
        assert_eq!(complete, usize::from(cut == 0), "cut at {cut}");
    }
}

#[test]
fn constants_of_a_request_are_added_alike_in_both_ways() {
    let rows = [SEEDS[0], SEEDS[1], SEEDS[3]];
    let rows: Vec<Vec<u8>> =
        rows.iter().flat_map(|row| [row, row]).map(|r| r.as_bytes().to_vec()).collect();
    let body = body(Format::Ndjson, &rows);
    for (field, value, fast) in
        [("scope", "2", 3), ("tags.run", "x", 0), ("facility_code", "z", 3), ("region", "GB", 3)]
    {
        let set = BTreeMap::from([(field.to_owned(), value.to_owned())]);
        let opening = Opening { set, ..opening() };
        let read = || open(Format::Ndjson, Box::new(&*body), &opening).unwrap();
        let ((short, tiers), (long, _)) = (all(read()), all(read().with_all_care()));
        same(&short, &long, &body);
        assert!(tiers.fast <= fast && (fast == 0 || tiers.fast > 0), "{field}: {tiers:?}");
    }
}

const MAPPING: &str = r#"
mapping = "cards"
format = "csv"
[file]
null = ["-", "N/A"]
footer = ["Summe"]
[const]
type = "fuel.combusted.mobile"
time_zone = "Europe/Berlin"
[[activity]]
key = "diesel"
when = { column = "Art", in = ["Diesel", "B7"] }
"qualifiers.fuel" = "diesel"
period = { start = "Zeit", format = "DD.MM.YYYY hh:mm", length = "PT1H" }
quantity = { column = "Menge", decimal = ",", group = "." }
unit = { column = "Einheit", map = { "Ltr." = "L" } }
facility_code = { column = "Depot" }
supplier_code = { column = "Lieferant" }
"tags.cost_centre" = { column = "KST" }
note = { column = "Text" }
zero_run_missing = "PT5H"
[rows]
skip_if = { column = "Art", equals = ["Storno"] }
"#;

/// Cells of each column, good and bad.
const CELLS: [&[&str]; 8] = [
    &["Diesel", "B7", "Diesel", "Diesel", "Benzin", "Storno", "Summe", "total", ""],
    &[
        "01.03.2022 10:00",
        "02.03.2022 11:30",
        "30.10.2022 02:30",
        "27.03.2022 02:30",
        "31.02.2022 10:00",
        "x",
        "",
    ],
    &[
        "1.234,50",
        "12",
        "0",
        "0,00",
        "-3,5",
        "1.23,4",
        "N/A",
        "",
        "7,125",
        "99999999999999999999999",
    ],
    &["Ltr.", "L", "Ltr.", "kWh", "quux", "-", ""],
    &["d1", "d2", "d 3", "", "-", "dépôt", "fac_00000000000000000000000000"],
    &["s1", "", "sup_00000000000000000000000000", "s;1"],
    &["47", "", "48", "a\tb", "\"quoted, 1\""],
    &["", "ok", "two words", "\"two\nlines\"", "\"say \"\"so\"\"\"", " blank "],
];

#[test]
fn records_of_a_table_are_read_alike_in_both_ways() {
    let mapping = Arc::new(Mapping::from_toml(MAPPING).unwrap());
    let mut dice = Dice(7);
    let mut tiers = Tiers::default();
    for _ in 0..60 {
        let mut text = String::from("Art;Zeit;Menge;Einheit;Depot;Lieferant;KST;Text\n");
        for _ in 0..120 {
            let cells = CELLS.map(|cells| {
                // The first are the usual ones.
                let usual = dice.below(12) > 0;
                cells[dice.below(if usual { 2 } else { cells.len() })]
            });
            let ending =
                [";", "\n", "\r\n", ";x\n"][if dice.below(20) == 0 { dice.below(4) } else { 1 }];
            text += &(cells.join(";") + ending);
        }
        let opening = Opening { mapping: Some(Arc::clone(&mapping)), ..opening() };
        let read = || open(Format::Csv, Box::new(text.as_bytes()), &opening).unwrap();
        let ((short, ways), (long, _)) = (all(read()), all(read().with_all_care()));
        same(&short, &long, text.as_bytes());
        let unnamed = [read().without_derived_ids(), read().without_derived_ids().with_all_care()];
        let [short, long] = unnamed.map(|reader| all(reader).0);
        same(&short, &long, text.as_bytes());
        tiers += ways;
    }
    assert!(tiers.fast > 2_000 && tiers.typed > 100 && tiers.explained > 500, "{tiers:?}");
}

/// The suite proves that it can fail: each bug is armed in a process of its own.
#[test]
fn readers_that_go_too_far_are_caught() {
    let caught: [(&str, fn()); 2] = [
        ("newline_in_object", an_object_does_not_go_on_in_the_next_line),
        ("reads_past_end", a_body_ends_where_it_ends),
    ];
    for (bug, suite) in caught {
        if std::env::args().any(|argument| argument == bug) {
            planted::arm(bug);
            return suite();
        }
    }
    for (bug, _) in caught {
        let run = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tiers::readers_that_go_too_far_are_caught", bug])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&run.stdout);
        assert!(text.contains("running 1 test"), "the armed run found its test: {text}");
        assert!(!run.status.success(), "{bug} passed the suite");
    }
}
