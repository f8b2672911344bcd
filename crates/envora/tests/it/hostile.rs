//! Files that are meant to harm: made here, each by a few words, so that none has to be kept.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A file and how it is sent.
pub(crate) struct Hostile {
    pub(crate) name: String,
    /// `imports` or `activities`.
    pub(crate) way: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) encoding: &'static str,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) const JSON: &str = "application/json";
pub(crate) const NDJSON: &str = "application/x-ndjson";
pub(crate) const CSV: &str = "text/csv";
pub(crate) const XML: &str = "application/xml";
pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
pub(crate) const PARQUET: &str = "application/vnd.apache.parquet";

/// The columns of a table whose header needs no mapping.
const FIELDS: [&str; 7] =
    ["external_id", "type", "quantity", "unit", "start", "end", "facility_code"];

/// What a good row says.
pub(crate) fn good(id: &str) -> [String; 7] {
    let fields = [id, "electricity.purchased", "1.5", "kW.h", "2022-01-01T00:00:00Z"];
    let [id, kind, quantity, unit, start] = fields.map(str::to_owned);
    [id, kind, quantity, unit, start, "2022-01-01T01:00:00Z".to_owned(), "b1".to_owned()]
}

/// Words that are none of what their field takes, or all too much of it.
fn words() -> Vec<(&'static str, String)> {
    let plain = [
        ("nan", "NaN"),
        ("infinite", "Infinity"),
        ("less than infinite", "-inf"),
        ("minus nothing", "-0"),
        ("huge", "1e400"),
        ("tiny", "1e-400"),
        ("an exponent without end", "1e999999999999"),
        ("hexadecimal", "0x1p4"),
        ("two points", "1.2.3"),
        ("other digits", "١٢٣"),
        ("the year 0", "0000-01-01T00:00:00Z"),
        ("the year 9999", "9999-12-31T23:59:59Z"),
        ("the year 10000", "10000-01-01T00:00:00Z"),
        ("before all years", "-0001-01-01T00:00:00Z"),
        ("no such day", "2022-02-30T00:00:00Z"),
        ("no such hour", "2022-01-01T25:61:61Z"),
        ("a zone beyond all", "2022-01-01T00:00:00+99:99"),
        ("zero", "a\0b"),
        ("turned around", "\u{202e}cod\u{2066}e\u{202c}"),
        ("no width", "b\u{200b}1\u{feff}"),
        ("many marks", "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}"),
        ("a private letter", "\u{f8ff}\u{10ffff}"),
        ("an escape", "\u{1b}[31mred\u{7}"),
        ("line ends", "a\r\nSet-Cookie: b\r\n\r\n"),
        ("a formula", "=cmd|'/C calc'!A0"),
        ("another formula", "@SUM(1+1)*cmd"),
        ("a plus", "+1+1"),
        ("a tab", "\t=1+1"),
        ("a template", "${jndi:ldap://x/y}{{7*7}}%s%n"),
        ("a query", "' OR 1=1; DROP TABLE activities;--"),
        ("markup", "<script>alert(1)</script>]]>&amp;"),
        ("a path", "../../../../etc/passwd"),
        ("nothing", ""),
        ("blanks", "   "),
    ];
    let mut all: Vec<_> = plain.map(|(name, text)| (name, text.to_owned())).to_vec();
    all.push(("many digits", "9".repeat(100_000)));
    all.push(("many decimals", format!("0.{}1", "0".repeat(100_000))));
    all.push(("a long text", "x".repeat(1 << 20)));
    all.push(("many words", "a ".repeat(100_000)));
    all
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn object(row: &[String; 7]) -> String {
    let pairs: Vec<String> =
        FIELDS.iter().zip(row).map(|(name, text)| format!("\"{name}\":{}", quoted(text))).collect();
    format!("{{{}}}", pairs.join(","))
}

fn cells(row: &[String; 7]) -> String {
    let cell = |text: &String| format!("\"{}\"", text.replace('"', "\"\""));
    row.iter().map(cell).collect::<Vec<_>>().join(",")
}

fn elements(row: &[String; 7]) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let all: Vec<String> = FIELDS
        .iter()
        .zip(row)
        .map(|(name, text)| format!("<{name}>{}</{name}>", escaped(text)))
        .collect();
    format!("<activity>{}</activity>", all.concat())
}

fn document(inside: &str) -> String {
    format!("<activities xmlns=\"urn:envora:activity:1\">{inside}</activities>")
}

