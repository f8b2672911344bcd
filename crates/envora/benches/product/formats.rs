//! How fast rows of each format are read and validated, in this process, on one thread, by the time that it
//! has a processor: neighbours do not take from that.

use std::collections::BTreeMap;
use std::io::Cursor;

use anyhow::{Result, bail};
use bytes::Bytes;
use envora_ingest::formats::{Format, Opening, OriginHead, open};
use serde_json::{Map, json};

use crate::machine::{at, own_thread};
use crate::report::{Line, Report, Sense};
use crate::rows::Rows;
use crate::write;

/// Rows of each file.
const ROWS_MAX: u64 = 100_000;
/// Each format with its floor: what the design has for one core.
const FORMATS: [(&str, Format, f64); 5] = [
    ("ndjson", Format::Ndjson, 4.5e6),
    ("json", Format::Json, 4e6),
    ("csv", Format::Csv, 2.5e6),
    ("xml", Format::Xml, 0.8e6),
    ("parquet", Format::Parquet, 5e6),
];
/// How often each file is read; the median counts.
const TIMES: usize = 5;

/// Reads files of each format.
pub(crate) fn formats(report: &mut Report, rows: u64) -> Result<()> {
    let rows = Rows::clean(rows.min(ROWS_MAX));
    let mut found = Map::new();
    for (name, format, aim) in FORMATS {
        let mut file = Vec::new();
        write::write(rows.all(), name, &mut file)?;
        let bytes = Bytes::from(file);
        let mut took = Vec::new();
        for _ in 0..TIMES {
            let begun = own_thread();
            let read = read(&bytes, format)?;
            took.push(own_thread().saturating_sub(begun));
            if read != rows.count {
                bail!("{name}: {read} of {} rows are read", rows.count);
            }
        }
        took.sort_unstable();
        let median = at(&took, 500);
        #[expect(clippy::cast_precision_loss, reason = "counts of rows are small")]
        let rate = rows.count as f64 / median.as_secs_f64();
        found.insert(
            name.to_owned(),
            json!({
                "rows_per_second": rate.round(),
                "ns_per_row": median.as_nanos() / u128::from(rows.count),
                "bytes_per_row": bytes.len() as u64 / rows.count,
            }),
        );
        let what = format!("{name}: read and validated, one core");
        report.lines.push(Line::new(what, (rate, "rows/s"), (Sense::AtLeast, aim, aim)));
    }
    report.part("formats", found.into());
    Ok(())
}

fn read(bytes: &Bytes, format: Format) -> Result<u64> {
    let head = OriginHead::Request { request_id: "bench".into(), body: [7; 32] };
    let opening = Opening {
        head,
        mapping: None,
        set: BTreeMap::new(),
        local_times: Default::default(),
        clocks: Default::default(),
    };
    let opened = open(format, Box::new(Cursor::new(bytes.clone())), &opening);
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(error) => bail!("a file of the bench is refused: {error}"),
    };
    let mut accepted = 0;
    reader.each(|row| accepted += u64::from(row.activity.is_ok()))?;
    Ok(accepted)
}
