//! The lines of a trace, and one of them followed down to bytes and proof: what the trace of a figure
//! and the page of an activity have in common.

use envora_api::traces::{AsSent, TraceLine, TracedFactor, TracedLeaf, TracedOrigin};
use envora_domain::decimal::group_thousands;
use envora_domain::time::Timestamp;
use envora_ingest::words::besides;

use super::charts::{self, Caption, Side};
use super::words;

/// A line in the list.
pub(super) struct LineRow {
    pub(super) place: usize,
    pub(super) when: String,
    pub(super) source: String,
    pub(super) as_sent: String,
    pub(super) books: String,
    pub(super) co2e: String,
    /// Which part of its days is meant, where that is not all of them.
    pub(super) part: String,
    pub(super) href: String,
    pub(super) current: bool,
}

/// A line told in full.
pub(super) struct Followed {
    pub(super) factor: TracedFactor,
    /// The printed properties in its amount.
    pub(super) properties: Vec<TracedFactor>,
    pub(super) gwp: String,
    pub(super) why: String,
    pub(super) slot: String,
    pub(super) method: String,
    pub(super) tier: u8,
    pub(super) flags: String,
    pub(super) passed_over: Vec<String>,
    pub(super) units: String,
    pub(super) exact: Vec<String>,
    pub(super) co2e: String,
    /// Which part of its days is meant, and what the whole line comes to.
    pub(super) part: Option<(String, String)>,
    /// What was sent besides type, amount, time and place.
    pub(super) sent: Vec<(String, String)>,
    pub(super) origin: Origin,
    pub(super) activity: String,
    pub(super) activity_href: String,
    pub(super) segment: Segment,
    pub(super) leaf: Leaf,
}

/// Where its row came from.
pub(super) struct Origin {
    pub(super) sentence: String,
    pub(super) text: Option<String>,
    pub(super) file_term: &'static str,
    pub(super) file: String,
    pub(super) line: String,
    pub(super) record: String,
    pub(super) bytes: String,
    pub(super) parser: String,
    pub(super) sha256: Option<String>,
}

/// Where its row is stored.
pub(super) struct Segment {
    pub(super) id: String,
    pub(super) row: String,
    pub(super) root: String,
    pub(super) slice: String,
}

/// The entry of the log that holds the segment.
pub(super) struct Leaf {
    pub(super) sentence: String,
    pub(super) chart: String,
    pub(super) proof: Vec<Sibling>,
    pub(super) checkpoint: String,
}

/// A hash of an inclusion proof.
pub(super) struct Sibling {
    pub(super) side: &'static str,
    pub(super) text: String,
}

/// A command to check with.
pub(super) struct Command {
    pub(super) about: &'static str,
    pub(super) text: String,
    pub(super) expect: Option<String>,
}

/// The lines as a list; `chosen` (from 1) is the one that is told in full, and each line's link is
/// `path` with its place.
pub(super) fn list(
    lines: &[TraceLine],
    chosen: usize,
    path: &dyn Fn(usize) -> String,
) -> Vec<LineRow> {
    let chosen = if chosen <= lines.len() { chosen.max(1) } else { 1 };
    let row = |(index, line): (usize, &TraceLine)| {
        let place = index + 1;
        let sent = &line.as_sent;
        let source = sent.source.as_ref().or(sent.facility.as_ref());
        LineRow {
            place,
            when: when(&sent.period),
            source: source.map_or("–", String::as_str).to_owned(),
            as_sent: format!("{} {}", group_thousands(&sent.quantity), sent.unit),
            books: format!(
                "{}, {}",
                words::slot_short(&line.slot),
                words::gas_short(&line.gwp.gas)
            ),
            co2e: grouped(line.co2e_in_period.as_deref()),
            part: part(line).unwrap_or_default(),
            href: format!("{}#factor", path(place)),
            current: place == chosen,
        }
    };
    lines.iter().enumerate().map(row).collect()
}

/// The line of that place, or the first.
pub(super) fn chosen(lines: &[TraceLine], place: usize) -> Option<&TraceLine> {
    lines.get(place.saturating_sub(1)).or(lines.first())
}

/// `2022-01-01T00:00:00Z/2022-01-01T01:00:00Z` as its beginning, `2022-01-01 00:00`; other texts as they are.
pub(super) fn when(period: &str) -> String {
    let start = period.split_once('/').map_or(period, |(start, _)| start);
    match (Timestamp::parse(start), start.get(..10), start.get(11..16)) {
        (Ok(_), Some(day), Some(time)) => format!("{day} {time}"),
        _ => period.replace('/', " to "),
    }
}