fn table(rows: &str) -> String {
    format!("{}\n{rows}\n", FIELDS.join(","))
}

/// A row, or one whose field in this place says something else, in each format of text.
pub(crate) fn texts(row: &[String; 7]) -> [(&'static str, String); 4] {
    [
        (JSON, format!("{{\"activities\":[{}]}}", object(row))),
        (NDJSON, format!("{}\n", object(row))),
        (CSV, table(&cells(row))),
        (XML, document(&elements(row))),
    ]
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// An archive of these parts.
fn archive(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let how = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in parts {
        writer.start_file((*name).to_owned(), how).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A workbook of this sheet.
pub(crate) fn workbook(sheet: &str) -> Vec<u8> {
    archive(&[
        ("[Content_Types].xml", b"<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_vec()),
        ("_rels/.rels", b"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>".to_vec()),
        ("xl/workbook.xml", b"<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"s\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>".to_vec()),
        ("xl/_rels/workbook.xml.rels", b"<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>".to_vec()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes().to_vec()),
    ])
}

pub(crate) fn sheet(rows: &[Vec<String>]) -> String {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let row = |row: &Vec<String>| {
        let cells: String = row
            .iter()
            .map(|text| format!("<c t=\"inlineStr\"><is><t>{}</t></is></c>", escaped(text)))
            .collect();
        format!("<row>{cells}</row>")
    };
    let rows: String = rows.iter().map(row).collect();
    format!(
        "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData></worksheet>"
    )
}

fn header() -> Vec<String> {
    FIELDS.map(str::to_owned).to_vec()
}

/// Collects files, numbering the ids of their rows.
#[derive(Default)]
struct Corpus(Vec<Hostile>);

impl Corpus {
    fn id(&self) -> String {
        format!("h{:04}", self.0.len())
    }

    fn add(&mut self, name: impl Into<String>, kind: &'static str, bytes: impl Into<Vec<u8>>) {
        let way = if kind == JSON || kind == NDJSON { "activities" } else { "imports" };
        self.add_to((way, ""), name, kind, bytes);
    }

    fn add_to(
        &mut self,
        (way, encoding): (&'static str, &'static str),
        name: impl Into<String>,
        kind: &'static str,
        bytes: impl Into<Vec<u8>>,
    ) {
        let name = format!("{kind}: {}", name.into());
        self.0.push(Hostile { name, way, kind, encoding, bytes: bytes.into() });
    }
}

/// All of them. `parquet` is a good file of that format.
pub(crate) fn corpus(parquet: &[u8]) -> Vec<Hostile> {
    let mut corpus = Corpus::default();
    words_in_fields(&mut corpus);
    json(&mut corpus);
    csv(&mut corpus);
    xml(&mut corpus);
    xlsx(&mut corpus);
    columns(&mut corpus, parquet);
    packed(&mut corpus);
    corpus.0
}

fn words_in_fields(corpus: &mut Corpus) {
    for (turn, (name, text)) in words().into_iter().enumerate() {
        for format in 0..4 {
            // Each format has the word in two fields, other ones by turns.
            for place in [2, [0, 1, 3, 4, 5, 6][(turn + format) % 6]] {
                let mut row = good(&corpus.id());
                row[place].clone_from(&text);
                let (kind, file) = texts(&row)[format].clone();
                corpus.add(format!("{name} as {}", FIELDS[place]), kind, file);
            }
        }
    }
}

fn json(corpus: &mut Corpus) {
    for depth in [33, 1_000, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            corpus.add(format!("{depth} deep"), JSON, deep.clone());
            corpus.add_to(("imports", ""), format!("{depth} deep"), JSON, deep.clone());
            corpus.add(format!("{depth} deep"), NDJSON, format!("{deep}\n"));
            corpus.add(format!("{depth} open"), JSON, open.repeat(depth));
            let inside = format!("{{\"activities\":[{{\"note\":{deep}}}]}}");
            corpus.add(format!("{depth} deep in a row"), JSON, inside);
        }
    }
    let long =
        |bytes: usize| format!("{{\"activities\":[{{\"note\":\"{}\"}}]}}", "x".repeat(bytes));
    corpus.add("a string of 100 MB", JSON, long(100_000_000));
    corpus.add("a string of 15 MB", JSON, long(15_000_000));
    corpus.add_to(("imports", ""), "a string of 60 MB", JSON, long(60_000_000));
    corpus.add_to(("imports", ""), "a line of 60 MB", NDJSON, "x".repeat(60_000_000));
    let row = object(&good("shared"));
    for (name, text) in [
        ("a field twice", row.replacen('{', "{\"unit\":\"kg\",", 1)),
        ("a lone half of a letter", row.replace("b1", "\\ud800")),
        ("an escape of nothing", row.replace("b1", "\\x41")),
        ("a number that is none", row.replace("\"1.5\"", "NaN")),
        ("a number with zeros before it", row.replace("\"1.5\"", "0001.5")),
        ("a number of many digits", row.replace("\"1.5\"", &"1".repeat(100_000))),
        ("a list for a number", row.replace("\"1.5\"", "[1.5]")),
        ("nothing for a number", row.replace("\"1.5\"", "null")),
        ("a comma too many", row.replace('}', ",}")),
        ("another behind it", format!("{row}{row}")),
        ("cut off", row[..row.len() / 2].to_owned()),
    ] {
        corpus.add(name, JSON, format!("{{\"activities\":[{text}]}}"));
        corpus.add(name, NDJSON, format!("{text}\n"));
    }
    let many: String = (0..100_000).map(|key| format!("\"k{key}\":1,")).collect();
    corpus.add("many keys", JSON, format!("{{\"activities\":[{{{many}\"unit\":\"kg\"}}]}}"));
    let nulls = "null,".repeat(100_000);
    corpus.add("many of nothing", JSON, format!("{{\"activities\":[{nulls}null]}}"));
    corpus.add("no list", JSON, "{\"activities\":1}");
    corpus.add("nothing at all", JSON, "");
    corpus.add("not UTF-8", JSON, b"{\"activities\":[\"\xff\xfe\xc0\x80\"]}".to_vec());
    corpus.add(
        "UTF-16",
        JSON,
        "{\"activities\":[]}".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(),
    );
    corpus.add("many line ends", NDJSON, "\n".repeat(1_000_000));
}

fn csv(corpus: &mut Corpus) {
    let row = cells(&good("shared"));
    corpus.add("a quote that never ends", CSV, table(&format!("\"{}", "x,\n".repeat(300_000))));
    corpus.add(
        "many columns",
        CSV,
        format!("{}\n{}\n", "a,".repeat(100_000), "1,".repeat(100_000)),
    );
    corpus.add("many cells in a row", CSV, table(&format!("{row}{}", ",1".repeat(100_000))));
    corpus.add("a line without an end", CSV, "x".repeat(10 << 20));
    corpus.add("quotes alone", CSV, table(&"\"\"\"".repeat(100_000)));
    corpus.add("zeros alone", CSV, vec![0; 1 << 20]);
    corpus.add("a header twice", CSV, format!("{0},{0}\n{row},{row}\n", FIELDS.join(",")));
    corpus.add("no header", CSV, format!("{row}\n"));
    corpus.add("returns alone", CSV, table(&row).replace('\n', "\r"));
    corpus.add("not UTF-8", CSV, [table("").as_bytes(), b"\xff\xfe\x81\x8d\n"].concat());
    corpus.add("many empty lines", CSV, table(&",,,,,,\n".repeat(100_000)));
    corpus.add("a picture", CSV, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff".to_vec());
}

fn xml(corpus: &mut Corpus) {
    let row = good("shared");
    let plain = document(&elements(&row));
    let with = |head: &str, text: &str| {
        format!("<?xml version=\"1.0\"?>{head}{}", plain.replace(">b1<", &format!(">{text}<")))
    };
    let laughs: String = (1..30)
        .map(|level| format!("<!ENTITY l{level} \"{}\">", format!("&l{};", level - 1).repeat(10)))
        .collect();
    corpus.add(
        "billion laughs",
        XML,
        with(&format!("<!DOCTYPE a [<!ENTITY l0 \"ha\">{laughs}]>"), "&l29;"),
    );
    corpus.add(
        "a long entity, often",
        XML,
        with(
            &format!("<!DOCTYPE a [<!ENTITY e \"{}\">]>", "x".repeat(100_000)),
            &"&e;".repeat(10_000),
        ),
    );
    corpus.add(
        "a file of the machine",
        XML,
        with("<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>", "&e;"),
    );
    corpus.add(
        "a file of another",
        XML,
        with("<!DOCTYPE a [<!ENTITY e SYSTEM \"http://127.0.0.1:1/\">]>", "&e;"),
    );
    corpus.add(
        "a parameter",
        XML,
        with("<!DOCTYPE a [<!ENTITY % p SYSTEM \"file:///dev/zero\"> %p;]>", "b1"),
    );
    corpus.add(
        "a type elsewhere",
        XML,
        with("<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/a.dtd\">", "b1"),
    );
    corpus.add(
        "an entity that includes itself",
        XML,
        with("<!DOCTYPE a [<!ENTITY e \"&e;\">]>", "&e;"),
    );
    for (name, text) in [
        ("zero", "&#0;"),
        ("no letter", "&#x110000;"),
        ("half a letter", "&#xD800;"),
        ("unknown", "&nbsp;"),
        ("unended", "&#12"),
    ] {
        corpus.add(format!("a reference to {name}"), XML, with("", text));
    }
    let attributes: String = (0..100_000).map(|n| format!(" a{n}=\"1\"")).collect();
    corpus.add(
        "many attributes",
        XML,
        plain.replace("<activity>", &format!("<activity{attributes}>")),
    );
    let spaces: String = (0..50_000).map(|n| format!(" xmlns:n{n}=\"urn:{n}\"")).collect();
    corpus.add("many namespaces", XML, plain.replace("<activity>", &format!("<activity{spaces}>")));
    corpus.add(
        "the same attribute",
        XML,
        plain.replace("<activity>", "<activity a=\"1\" a=\"2\">"),
    );
    for depth in [1_000, 100_000] {
        corpus.add(
            format!("{depth} deep"),
            XML,
            document(&format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth))),
        );
        corpus.add(format!("{depth} open"), XML, document(&"<a>".repeat(depth)));
    }
    corpus.add("a long comment", XML, format!("<!--{}-->{plain}", "x".repeat(10 << 20)));
    corpus.add("a long name", XML, format!("<{}/>", "a".repeat(10 << 20)));
    corpus.add("a text without an end", XML, plain.replace(">b1<", "><![CDATA["));
    corpus.add(
        "another encoding",
        XML,
        format!("<?xml version=\"1.0\" encoding=\"UTF-7\"?>{plain}"),
    );
    corpus.add(
        "crossed elements",
        XML,
        plain.replace("</activity></activities>", "</activities></activity>"),
    );
    corpus.add("two roots", XML, format!("{plain}{plain}"));
}

fn xlsx(corpus: &mut Corpus) {
    let plain = sheet(&[header(), good("shared").to_vec()]);
    for (name, text) in [
        (
            "a document type",
            plain.replacen("<worksheet", "<!DOCTYPE a [<!ENTITY e \"x\">]><worksheet", 1),
        ),
        ("a cell beyond all", plain.replacen("<c ", "<c r=\"ZZZZZZ99999999999\" ", 1)),
        ("a row beyond all", plain.replacen("<row>", "<row r=\"18446744073709551615\">", 1)),
        ("the last cell there can be", plain.replacen("<c ", "<c r=\"XFD1048576\" ", 1)),
        (
            "a text that is not there",
            plain.replacen(
                "<c t=\"inlineStr\"><is><t>external_id</t></is></c>",
                "<c t=\"s\"><v>4294967295</v></c>",
                1,
            ),
        ),
        (
            "a number that is none",
            plain.replacen("<c t=\"inlineStr\"><is><t>1.5</t></is></c>", "<c><v>NaN</v></c>", 1),
        ),
        (
            "a huge number",
            plain.replacen("<c t=\"inlineStr\"><is><t>1.5</t></is></c>", "<c><v>1e400</v></c>", 1),
        ),
        ("a style that is not there", plain.replacen("<c ", "<c s=\"99999\" ", 1)),
        ("cut off", plain[..plain.len() / 2].to_owned()),
        ("deep", format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000))),
        (
            "a formula",
            plain.replacen(
                "<c t=\"inlineStr\"><is><t>1.5</t></is></c>",
                "<c><f>HYPERLINK(\"http://x\")</f></c>",
                1,
            ),
        ),
        (
            "much merged",
            plain.replace(
                "</sheetData>",
                &format!(
                    "</sheetData><mergeCells>{}</mergeCells>",
                    "<mergeCell ref=\"A1:XFD1048576\"/>".repeat(10_000)
                ),
            ),
        ),
        (
            "blanks without end",
            plain.replace("</sheetData>", &format!("</sheetData>{}", " ".repeat(64 << 20))),
        ),
    ] {
        corpus.add(name, XLSX, workbook(&text));
    }
    let whole = workbook(&plain);
    for name in
        ["../../../tmp/x", "/etc/passwd", "xl/worksheets/sheet1.xml/", "..\\..\\x", "a\0b", ""]
    {
        let mut parts: Vec<(&str, Vec<u8>)> = vec![(name, b"x".to_vec())];
        parts.push(("nested.zip", whole.clone()));
        corpus.add(format!("a part named {name:?}"), XLSX, archive(&parts));
    }
    let mut nested = gzip(&vec![0; 10 << 20]);
    for _ in 0..5 {
        nested = archive(&[("again.zip", nested)]);
    }
    corpus.add("archives in archives", XLSX, nested);
    let many: Vec<String> = (0..20_000).map(|part| format!("p{part}")).collect();
    let many: Vec<(&str, Vec<u8>)> = many.iter().map(|name| (name.as_str(), Vec::new())).collect();
    corpus.add("many parts", XLSX, archive(&many));
    for place in (0..whole.len()).step_by(whole.len() / 24) {
        let mut changed = whole.clone();
        changed[place] ^= 0xff;
        corpus.add(format!("byte {place} turned around"), XLSX, changed);
        corpus.add(format!("cut at byte {place}"), XLSX, &whole[..place]);
    }
}

fn columns(corpus: &mut Corpus, whole: &[u8]) {
    let end = whole.len();
    for length in [0, 1, 7, 1_000_000, u32::MAX] {
        let mut changed = whole.to_vec();
        changed[end - 8..end - 4].copy_from_slice(&length.to_le_bytes());
        corpus.add(format!("a footer of {length} bytes"), PARQUET, changed);
    }
    corpus.add("a beginning and an end", PARQUET, b"PAR1PAR1".to_vec());
    corpus.add("an encrypted footer", PARQUET, [&whole[..end - 4], b"PARE"].concat());
    for place in (4..end).step_by(end / 40) {
        for with in [0x00, 0x7f, 0xff] {
            let mut changed = whole.to_vec();
            changed[place] = with;
            corpus.add(format!("byte {place} is {with}"), PARQUET, changed);
        }
    }
    for place in (0..end).step_by(end / 10) {
        corpus.add(format!("cut at byte {place}"), PARQUET, &whole[..place]);
    }
}

/// How large what a bomb unpacks to is: a thousand times what is sent, and within what a file may have.
pub(crate) const BOMB: usize = 48 << 20;

fn packed(corpus: &mut Corpus) {
    let row = format!("{}\n", cells(&good("shared")));
    let file = table(&row);
    for (encoding, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd)] {
        let imports = ("imports", encoding);
        corpus.add_to(imports, "a bomb", CSV, pack(table(&" ".repeat(BOMB)).as_bytes()));
        corpus.add_to(
            imports,
            "a bomb of rows",
            CSV,
            pack(table(&row.repeat(BOMB / row.len())).as_bytes()),
        );
        corpus.add_to(imports, "a bomb above the limit", CSV, pack(&vec![b'x'; 200 << 20]));
        corpus.add_to(("activities", encoding), "a bomb", JSON, pack(&vec![b' '; 15 << 20]));
        corpus.add_to(imports, "a bomb in a bomb", CSV, pack(&pack(&vec![0; 200 << 20])));
        let whole = pack(file.as_bytes());
        corpus.add_to(imports, "cut off", CSV, &whole[..whole.len() - 3]);
        corpus.add_to(imports, "not packed at all", CSV, file.clone());
        corpus.add_to(imports, "something behind it", CSV, [&whole[..], b"and more"].concat());
        corpus.add_to(imports, "nothing", CSV, Vec::new());
        for place in 0..whole.len().min(24) {
            let mut changed = whole.clone();
            changed[place] ^= 0xff;
            corpus.add_to(imports, format!("byte {place} turned around"), CSV, changed);
        }
    }
    // A window of two GiB.
    corpus.add_to(
        ("imports", "zstd"),
        "a huge window",
        CSV,
        b"\x28\xb5\x2f\xfd\x00\xa8\x01\0\0".to_vec(),
    );
    for encoding in ["br", "deflate", "gzip, gzip", "compress"] {
        corpus.add_to(("imports", encoding), "not taken", CSV, file.clone());
    }
}
