use proptest::prelude::*;

use super::*;

/// Gives so many bytes at a time, so that every place is once the end of a chunk.
struct Drip<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.step.min(self.bytes.len()).min(buffer.len());
        let (now, later) = self.bytes.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.bytes = later;
        Ok(count)
    }
}

type Seen = (Vec<String>, u64, u64, u64, Option<Fault>);

fn all(text: &[u8], step: usize) -> Vec<Seen> {
    let mut records = Records::new(Drip { bytes: text, step }, Dialect::default());
    let mut seen = Vec::new();
    while let Some(record) = records.read().expect("memory never fails") {
        let cells = (0..record.len())
            .map(|place| String::from_utf8_lossy(record.cell(place).expect("a cell")).into_owned())
            .collect();
        if record.fault != Some(Fault::TooLong) {
            let start = usize::try_from(record.offset).expect("small");
            let length = usize::try_from(record.length).expect("small");
            assert_eq!(record.raw, &text[start..start + length]);
        }
        seen.push((cells, record.offset, record.length, record.line, record.fault));
    }
    seen
}

#[track_caller]
fn check(text: &str, want: &[(&[&str], u64, u64, u64)]) {
    let want: Vec<Seen> = want
        .iter()
        .map(|(cells, offset, length, line)| {
            (cells.iter().map(|cell| (*cell).to_owned()).collect(), *offset, *length, *line, None)
        })
        .collect();
    for step in [1, 2, 3, 7, 100_000] {
        assert_eq!(all(text.as_bytes(), step), want, "{text:?} by {step}");
    }
}

#[test]
fn records_know_their_bytes_and_lines() {
    check("a,b\n1,2\n", &[(&["a", "b"], 0, 3, 1), (&["1", "2"], 4, 3, 2)]);
    check("a,b\r\n1,2", &[(&["a", "b"], 0, 3, 1), (&["1", "2"], 5, 3, 2)]);
    check("a\rb\r\n\r\nc\n\n", &[(&["a"], 0, 1, 1), (&["b"], 2, 1, 2), (&["c"], 7, 1, 4)]);
    check("a,\n,\n", &[(&["a", ""], 0, 2, 1), (&["", ""], 3, 1, 2)]);
    check("", &[]);
    check("\n  \n", &[]);
}

#[test]
fn quoted_cells_may_hold_signs_and_lines() {
    check(
        "\"a,\"\"1\"\"\",\"x\ny\"\r\nnext,2\r\n",
        &[(&["a,\"1\"", "x\ny"], 0, 15, 1), (&["next", "2"], 17, 6, 3)],
    );
    check("5\" pipe,1\nb,2\n", &[(&["5\" pipe", "1"], 0, 9, 1), (&["b", "2"], 10, 3, 2)]);
    check("\"last\",2", &[(&["last", "2"], 0, 8, 1)]);
    check("\"a\"\r\n\"b\"\r\n", &[(&["a"], 0, 3, 1), (&["b"], 5, 3, 2)]);
}

#[test]
fn a_quote_that_never_closes_costs_its_own_line() {
    let seen = all(b"a,\"open\nb,2\nc,\"3\"\n", 5);
    // The quote closes in the third line by accident of its own quotes; what it opened is no record.
    assert_eq!(seen.len(), 1, "{seen:?}");
    let seen = all(b"a,\"open\nb,2\nc,3\n", 5);
    assert_eq!(seen[0].4, Some(Fault::Unclosed));
    assert_eq!(seen[1], (vec!["b".to_owned(), "2".to_owned()], 8, 3, 2, None));
    assert_eq!(seen[2].3, 3);
}

#[test]
fn a_line_above_the_limit_is_stepped_over() {
    let mut text = b"a,b\n".to_vec();
    text.extend(vec![b'x'; LINE_BYTES_MAX + 5]);
    text.extend(b"\r\nc,d\n");
    let seen = all(&text, 100_000);
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[1].4, Some(Fault::TooLong));
    assert_eq!((seen[1].1, seen[1].2, seen[1].3), (4, LINE_BYTES_MAX as u64 + 5, 2));
    assert_eq!((seen[2].0.join("|"), seen[2].3), ("c|d".to_owned(), 3));
    let unended = vec![b'x'; LINE_BYTES_MAX + 5];
    assert_eq!(all(&unended, 100_000)[0].4, Some(Fault::TooLong));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Where the chunks of the input end makes no difference, and nothing panics.
    #[test]
    fn chunks_make_no_difference(text in "[a\"\r\n,; é]{0,60}", step in 1_usize..9) {
        prop_assert_eq!(all(text.as_bytes(), step), all(text.as_bytes(), 1000));
    }

    /// Well-formed files are read as the reference writer meant them.
    #[test]
    fn what_was_written_is_read(
        rows in prop::collection::vec(prop::collection::vec("[a\" ,\n\r]{0,6}", 2..5), 1..8)
    ) {
        let written: String = rows
            .iter()
            .map(|cells| {
                let cells: Vec<String> =
                    cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
                cells.join(",") + "\n"
            })
            .collect();
        let read: Vec<Vec<String>> =
            all(written.as_bytes(), 11).into_iter().map(|seen| seen.0).collect();
        prop_assert_eq!(read, rows);
    }
}