/// A line told in full.
pub(super) fn followed(line: &TraceLine) -> Followed {
    Followed {
        factor: line.factor.clone(),
        properties: line.properties.clone(),
        gwp: gwp(line),
        why: if line.why.text.is_empty() {
            "The first method whose inputs are complete.".to_owned()
        } else {
            words::prose(&line.why.text)
        },
        slot: words::slot(&line.slot),
        method: line.method.clone(),
        tier: line.why.tier,
        flags: line.why.flags.iter().map(|flag| words::code(flag)).collect::<Vec<_>>().join(", "),
        passed_over: line.why.passed_over.iter().map(|text| words::prose(text)).collect(),
        units: units(line),
        exact: line.exact.clone(),
        co2e: grouped(line.co2e_in_period.as_deref()),
        part: part(line).map(|part| (part, grouped(line.co2e.as_deref()))),
        sent: sent(&line.as_sent),
        origin: origin(&line.origin),
        activity: line.activity.to_string(),
        activity_href: format!("/activities/{}", line.activity),
        segment: Segment {
            id: line.segment.id.to_string(),
            row: group_thousands(&line.segment.row.to_string()),
            root: line.segment.root.clone(),
            slice: if line.segment.slice.size <= 1 {
                "All of its rows are one block; the block’s hash is the root.".to_owned()
            } else {
                format!(
                    "The row lies in block {} of {} (256 rows each); {} lead from it to the root.",
                    group_thousands(&(line.segment.slice.index + 1).to_string()),
                    group_thousands(&line.segment.slice.size.to_string()),
                    words::count(
                        u64::try_from(line.segment.slice.proof.len()).unwrap_or(0),
                        "hash",
                        "hashes"
                    ),
                )
            },
        },
        leaf: leaf(&line.leaf),
    }
}

/// A mass with its thousands apart; a dash for none.
fn grouped(kg: Option<&str>) -> String {
    kg.map_or_else(|| "–".to_owned(), group_thousands)
}

/// `31 of 43 days`, where that is not all of them.
fn part(line: &TraceLine) -> Option<String> {
    let (within, days) = (line.days_in_period, line.days);
    (within < days).then(|| format!("{within} of {days} days"))
}

/// What was sent besides what the list of lines shows.
fn sent(sent: &AsSent) -> Vec<(String, String)> {
    let label = |name: &str| match name.split_once('.') {
        Some((of, name)) => format!("{}: {}", words::code(of), name.replace('_', " ")),
        None => words::code(name),
    };
    besides(&sent.fields).into_iter().map(|(name, text)| (label(&name), text)).collect()
}

fn gwp(line: &TraceLine) -> String {
    let gas = words::gas(&line.gwp.gas);
    match &line.gwp.value {
        Some(value) => {
            format!("{value} kg CO\u{2082}e per kg {gas} ({})", words::gwp_set(&line.gwp.basis))
        }
        None => format!("printed as CO\u{2082}e already, in {}", words::gwp_set(&line.gwp.basis)),
    }
}

fn units(line: &TraceLine) -> String {
    let sent = format!("{} {}", group_thousands(&line.as_sent.quantity), line.as_sent.unit);
    match line.unit_path.as_slice() {
        [] => {
            format!("{sent} as sent, already in the factor's unit. Nothing is rounded on the way.")
        }
        path => format!("{sent} as sent; {}. Nothing is rounded on the way.", path.join("; ")),
    }
}

fn origin(origin: &TracedOrigin) -> Origin {
    let [from, to] = origin.byte_range;
    let line = group_thousands(&origin.line.to_string());
    let inline = origin.import.is_none();
    let sheet = origin.sheet.as_ref();
    let line_of = match sheet {
        Some(sheet) => format!("Row {line} of the sheet {sheet:?}, in the file"),
        None => format!("Line {line} of the file"),
    };
    let sentence = match (&origin.text, inline) {
        (Some(_), _) => format!("{line_of} as it was received. The file itself is kept, sealed."),
        (None, true) => "The row came in the body of a request. Bodies are not kept; their hash and the byte range are.".to_owned(),
        (None, false) => format!("{line_of} as it was received. The file's text is no longer kept; its hash is."),
    };
    Origin {
        sentence,
        text: origin.text.clone(),
        file_term: if inline { "Request" } else { "File" },
        file: origin.file.clone(),
        line,
        record: group_thousands(&origin.row.to_string()),
        bytes: match sheet {
            Some(_) => "none of its own: the cells of a workbook are packed together".to_owned(),
            None => format!(
                "{} to {} ({} bytes)",
                group_thousands(&from.to_string()),
                group_thousands(&to.saturating_sub(1).to_string()),
                to.saturating_sub(from)
            ),
        },
        parser: origin.parser.clone(),
        sha256: origin.sha256.clone(),
    }
}

fn leaf(leaf: &TracedLeaf) -> Leaf {
    let size = checkpoint_size(&leaf.checkpoint);
    let proven = proven((leaf.index, size.unwrap_or(leaf.index + 1)), &leaf.proof);
    let steps = words::count(u64::try_from(leaf.proof.len()).unwrap_or(0), "hash", "hashes");
    Leaf {
        sentence: match size {
            Some(_) => proven.sentence,
            None => format!(
                "Entry {} of an append-only log. {steps} lead from it to a signed root.",
                leaf.index
            ),
        },
        chart: proven.chart,
        proof: proven.hashes,
        checkpoint: leaf.checkpoint.clone(),
    }
}

