//! Rows as files: NDJSON, JSON, CSV, XML, Parquet.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::rows::{Row, WORKS, facility_code, facility_of, source_code};

/// The formats that files are made in.
pub(crate) const FORMATS: [&str; 4] = ["ndjson", "csv", "xml", "parquet"];
/// The columns of a table.
const COLUMNS: [&str; 14] = [
    "external_id",
    "type",
    "quantity",
    "unit",
    "start",
    "end",
    "facility_code",
    "source_code",
    "qualifiers.fuel",
    "qualifiers.gas",
    "qualifiers.laden",
    "qualifiers.vehicle_class",
    "tags.region",
    "tags.meter",
];
/// Rows of a group of a Parquet file.
const GROUP_ROWS: usize = 100_000;

/// A row's cells, in the order of [`COLUMNS`]; what it does not say is empty.
fn cells(row: &Row) -> [String; 14] {
    let (start, end) = row.period();
    let qualifiers = WORKS.get(row.work).map_or(&[][..], |work| work.qualifiers);
    let qualifier = |name: &str| {
        let found = qualifiers.iter().find(|(known, _)| *known == name);
        found.map(|(_, word)| (*word).to_owned()).unwrap_or_default()
    };
    [
        format!("m-{:016x}", row.id),
        WORKS.get(row.work).map_or("", |work| work.kind).to_owned(),
        row.quantity_text(),
        row.unit().to_owned(),
        start,
        end,
        facility_code(facility_of(row.source)),
        source_code(row.source),
        qualifier("fuel"),
        qualifier("gas"),
        qualifier("laden"),
        qualifier("vehicle_class"),
        row.region.map(|region| format!("r-{region:02}")).unwrap_or_default(),
        row.region.map(|_| "main".to_owned()).unwrap_or_default(),
    ]
}

/// A line of NDJSON, with its end.
pub(crate) fn ndjson(row: &Row, to: &mut Vec<u8>) {
    json(row, to);
    to.push(b'\n');
}

/// A row as an object of JSON.
pub(crate) fn json(row: &Row, to: &mut Vec<u8>) {
    let cells = cells(row);
    let mut members: Vec<(&str, String)> = Vec::with_capacity(10);
    for (name, cell) in COLUMNS.iter().zip(&cells).take(8) {
        members.push((name, format!("\"{cell}\"")));
    }
    for group in ["qualifiers", "tags"] {
        let inner: Vec<String> = COLUMNS
            .iter()
            .zip(&cells)
            .filter(|(_, cell)| !cell.is_empty())
            .filter_map(|(name, cell)| Some((name.strip_prefix(group)?.strip_prefix('.')?, cell)))
            .map(|(name, cell)| format!("\"{name}\":\"{cell}\""))
            .collect();
        if !inner.is_empty() {
            members.push((group, format!("{{{}}}", inner.join(","))));
        }
    }
    let (colon, comma) = if row.is_odd { (": ", ", ") } else { (":", ",") };
    if row.is_odd {
        members.reverse();
    }
    to.push(b'{');
    for (place, (name, value)) in members.iter().enumerate() {
        let before = if place == 0 { "" } else { comma };
        for part in [before, "\"", name, "\"", colon, value] {
            to.extend_from_slice(part.as_bytes());
        }
    }
    to.push(b'}');
}

fn xml(row: &Row, to: &mut Vec<u8>) {
    let mut put = |text: &str| to.extend_from_slice(text.as_bytes());
    let cells = cells(row);
    put("  <activity>");
    let mut group = "";
    for (name, cell) in COLUMNS.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty()) {
        let (outer, inner) = name.split_once('.').unwrap_or(("", name));
        if outer != group {
            if !group.is_empty() {
                put(&format!("</{group}>"));
            }
            if !outer.is_empty() {
                put(&format!("<{outer}>"));
            }
            group = outer;
        }
        put(&format!("<{inner}>{cell}</{inner}>"));
    }
    if !group.is_empty() {
        put(&format!("</{group}>"));
    }
    put("</activity>\n");
}

/// Writes rows as a file of one of [`FORMATS`], or of `json`.
///
/// # Errors
/// The disk's; a format that is not known.
pub(crate) fn write(
    rows: impl Iterator<Item = Row>,
    format: &str,
    to: &mut (dyn Write + Send),
) -> anyhow::Result<()> {
    let (head, tail): (&str, &str) = match format {
        "ndjson" => ("", ""),
        "json" => ("{\"mode\":\"partial\",\"activities\":[", "]}\n"),
        "csv" => (&format!("{}\n", COLUMNS.join(",")), ""),
        "xml" => ("<activities xmlns=\"urn:envora:activity:1\">\n", "</activities>\n"),
        "parquet" => return columns(rows, to),
        other => anyhow::bail!("{other} is no format: {} are", FORMATS.join(", ")),
    };
    to.write_all(head.as_bytes())?;
    let mut line = Vec::with_capacity(512);
    for (place, row) in rows.enumerate() {
        match format {
            "ndjson" => ndjson(&row, &mut line),
            "json" => {
                line.extend_from_slice(if place == 0 { b"" } else { b",\n" });
                json(&row, &mut line);
            }
            "csv" => line.extend_from_slice(format!("{}\n", cells(&row).join(",")).as_bytes()),
            _ => xml(&row, &mut line),
        }
        to.write_all(&line)?;
        line.clear();
    }
    to.write_all(tail.as_bytes())?;
    Ok(())
}

/// Columns of texts with dictionaries, not packed: the same bytes whatever compressors are built in.
fn columns(mut rows: impl Iterator<Item = Row>, to: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let fields: String =
        COLUMNS.iter().map(|name| format!("optional binary {name} (STRING);\n")).collect();
    let schema = Arc::new(parse_message_type(&format!("message rows {{ {fields} }}"))?);
    let how = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by("envora bench".to_owned())
        .build();
    let mut writer = SerializedFileWriter::new(Through(to), schema, Arc::new(how))?;
    loop {
        let group: Vec<[String; 14]> =
            rows.by_ref().take(GROUP_ROWS).map(|row| cells(&row)).collect();
        if group.is_empty() {
            break;
        }
        let mut own = writer.next_row_group()?;
        let mut place = 0;
        while let Some(mut column) = own.next_column()? {
            let all = || group.iter().filter_map(|cells| cells.get(place));
            let levels: Vec<i16> = all().map(|cell| i16::from(!cell.is_empty())).collect();
            let values: Vec<ByteArray> = all()
                .filter(|cell| !cell.is_empty())
                .map(|cell| ByteArray::from(cell.as_str()))
                .collect();
            column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), None)?;
            column.close()?;
            place += 1;
        }
        own.close()?;
    }
    writer.close()?;
    Ok(())
}

/// A writer that is lent.
struct Through<'a>(&'a mut (dyn Write + Send));

impl Write for Through<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
