//! `envora trace`: from a figure down to source bytes, factor and proof.

use std::collections::BTreeMap;

use anyhow::Context as _;
use envora_api::traces::{ActivityTrace, Trace, TraceLine};
use envora_domain::decimal::{Mass, group_thousands};
use envora_domain::figures::Figure;
use envora_domain::id::{ActivityId, SegmentId};
use envora_domain::time::Day;
use envora_ingest::words;
use envora_ledger::note::VerifierKey;

use crate::arguments::TraceArguments;
use crate::audit;
use crate::client::Client;
use crate::failures::Failure;
use crate::paint::Paint;
use crate::proofs::{self, Proven};
use crate::session::{Printed, Session};
use crate::terminal::Channel;

/// How many parts of a figure people are shown.
const PARTS_SHOWN: usize = 12;
/// How many lines one row can have: slots times gases, with room.
const LINES_OF_A_ROW: u16 = 16;
/// How many lines the server gives at once.
const LINES_MAX: u16 = 200;

/// Traces a figure or an activity and checks its proofs.
///
/// # Errors
/// The server's problem; a proof or a file that does not fit.
pub async fn run(arguments: &TraceArguments, session: &mut Session) -> Result<(), Failure> {
    match arguments.id.split_once('_').map(|(prefix, _)| prefix) {
        Some("fig") if Figure::parse(&arguments.id).is_err() => Err(not_whole("figure", arguments)),
        Some("act") if ActivityId::parse(&arguments.id).is_err() => {
            Err(not_whole("activity", arguments))
        }
        Some("fig") => figure(arguments, session).await,
        Some("act") => activity(arguments, session).await,
        _ => Err(Failure::usage(
            format!("{:?} is neither a figure nor an activity", arguments.id),
            "figures (fig_…) stand in `envora footprint --json`, activities (act_…) in `envora data list`",
        )),
    }
}

/// An id with the right beginning that is none.
fn not_whole(noun: &str, arguments: &TraceArguments) -> Failure {
    Failure::usage(
        format!("{:?} is not the whole id of any {noun}", arguments.id),
        "copy all of it: `envora footprint --json` prints figures, `envora data list` activities",
    )
}

async fn figure(arguments: &TraceArguments, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    let trace = ask(&client, &arguments.id, arguments.lines).await?;
    let printed = session.print_json(&trace)?;
    if printed == Printed::NotYet {
        print_figure(&trace, &mut session.terminal.data);
    }
    let shown = rows(&trace.lines.data).into_iter().take(usize::from(arguments.lines));
    let shown = Shown { rows: shown.collect(), period: Some(period(&trace)) };
    let to = channel(printed, session);
    check(arguments, (&client, shown), to).await?;
    print_sum(&trace, to)?;
    if trace.replay == "equal" {
        return Ok(());
    }
    let what = format!("calculated again, the figure comes out otherwise: replay {}", trace.replay);
    Err(Failure::verification(what, "keep the answer (--json) and ask who runs the server"))
}

async fn activity(arguments: &TraceArguments, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    let mut trace: ActivityTrace =
        client.get(&format!("/activities/{}/trace", arguments.id), &[]).await?;
    complete(&mut trace.lines);
    let printed = session.print_json(&trace)?;
    if printed == Printed::NotYet {
        let data = &mut session.terminal.data;
        data.prose(format!("{}  {}", data.paint.strong("Activity"), trace.activity));
        data.prose(format!("  {}", trace.state));
        if let Some(nothing) = &trace.nothing {
            data.prose(format!("  no lines: {nothing}"));
        }
        if let Some(unresolved) = &trace.unresolved {
            data.prose(format!("  {}", data.paint.odd(&unresolved.code)));
            data.prose(format!("  {} {}", data.paint.link("help:"), unresolved.remedy));
        }
    }
    let shown = Shown { rows: rows(&trace.lines), period: None };
    check(arguments, (&client, shown), channel(printed, session)).await
}

/// The rows that are printed and checked, and the days that are asked for.
struct Shown<'a> {
    rows: Vec<&'a [TraceLine]>,
    period: Option<(Day, Day)>,
}

/// The days that a figure is about.
#[must_use]
pub const fn period(trace: &Trace) -> (Day, Day) {
    (trace.query.from, trace.query.to)
}

