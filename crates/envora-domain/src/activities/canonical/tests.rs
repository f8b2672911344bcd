use proptest::prelude::*;

use super::*;
use crate::hash::hex;
use crate::id::{FacilityId, ImportId};

fn origin() -> Origin {
    Origin::File {
        import: ImportId::from_bytes([1; 16]),
        file: Digest([2; 32]),
        row: 1,
        line: 2,
        offset: 30,
        length: 26,
        mapping: Some(Digest([3; 32])),
        parser: "csv/1".into(),
    }
}

fn amount(quantity: &str, unit: &str) -> Input {
    Input { quantity: Decimal::parse(quantity).expect("a decimal"), unit: unit.to_owned() }
}

fn hour() -> Period {
    let start = Timestamp::parse("2022-01-01T00:00:00Z").expect("an instant");
    Period::Between(start, Timestamp::from_micros(start.as_micros() + 3_600_000_000))
}

fn full() -> Activity {
    let mut activity =
        Activity::new("electricity.purchased", amount("372.40", "kW.h"), hour(), origin());
    activity.external_id = Some("d1_0".to_owned());
    activity.inputs =
        BTreeMap::from([("years".into(), amount("1", "a")), ("d".into(), amount("2.50", "km"))]);
    activity.time_zone = Some("Europe/London".to_owned());
    activity.facility = Some(Ref::Id(FacilityId::from_bytes([7; 16])));
    activity.source = Some(Ref::Code("b24-electricity".to_owned()));
    activity.supplier = Some("S1".to_owned());
    activity.entity = Some("E1".to_owned());
    activity.scope = Some(3);
    activity.category = Some(6);
    activity.item = Some("I".to_owned());
    activity.item_scheme = Some("cpc".to_owned());
    activity.region = Some("GB".to_owned());
    activity.grid = Some("eic:X".to_owned());
    activity.price = Some(Price {
        year: 2021,
        basis: Some("basic".to_owned()),
        tax_included: Some(false),
        margins_included: Some(true),
    });
    activity.reading = Some(Reading {
        start: Decimal::parse("10").expect("a decimal"),
        end: Decimal::parse("382.40").expect("a decimal"),
        multiplier: Decimal::parse("1.0").ok(),
        register: Some("T1".to_owned()),
        rollover_at: Decimal::parse("99999").ok(),
    });
    activity.instruments = vec!["cert_1".to_owned()];
    activity.data_kind = Some("measured".to_owned());
    activity.primary = Some(true);
    activity.uncertainty_pct = Decimal::parse("2.0").ok();
    activity.quality = BTreeMap::from([("time".to_owned(), 5), ("geography".to_owned(), 3)]);
    activity.evidence = vec!["ev_1".to_owned()];
    activity.supersedes = Some("ext:old".to_owned());
    activity.supersede_reason = Some("typo".to_owned());
    activity.void = true;
    activity.qualifiers = BTreeMap::from([("fuel".to_owned(), "diesel".to_owned())]);
    activity.tags = BTreeMap::from([("zz".into(), "1".into()), ("aaa".into(), "2".into())]);
    activity.note = Some("a note".to_owned());
    activity.flags = [Flag::ZeroRun, Flag::FloatArtifact].into_iter().collect();
    activity
}

#[test]
fn a_period_is_told_without_reading_the_row() {
    let mut activity = full();
    let wall = |micros| WallClock::from_micros(micros);
    for period in [
        hour(),
        Period::Instant(Timestamp::from_micros(-1)),
        Period::Days { first: Day::from_number(-400), last: Day::from_number(70_000) },
        Period::WallClock { start: wall(0), end: wall(86_400_000_000) },
    ] {
        activity.period = period;
        let row = activity.canonical();
        assert_eq!(period_of(&row), Some(period));
        // Cut off anywhere, nothing is told that is not so.
        for length in 0..row.len() {
            assert_eq!(period_of(row.get(..length).expect("shorter")), None);
        }
    }
    assert_eq!(period_of(&[0, 0, 0, 5, 0xbf, 0xff, 0xff, 0xff, 0xff]), None);
}