/// An inclusion proof as it is shown: in words, as a picture, hash by hash from the root down.
pub(super) struct Proven {
    pub(super) sentence: String,
    pub(super) chart: String,
    pub(super) hashes: Vec<Sibling>,
}

/// The proof that a log of this size holds the entry of this index.
pub(super) fn proven((index, size): (u64, u64), proof: &[String]) -> Proven {
    let sides = sides(index, size, proof.len());
    let steps = words::count(u64::try_from(proof.len()).unwrap_or(0), "hash", "hashes");
    let description =
        format!("From entry {index} at the bottom, {steps} lead to the signed root at the top.");
    let caption = Caption { id: "proof", title: "Inclusion proof", description: &description };
    let sibling = |(side, hash): (&Side, &String)| Sibling {
        side: match side {
            Side::Left => "left",
            Side::Right => "right",
        },
        text: hash.clone(),
    };
    let mut hashes: Vec<Sibling> = sides.iter().zip(proof).map(sibling).collect();
    hashes.reverse();
    Proven {
        sentence: format!(
            "Entry {index} of an append-only log of {}. {steps} lead from it to the signed root; nobody can take the entry out without changing that root.",
            group_thousands(&size.to_string())
        ),
        chart: charts::proof_path(caption, &sides),
        hashes,
    }
}

/// The second line of a checkpoint is the size of its tree.
fn checkpoint_size(note: &str) -> Option<u64> {
    note.lines().nth(1)?.parse().ok()
}

/// On which side each hash of an inclusion proof stands, from the leaf up (RFC 9162, 2.1.3.2).
fn sides(index: u64, size: u64, hashes: usize) -> Vec<Side> {
    let (mut node, mut last) = (index, size.saturating_sub(1));
    let mut sides = Vec::with_capacity(hashes);
    for _ in 0..hashes.min(64) {
        if node & 1 == 1 || node == last {
            sides.push(Side::Left);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            sides.push(Side::Right);
        }
        node >>= 1;
        last >>= 1;
    }
    sides
}

/// How to check a line without this page; `id` is the figure's or the activity's, `asks` names the server.
pub(super) fn commands((id, asks): (&str, &str), line: Option<&TraceLine>) -> Vec<Command> {
    let mut commands = vec![Command {
        about: "Calculate it again, and check the proofs, with the command line:",
        text: format!("envora trace {id} {asks}"),
        expect: None,
    }];
    let Some(line) = line else { return commands };
    let Some(sha256) = &line.origin.sha256 else { return commands };
    let file = quoted(&line.origin.file);
    let [from, to] = line.origin.byte_range;
    commands.push(Command {
        about: if line.origin.sheet.is_some() {
            "Does your own copy of the file have this row?"
        } else {
            "Does your own copy of the file have these bytes?"
        },
        text: format!("envora trace {id} --source {file} {asks}"),
        expect: None,
    });
    commands.push(Command {
        about: "The same with nothing but a shell: the file’s hash,",
        text: format!("sha256sum {file}"),
        expect: Some(sha256.clone()),
    });
    if line.origin.sheet.is_some() {
        return commands;
    }
    commands.push(Command {
        about: "and the bytes of the row.",
        text: format!("tail -c +{} {file} | head -c {}", from + 1, to.saturating_sub(from)),
        expect: line.origin.text.clone(),
    });
    commands
}

/// The file's name, safe to paste into a shell.
pub(super) fn quoted(name: &str) -> String {
    let plain =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-' | '/');
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        return name.to_owned();
    }
    let name = name.replace('\'', r"'\''");
    if name.starts_with('-') { format!("'./{name}'") } else { format!("'{name}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sides_of_a_proof_follow_from_index_and_size() {
        use Side::{Left, Right};
        assert_eq!(sides(0, 8, 3), [Right, Right, Right]);
        assert_eq!(sides(5, 8, 3), [Left, Right, Left]);
        assert_eq!(sides(6, 7, 2), [Left, Left]);
        assert_eq!(sides(4, 7, 3), [Right, Right, Left]);
        assert_eq!(sides(0, 1, 0), []);
    }

    #[test]
    fn file_names_cannot_leave_the_shell_word() {
        assert_eq!(quoted("b24_electricity_2022.csv"), "b24_electricity_2022.csv");
        assert_eq!(quoted("my file.csv"), "'my file.csv'");
        assert_eq!(quoted("a'; rm -rf x"), r"'a'\''; rm -rf x'");
        assert_eq!(quoted("-rf"), "'./-rf'");
        assert_eq!(quoted("$(x)"), "'$(x)'");
    }

    #[test]
    fn hours_are_shown_by_their_beginning() {
        assert_eq!(when("2022-01-01T00:00:00Z/2022-01-01T01:00:00Z"), "2022-01-01 00:00");
        assert_eq!(when("2022-01-01/2022-01-31"), "2022-01-01 to 2022-01-31");
    }
}