/// Says that the lines add up to the figure, where all of them are here.
///
/// # Errors
/// When they do not.
pub fn print_sum(trace: &Trace, to: &mut Channel) -> Result<(), Failure> {
    let Some(lines) = proofs::check_sum(trace)? else { return Ok(()) };
    let ok = tick(to.paint);
    let lines = if lines == 1 {
        "its one line is".to_owned()
    } else {
        format!("its {lines} lines add up to")
    };
    to.prose(format!("  {ok} {lines} {} kg, the figure, to the last digit", trace.figure.value));
    Ok(())
}

/// Where the story of the checks goes: beside JSON, to stderr.
fn channel(printed: Printed, session: &mut Session) -> &mut Channel {
    match printed {
        Printed::AsJson => &mut session.terminal.words,
        Printed::NotYet => &mut session.terminal.data,
    }
}

/// Prints rows and checks their proofs, and the source file if one is in hand.
async fn check(
    arguments: &TraceArguments,
    (client, shown): (&Client, Shown<'_>),
    to: &mut Channel,
) -> Result<(), Failure> {
    let key = proofs::key(&audit::head(client).await?.vkey)?;
    let source = arguments.source.as_deref();
    let file =
        source.map(|path| std::fs::read(path).with_context(|| format!("read {}", path.display())));
    let file = file.transpose()?;
    for row in shown.rows {
        print_row(row, (shown.period, &key), to)?;
        if let Some((file, line)) = file.as_deref().zip(row.first()) {
            print_source(line, file, to)?;
        }
    }
    Ok(())
}

/// Holds the source file in hand against a line, and says that it fits.
///
/// # Errors
/// When it does not.
pub fn print_source(line: &TraceLine, file: &[u8], to: &mut Channel) -> Result<(), Failure> {
    let text = proofs::check_source(&line.origin, file)?;
    let ok = tick(to.paint);
    to.line(format!("  {ok} the file in hand has this SHA-256, and on this line: {text}"));
    Ok(())
}

/// The trace of a figure, with the lines of so many rows.
///
/// # Errors
/// The server's problem.
pub async fn ask(client: &Client, figure: &str, rows: u16) -> Result<Trace, Failure> {
    let limit = rows.saturating_mul(LINES_OF_A_ROW).clamp(1, LINES_MAX).to_string();
    let mut trace: Trace =
        client.get(&format!("/figures/{figure}/trace"), &[("limit", &limit)]).await?;
    complete(&mut trace.lines.data);
    Ok(trace)
}

/// The bytes of a run of rows are sent once in an answer: lines that refer to them get them too.
fn complete(lines: &mut [TraceLine]) {
    let mut runs: BTreeMap<(SegmentId, u64), String> = BTreeMap::new();
    for line in lines {
        let run = (line.segment.id, line.segment.slice.index);
        let leaf = &mut line.segment.slice.leaf;
        if leaf.is_empty() {
            *leaf = runs.get(&run).cloned().unwrap_or_default();
        } else {
            runs.insert(run, leaf.clone());
        }
    }
}

/// The lines of each row and slot together, in the order of the trace.
#[must_use]
pub fn rows(lines: &[TraceLine]) -> Vec<&[TraceLine]> {
    let same = |a: &TraceLine, b: &TraceLine| a.activity == b.activity && a.slot == b.slot;
    lines.chunk_by(same).collect()
}

/// Prints a figure, what it is about and what it adds up from.
pub fn print_figure(trace: &Trace, to: &mut Channel) {
    let (paint, query) = (to.paint, &trace.query);
    let scope =
        query.scope.map_or_else(|| "all scopes".to_owned(), |scope| format!("scope {scope}"));
    let category = query.category.map(|category| format!(".{category}")).unwrap_or_default();
    let market =
        query.market.as_deref().map(|market| format!(", {market}-based")).unwrap_or_default();
    let set = query.gwp_set.as_deref().map(|set| format!(", GWP set {set}")).unwrap_or_default();
    to.prose(format!("{}  {}", paint.strong("Figure"), paint.faint(&trace.figure.figure_id)));
    to.prose(format!(
        "  {} kg CO2e = {} t",
        paint.strong(&group_thousands(&trace.figure.value)),
        paint.strong(&tonnes(&trace.figure.value))
    ));
    to.prose(format!("  {scope}{category}{market}, {} to {}{set}", query.from, query.to.plus(-1)));
    for (field, values) in &query.filters {
        to.prose(format!("  {field} {}", values.join(", ")));
    }
    let replay = match trace.replay.as_str() {
        "equal" => paint.good("equal: rows, factors and methods give the same digits again"),
        other => paint.bad(other),
    };
    to.prose(format!("  replay {replay}"));
    print_parts(trace, to);
}

fn print_parts(trace: &Trace, to: &mut Channel) {
    if trace.parts.is_empty() {
        return;
    }
    let paint = to.paint;
    let sum: Option<Mass> = trace.parts.iter().map(|part| Mass::parse_kg(&part.value).ok()).sum();
    let whole = Mass::parse_kg(&trace.figure.value).ok();
    let exact = sum.is_some() && sum == whole;
    to.prose(format!(
        "  adds up from {} parts, {}",
        trace.parts.len(),
        if exact { paint.good("to the last digit") } else { paint.bad("but not exactly") }
    ));
    let grouped: Vec<String> =
        trace.parts.iter().map(|part| group_thousands(&part.value)).collect();
    let places = grouped.iter().map(|text| point(text)).max().unwrap_or(0);
    for (part, kg) in trace.parts.iter().zip(&grouped).take(PARTS_SHOWN) {
        let blank = " ".repeat(places - point(kg));
        to.prose(format!("    {:<22} {blank}{kg} kg", part.label));
    }
    if trace.parts.len() > PARTS_SHOWN {
        to.prose(format!("    … and {} more", trace.parts.len() - PARTS_SHOWN));
    }
}

/// How many characters stand before the point.
fn point(number: &str) -> usize {
    number.find('.').unwrap_or(number.len())
}

fn tonnes(kg: &str) -> String {
    Mass::parse_kg(kg).map_or_else(|_| kg.to_owned(), |mass| mass.tonnes(3))
}

/// Prints the lines of one row and slot: source, factor, digits; then checks its proofs aloud.
///
/// # Errors
/// The first proof that does not hold.
pub fn print_row(
    lines: &[TraceLine],
    (period, key): (Option<(Day, Day)>, &VerifierKey),
    to: &mut Channel,
) -> Result<(), Failure> {
    let Some(first) = lines.first() else { return Ok(()) };
    to.line("");
    print_origin(first, to);
    print_factor(first, to);
    print_digits(lines, to);
    let proven = proofs::check_row(lines, period, key)?;
    print_proof(first, &proven, to);
    Ok(())
}

fn field(to: &mut Channel, name: &str, text: impl AsRef<str>) {
    let name = to.paint.faint(&format!("{name:<10}"));
    to.prose(format!("  {name} {}", text.as_ref()));
}

fn print_origin(line: &TraceLine, to: &mut Channel) {
    let (paint, sent, origin) = (to.paint, &line.as_sent, &line.origin);
    to.prose(format!(
        "{}  {}",
        paint.strong("One row of it"),
        paint.faint(&line.activity.to_string())
    ));
    let place = [("facility", &sent.facility), ("source", &sent.source)];
    let place: Vec<String> = place
        .into_iter()
        .filter_map(|(name, word)| Some(format!("{name} {}", word.as_deref()?)))
        .collect();
    field(to, "as sent", format!("{} {}  {}", paint.strong(&sent.quantity), sent.unit, sent.kind));
    field(to, "", format!("{}  {}", sent.period, place.join(", ")));
    for (name, text) in words::besides(&sent.fields) {
        field(to, "", format!("{} {text}", paint.faint(&format!("{name}:"))));
    }
    let [from, end] = origin.byte_range;
    let file = paint.strong(&origin.file);
    let (what, unit) = if origin.import.is_some() { ("file", "line") } else { ("request", "row") };
    let place = paint.strong(&origin.line.to_string());
    field(
        to,
        what,
        match &origin.sheet {
            Some(sheet) => format!("{file}, sheet {sheet:?}, row {place}"),
            None => format!("{file}, {unit} {place}, bytes {from} to {end}"),
        },
    );
    if let Some(text) = &origin.text {
        // A line of a file is shown as it is, however long.
        to.line(format!("  {:<10} {} {text}", "", paint.link("│")));
    }
    if let Some(sha256) = &origin.sha256 {
        field(to, "SHA-256", sha256);
    }
    if let Some(blake3) = &origin.body_blake3 {
        field(to, "BLAKE3", format!("{blake3} of the body"));
    }
    let mapping = origin.mapping.as_deref().map(|id| format!(", mapping {id}")).unwrap_or_default();
    field(to, "read by", paint.faint(&format!("{}{mapping}", origin.parser)));
}

fn print_factor(line: &TraceLine, to: &mut Channel) {
    let (paint, factor, why) = (to.paint, &line.factor, &line.why);
    field(
        to,
        "books",
        format!("{}, by {} (tier {})", line.slot, paint.strong(&line.method), why.tier),
    );
    field(to, "factor", paint.strong(&factor.name));
    field(
        to,
        "",
        format!("{}, edition {}, pack {}", factor.publisher, factor.edition, factor.pack),
    );
    field(to, "", &factor.origin);
    field(to, "", paint.faint(&format!("{}, {}", factor.id, factor.licence)));
    for property in &line.properties {
        let what = property.property.as_deref().unwrap_or_default();
        let value = format!("{} {} ({what})", property.value, property.unit);
        field(to, "times", format!("{}: {}", paint.strong(&value), property.name));
        let of = (&property.publisher, &property.edition, &property.pack);
        field(to, "", format!("{}, edition {}, pack {}", of.0, of.1, of.2));
        field(to, "", &property.origin);
        field(to, "", paint.faint(&format!("{}, {}", property.id, property.licence)));
    }
    if !why.text.is_empty() {
        field(to, "why", &why.text);
    }
    for passed in &why.passed_over {
        field(to, "", paint.faint(&format!("not: {passed}")));
    }
    if !why.flags.is_empty() {
        field(to, "flags", paint.odd(&why.flags.join(", ")));
    }
    if !line.unit_path.is_empty() {
        field(to, "units", line.unit_path.join(" → "));
    }
    let set = format!("set {}, basis {}, 100 years", line.gwp.set, line.gwp.basis);
    field(to, "GWP", set);
}

fn print_digits(lines: &[TraceLine], to: &mut Channel) {
    let paint = to.paint;
    for line in lines {
        let value = line.gwp.value.as_deref().map(|gwp| format!(", GWP {gwp}")).unwrap_or_default();
        let gas = format!("{}: {} {}{value}", line.gwp.gas, line.factor.value, line.factor.unit);
        field(to, "digits", paint.strong(&gas));
        for step in &line.exact {
            field(to, "", step);
        }
    }
    let sum: Option<Mass> =
        lines.iter().map(|line| Mass::parse_kg(line.co2e_in_period.as_deref()?).ok()).sum();
    if let (Some(sum), 2..) = (sum, lines.len()) {
        let part = lines.first().map(in_period).unwrap_or_default();
        field(to, "together", format!("{} kg CO2e{part}", paint.strong(&sum.kg())));
    }
}

/// What of a line is in the period, where that is not all of it.
fn in_period(line: &TraceLine) -> String {
    if line.days_in_period == line.days {
        return String::new();
    }
    format!(", {} of its {} days", line.days_in_period, line.days)
}

fn tick(paint: Paint) -> String {
    paint.good("✓")
}

/// Prints what the checks have shown, hash by hash.
fn print_proof(line: &TraceLine, proven: &Proven, to: &mut Channel) {
    let (paint, ok) = (to.paint, tick(to.paint));
    let (leaf, head) = (&proven.verified.leaf, &proven.verified.checkpoint);
    let slice = &line.segment.slice;
    to.line("");
    to.prose(format!(
        "{}  {}",
        paint.strong("Proof"),
        paint.faint("checked on this side, from the bytes up")
    ));
    let rows = format!("row {} of {}", line.segment.row, line.segment.id);
    let run = format!("run {} of {}, 256 rows each", slice.index + 1, slice.size);
    to.prose(format!("  {ok} {rows}: the bytes under proof say the same as above"));
    if line.days_in_period < line.days {
        let (within, days, zone) = (line.days_in_period, line.days, &line.time_zone);
        to.prose(format!("  {ok} {within} of {days} days ({zone}): split again, the same digits"));
    }
    to.prose(format!("  {ok} {run}: leaf hash {}", proven.run_hash));
    print_path("    with", &slice.proof, to);
    to.prose(format!("    segment root   {}", paint.strong(&line.segment.root)));
    let entry = format!("entry {} of the log's {}", leaf.seq, head.size);
    to.prose(format!("  {ok} {entry}: leaf hash {}", proven.leaf_hash));
    print_path("    with", &line.leaf.proof, to);
    to.prose(format!("    log root       {}", paint.strong(&head.root.hex())));
    to.prose(format!(
        "  {ok} signed (Ed25519) by key {} of {}",
        paint.strong(&proven.key_id),
        head.origin
    ));
}

fn print_path(label: &str, path: &[String], to: &mut Channel) {
    for hash in path {
        let text = format!("{label:<18} {hash}");
        let text = to.paint.faint(&text);
        to.prose(text);
    }
}