#[test]
fn what_is_noted_of_local_times_is_kept_and_is_no_content() {
    let wall = |micros| WallClock::from_micros(micros);
    for mut activity in [full(), plain()] {
        activity.period = Period::WallClock { start: wall(0), end: wall(1_800_000_000) };
        let (bare, content) = (activity.canonical(), activity.content_hash());
        for number in 1..64 {
            activity.local = Local::from_number(number).expect("a note");
            let row = activity.canonical();
            assert!(row != bare && activity.content_hash() == content);
            assert_eq!(Activity::decode(&row), Ok((activity.clone(), row.len())));
            assert_eq!(Decoder::default().decode(&row), Ok((activity.clone(), row.len())));
        }
    }
}

#[test]
fn a_row_survives_its_bytes() {
    for activity in [
        full(),
        Activity::new("water.supplied", amount("-0", "m3"), hour(), origin()),
        Activity::new(
            "fuel.combusted.stationary",
            amount("1", "L"),
            Period::Days { first: Day::from_number(18993), last: Day::from_number(19023) },
            Origin::Request {
                request_id: "req-1".into(),
                body: [9; 32],
                row: 70_000,
                offset: 1 << 40,
                length: 12,
                parser: "json/1".into(),
            },
        ),
    ] {
        let mut bytes = activity.canonical();
        let length = bytes.len();
        bytes.extend_from_slice(b"rest");
        assert_eq!(Activity::decode(&bytes), Ok((activity, length)));
    }
}

#[test]
fn the_hand_written_writer_is_deterministic_cbor() {
    // `Value::decode` refuses keys out of order and long integers; encoding again must give the same.
    let row = full().canonical();
    let value = Value::decode(&row[4..]).expect("deterministic");
    assert_eq!(value.encode(), row[4..]);
}

/// A row, byte for byte.
const VECTOR: &str = "000000b3a60275656c6563747269636974792e70757263686173656403673337322e34303004646b572e680683011b0005d479f7f960001b0005d47ace8d0400096f6232342d656c65637472696369747918288a005001010101010101010101010101010101582002020202020202020202020202020202020202020202020202020202020202020102181e181a58200303030303030303030303030303030303030303030303030303030303030303656373762f3180";

#[test]
fn the_bytes_of_a_row_are_these() {
    let mut activity =
        Activity::new("electricity.purchased", amount("372.400", "kW.h"), hour(), origin());
    activity.source = Some(Ref::Code("b24-electricity".to_owned()));
    let row = activity.canonical();
    assert_eq!(hex(&row), VECTOR);
    let mut stripped = activity.clone();
    stripped.quantity = Decimal::parse("372.4").expect("a decimal");
    assert_ne!(stripped.canonical(), row);
    assert_eq!(stripped.content_hash(), activity.content_hash());
}

#[test]
fn origin_and_flags_are_no_content() {
    let activity = full();
    for flag in Flag::ALL {
        let mut flagged = activity.clone();
        flagged.flags = [*flag].into_iter().collect();
        assert!(has_flags(&flagged.canonical()), "{flag}");
        flagged.flags = Flags::default();
        assert!(!has_flags(&flagged.canonical()));
    }
    let mut moved = activity.clone();
    moved.flags = Flags::default();
    moved.origin = Origin::Request {
        request_id: "r".into(),
        body: [0; 32],
        row: 1,
        offset: 0,
        length: 1,
        parser: "json/1".into(),
    };
    assert_eq!(moved.content_hash(), activity.content_hash());
    moved.note = None;
    assert_ne!(moved.content_hash(), activity.content_hash());
}

#[test]
fn bent_rows_are_refused() {
    let row = full().canonical();
    for end in 0..row.len() {
        assert_eq!(Activity::decode(&row[..end]), Err(RowDecodeError::Truncated), "{end}");
    }
    assert_eq!(rows(&row[..row.len() - 1]), Err(RowDecodeError::Truncated));
    // A map with key 41 alone.
    assert_eq!(Activity::decode(&[0, 0, 0, 4, 0xa1, 0x18, 41, 0]), Err(RowDecodeError::UnknownKey));
    assert_eq!(Activity::decode(&[0, 0, 0, 1, 0xa0]), Err(RowDecodeError::Key(40)));
}

#[test]
fn the_root_is_the_tree_over_runs_of_rows() {
    let row = full().canonical();
    let many: Vec<Vec<u8>> = (0..513).map(|_| row.clone()).collect();
    let leaves = run_leaves(&many);
    assert_eq!(leaves.len(), 3);
    assert_eq!(leaves[0], leaf_hash(&row.repeat(256)));
    assert_eq!(leaves[2], leaf_hash(&row));
    assert_eq!(rows_root(&many), tree_root(&leaves));
    let stream = many.concat();
    let split = rows(&stream).expect("rows");
    assert_eq!(rows_root(&split), rows_root(&many));
    assert_eq!(rows_root::<&[u8]>(&[]), Digest::of(&[]));
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut framed = u32::try_from(bytes.len()).expect("short").to_be_bytes().to_vec();
        framed.extend_from_slice(&bytes);
        if let Ok((activity, length)) = Activity::decode(&framed) {
            prop_assert_eq!(length, framed.len());
            prop_assert_eq!(activity.canonical(), framed);
        }
    }

    #[test]
    fn a_flipped_byte_never_panics(place in 0_usize..400, flip in 1_u8..) {
        let mut row = full().canonical();
        if let Some(byte) = row.get_mut(place) {
            *byte ^= flip;
        }
        if let Ok((activity, length)) = Activity::decode(&row) {
            prop_assert!(activity.canonical().len() <= row.len() && length <= row.len());
        }
    }
}

/// A row without what only the general reader reads.
fn plain() -> Activity {
    let full = full();
    let (price, reading, uncertainty_pct) = (None, None, None);
    let (inputs, quality) = (BTreeMap::new(), BTreeMap::new());
    let (instruments, evidence) = (Vec::new(), Vec::new());
    let common = (*full.common).clone();
    let common =
        Common { price, reading, uncertainty_pct, quality, instruments, evidence, ..common };
    Activity { inputs, common: Arc::new(common), ..full }
}

#[test]
fn a_plain_row_is_read_in_one_pass() {
    let bytes = plain().canonical();
    assert_eq!(plain::decode(&bytes[4..]), Some(plain()));
    assert_eq!(plain::decode(&full().canonical()[4..]), None, "a price is the general reader's");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    /// Whatever the bytes are, what the plain reader takes the general one reads alike.
    #[test]
    fn the_plain_reader_is_as_strict_as_the_general_one(
        changes in prop::collection::vec((0_usize..400, any::<u8>(), 0_u8..4), 0..4),
        words in prop::collection::btree_map("[a-z]{0,30}", "[a-z]{0,30}", 0..4),
        (mantissa, scale) in (any::<i64>(), 0_u8..=18),
    ) {
        let mut row = plain();
        (row.tags, row.qualifiers) = (words.clone(), words);
        row.quantity = Decimal::new(i128::from(mantissa), scale).expect("a decimal");
        let mut map = row.canonical().split_off(4);
        for (place, byte, how) in changes {
            let place = place % map.len();
            match how {
                0 => map[place] = byte,
                1 => map.insert(place, byte),
                2 => { map.remove(place); }
                _ => map[place] ^= 1 << (byte & 7),
            }
        }
        if let Some(read) = plain::decode(&map) {
            prop_assert_eq!(decode_any(&map), Ok(read));
        }
    }
}
