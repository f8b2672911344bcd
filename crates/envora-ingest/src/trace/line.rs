//! A line told whole: from the row as sent to the digits, with the proofs of where it is stored.

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envora_api::segments::{SegmentProof, SegmentSlice};
use envora_api::traces::{
    AsSent, SliceProof, TraceLine, TracedFactor, TracedGwp, TracedLeaf, TracedOrigin,
    TracedSegment, TracedWhy,
};
use envora_domain::access::{Grant, actions::ReadAudit};
use envora_domain::activities::{Activity, Origin, Period};
use envora_domain::cells::DayShares;
use envora_domain::choice::{PassedOver, SlotChoice, Why};
use envora_domain::decimal::Mass;
use envora_domain::factors::{Factor, FactorId, Library, Pack};
use envora_domain::gwp::{Gas, GwpSet};
use envora_domain::hash::{Digest, leaf_hash};
use envora_domain::lines::{LineTrace, LinesError, explain};
use envora_domain::time::{Day, Zone};
use envora_lake::sources::SourceError;
use envora_ledger::proof::inclusion_proof;
use envora_ledger::verify::{EntryProof, verify_entry};
use envora_store::audit::{audit_entry_by_seq, audit_head, audit_node};
use envora_store::imports::import_by_id;
use envora_store::parts::Part;
use envora_store::segments::Segment;

use crate::footprint::AskError;
use crate::formats::parquet;
use crate::formats::xlsx::{self, Sheet, Wanted};
use crate::formats::{Format, csv};
use crate::segments::OpenedSegment;
use crate::tenant::{Damaged, TenantParts};
use crate::words;

/// A byte order mark, and what tells it from a longer one, is in so many bytes.
const START_BYTES: u64 = 4;

/// Tells lines; what several lines share is read once.
pub(crate) struct Teller<'a> {
    parts: &'a TenantParts,
    set: GwpSet,
    /// The days that are asked for; all, where none are.
    period: Option<(Day, Day)>,
    sources: HashMap<Digest, Option<Arc<Vec<u8>>>>,
    /// The parts of files, none of those that came whole.
    parted: HashMap<Digest, Vec<Part>>,
    /// The first bytes of such files, where their mark is.
    starts: HashMap<Digest, Vec<u8>>,
    /// The part that was last read.
    part: Option<(Digest, Arc<Vec<u8>>)>,
    /// Sheets by workbook and mapping.
    sheets: HashMap<(Digest, Option<Digest>), Option<Arc<Sheet>>>,
    leaves: HashMap<u64, TracedLeaf>,
    /// The last segment.
    opened: Option<(u64, Arc<OpenedSegment>)>,
    /// The run of 256 rows that was last given whole.
    slice: Option<(u64, u64)>,
}

/// The row whose lines are told.
pub(crate) struct Told<'a> {
    pub(crate) segment: &'a Segment,
    pub(crate) row: u32,
    pub(crate) activity: &'a Activity,
    pub(crate) why: &'a Why,
    /// The digest of the stored choice.
    pub(crate) why_digest: Digest,
    pub(crate) library: &'a Library,
    pub(crate) days: &'a DayShares,
    /// The zone whose days they are.
    pub(crate) zone: Zone,
}

impl<'a> Teller<'a> {
    pub(crate) fn new(parts: &'a TenantParts, set: GwpSet, period: Option<(Day, Day)>) -> Self {
        let (sources, parted, starts) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (sheets, leaves) = (HashMap::new(), HashMap::new());
        let (part, opened, slice) = (None, None, None);
        Self { parts, set, period, sources, parted, starts, part, sheets, leaves, opened, slice }
    }

    /// These lines of a row.
    pub(crate) fn tell(
        &mut self,
        told: &Told<'_>,
        lines: &[usize],
    ) -> Result<Vec<TraceLine>, AskError> {
        let traces = explain(told.activity, told.why, told.library, self.set)
            .map_err(|error: LinesError| anyhow::anyhow!("calculate a row again: {error}"))?;
        let id = told.segment.id.activity(told.row).context("name the activity")?;
        let mut lines_told = Vec::new();
        for number in lines {
            let Some(trace) = traces.get(*number) else { continue };
            let choice = told.why.slot(trace.line.slot).context("find the slot's choice")?;
            let share = Share::of(told, self.period, trace)?;
            lines_told.push(TraceLine {
                activity: id,
                as_sent: as_sent(told.activity),
                unit_path: choice.unit_path.steps.clone(),
                slot: trace.line.slot.as_str().to_owned(),
                method: trace.method.clone(),
                factor: factor(told, trace.line.factor, trace.line.gas)?,
                properties: properties(told, choice)?,
                gwp: TracedGwp {
                    set: self.set.as_str().to_owned(),
                    basis: trace.line.basis.as_str().to_owned(),
                    gas: trace.line.gas.as_str().to_owned(),
                    value: trace.gwp.map(|value| value.to_string()),
                },
                why: why(told, choice),
                exact: trace.exact.iter().cloned().chain(share.steps(trace, told)).collect(),
                kg: trace.kg.kg(),
                co2e: trace.co2e.map(|co2e| co2e.kg()),
                days: share.days,
                days_in_period: share.days_in_period,
                time_zone: told.zone.name().to_owned(),
                kg_in_period: share.kg.kg(),
                co2e_in_period: share.co2e.map(|co2e| co2e.kg()),
                segment: self.segment(told)?,
                leaf: self.leaf(told.segment)?,
                origin: self.origin(&told.activity.origin)?,
                evidence: told.activity.evidence.clone(),
            });
        }
        Ok(lines_told)
    }

    /// The segment with the proof that the row is under its root. The bytes of a run of 256 rows are
    /// given once; further lines of the same run refer to them by index.
    fn segment(&mut self, told: &Told<'_>) -> Result<TracedSegment, AskError> {
        let seq = told.segment.seq;
        let opened = match &self.opened {
            Some((of, opened)) if *of == seq => Arc::clone(opened),
            _ => Arc::new(self.parts.opened_segment(told.segment)?),
        };
        self.opened = Some((seq, Arc::clone(&opened)));
        let proof = opened.slice(told.row)?;
        let whole = self.slice != Some((seq, proof.run));
        self.slice = Some((seq, proof.run));
        Ok(TracedSegment {
            id: told.segment.id,
            row: told.row,
            root: told.segment.root.hex(),
            slice: SliceProof {
                index: proof.run,
                size: proof.runs,
                leaf: if whole { STANDARD.encode(&proof.rows) } else { String::new() },
                proof: proof.path.iter().map(Digest::hex).collect(),
            },
        })
    }

    /// The log's entry of a segment.
    fn leaf(&mut self, segment: &Segment) -> Result<TracedLeaf, AskError> {
        if let Some(leaf) = self.leaves.get(&segment.seq) {
            return Ok(leaf.clone());
        }
        let leaf = entry(self.parts, segment)?;
        self.leaves.insert(segment.seq, leaf.clone());
        Ok(leaf)
    }

    fn origin(&mut self, origin: &Origin) -> Result<TracedOrigin, AskError> {
        match origin {
            Origin::File { import, file, row, line, offset, length, mapping, parser } => {
                let (id, grant) = (*import, self.parts.own.read_activities);
                let known = self.parts.read(move |rd| import_by_id(rd, &grant, id))?;
                let end = offset + u64::from(*length);
                let sheet = if parser == Format::Xlsx.parser() {
                    self.sheet(file, *mapping)?
                } else {
                    None
                };
                let text = match &sheet {
                    Some(sheet) => sheet.row(*line),
                    None if parser == Format::Parquet.parser() => self.columns(file, *row)?,
                    None => self.text(file, *offset, end)?,
                };
                Ok(TracedOrigin {
                    file: known.map(|import| import.file_name).unwrap_or_default(),
                    import: Some(*import),
                    sha256: Some(file.hex()),
                    body_blake3: None,
                    line: *line,
                    row: *row,
                    byte_range: [*offset, end],
                    sheet: sheet.map(|sheet| sheet.name().to_owned()),
                    text,
                    mapping: mapping.map(|digest| digest.hex()),
                    parser: parser.to_string(),
                })
            }
            Origin::Request { request_id, body, row, offset, length, parser } => Ok(TracedOrigin {
                file: request_id.to_string(),
                body_blake3: Some(Digest(*body).hex()),
                line: *row,
                row: *row,
                byte_range: [*offset, offset + u64::from(*length)],
                parser: parser.to_string(),
                ..TracedOrigin::default()
            }),
        }
    }

    /// The line's own text, when the file is still kept. A file that is there and is not the one that
    /// was taken in is no source to quote from.
    fn text(&mut self, file: &Digest, from: u64, to: u64) -> Result<Option<String>, AskError> {
        let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
        let text = |start: &[u8], line: &[u8]| {
            csv::shown(start, line).trim_end_matches(['\r', '\n']).to_owned()
        };
        if let Some(bytes) = self.text_of_parts(file, from, to)? {
            if !self.starts.contains_key(file) {
                let start = self.text_of_parts(file, 0, START_BYTES)?;
                self.starts.insert(*file, start.unwrap_or_default());
            }
            let start = self.starts.get(file).map(Vec::as_slice);
            return Ok(Some(text(start.unwrap_or_default(), &bytes)));
        }
        let Some((bytes, (from, to))) =
            self.source(file)?.zip(range.filter(|(from, to)| from < to))
        else {
            return Ok(None);
        };
        Ok(bytes.get(from..to).map(|line| text(&bytes, line)))
    }

    /// A row of a Parquet file, when the file is still kept.
    fn columns(&mut self, file: &Digest, row: u64) -> Result<Option<String>, AskError> {
        let Some(bytes) = self.source(file)? else { return Ok(None) };
        Ok(parquet::row(bytes.as_slice(), row).context("read the Parquet file again")?)
    }

    /// These bytes of a file that came in parts; of one that came whole, nothing. One part is held.
    fn text_of_parts(
        &mut self,
        file: &Digest,
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<u8>>, AskError> {
        if !self.parted.contains_key(file) {
            self.parted.insert(*file, self.parts.parts_of_source(file)?);
        }
        let parts = self.parted.get(file).cloned().unwrap_or_default();
        if parts.is_empty() || from >= to {
            return Ok(None);
        }
        let (mut start, mut found) = (0_u64, Vec::new());
        for part in parts {
            let end = start + part.length;
            if start < to && from < end {
                let bytes = self.part(part)?;
                let place = |at: u64| usize::try_from(at.clamp(start, end) - start).unwrap_or(0);
                found.extend_from_slice(bytes.get(place(from)..place(to)).unwrap_or_default());
            }
            start = end;
        }
        Ok(Some(found))
    }

    /// The bytes of a part.
    fn part(&mut self, part: Part) -> Result<Arc<Vec<u8>>, AskError> {
        if let Some((name, bytes)) = &self.part
            && *name == part.name
        {
            return Ok(Arc::clone(bytes));
        }
        let mut bytes = Vec::new();
        let mut reader = self.parts.parts_reader(vec![part], None);
        reader.read_to_end(&mut bytes).map_err(|error| {
            let damaged =
                Damaged::new(format!("part {} of a source file", part.number), error.to_string());
            AskError::Unexpected(damaged.into())
        })?;
        let bytes = Arc::new(bytes);
        self.part = Some((part.name, Arc::clone(&bytes)));
        Ok(bytes)
    }

    /// The sheet of a workbook that the mapping reads, when the file is still kept.
    fn sheet(
        &mut self,
        file: &Digest,
        mapping: Option<Digest>,
    ) -> Result<Option<Arc<Sheet>>, AskError> {
        let key = (*file, mapping);
        if let Some(known) = self.sheets.get(&key) {
            return Ok(known.clone());
        }
        let Some(bytes) = self.source(file)? else { return Ok(None) };
        let mapping = mapping.map(|version| self.parts.mapping(version)).transpose()?.flatten();
        let sheet = mapping.as_ref().and_then(|mapping| mapping.file.sheet.as_deref());
        let read = xlsx::read(bytes.as_slice(), Wanted { sheet, skip_rows: 0 });
        let sheet = Some(Arc::new(read.context("read the sheet again")?));
        self.sheets.insert(key, sheet.clone());
        Ok(sheet)
    }

    /// A file's bytes, when it is still kept.
    fn source(&mut self, file: &Digest) -> Result<Option<Arc<Vec<u8>>>, AskError> {
        if !self.sources.contains_key(file) {
            let bytes = match self.parts.source_file(file) {
                Ok(bytes) => Some(Arc::new(bytes)),
                Err(SourceError::NotFound) => None,
                Err(error) => {
                    let damaged = Damaged::new(format!("source file {file}"), error.to_string());
                    return Err(AskError::Unexpected(damaged.into()));
                }
            };
            self.sources.insert(*file, bytes);
        }
        Ok(self.sources.get(file).cloned().flatten())
    }
}

/// What of a line falls into the period that is asked for.
struct Share {
    days: u32,
    days_in_period: u32,
    kg: Mass,
    co2e: Option<Mass>,
}

impl Share {
    fn of(told: &Told<'_>, period: Option<(Day, Day)>, line: &LineTrace) -> anyhow::Result<Self> {
        let part = |mass: Mass| match period {
            Some(period) => Mass::from_units(told.days.within(mass.units(), period)),
            None => mass,
        };
        let days = told.days.days().len();
        let within = period.map_or(days, |period| told.days.count_within(period));
        Ok(Self {
            days: u32::try_from(days).context("count the days")?,
            days_in_period: u32::try_from(within).context("count the days")?,
            kg: part(line.kg),
            co2e: line.co2e.map(part),
        })
    }

    /// The steps from the whole line to its part, where that is not all of it.
    fn steps(&self, line: &LineTrace, told: &Told<'_>) -> Vec<String> {
        let (days, within, zone) = (self.days, self.days_in_period, told.zone.name());
        if days == within {
            return Vec::new();
        }
        let step = |part: String| {
            format!("{within} of {days} days ({zone}), by length, largest remainder: {part}")
        };
        let gas = line.line.gas;
        let kg = (!gas.is_equivalent()).then(|| step(format!("{} kg {gas}", self.kg.kg())));
        let co2e = self.co2e.map(|co2e| step(format!("{} kg CO2e", co2e.kg())));
        kg.into_iter().chain(co2e).collect()
    }
}

/// The log's entry of a segment, with its proof under a checkpoint signed now. It is checked here as a
/// stranger would check it.
fn entry(parts: &TenantParts, segment: &Segment) -> Result<TracedLeaf, AskError> {
    let (seq, grant) = (segment.seq, parts.own.read_audit);
    let (leaf, path, head) = parts
        .read(move |rd| {
            let head = audit_head(rd)?;
            let entry = audit_entry_by_seq(rd, &grant, seq)?.context("find the log's entry")?;
            let rd = std::cell::RefCell::new(rd);
            let node = |level: u8, index: u64| {
                audit_node(&mut rd.borrow_mut(), &grant, level, index).ok().flatten()
            };
            let path = inclusion_proof(seq, head.size, &node).context("prove the entry")?;
            Ok((entry.leaf, path, head))
        })
        .context("prove where the row is stored")?;
    let checkpoint = parts.checkpoint(head.size, head.root)?.note;
    let proof = EntryProof { leaf, path, checkpoint };
    let key = parts.verifier_key()?;
    let damaged = |detail: &str| Damaged::new(format!("entry {seq} of the log"), detail);
    let verified = verify_entry(&proof, &[key])
        .map_err(|error| anyhow::Error::from(damaged(&error.to_string())))?;
    let names = verified.leaf.seq == seq
        && verified.leaf.object == Some(segment.id.bytes())
        && verified.leaf.digest == Some(segment.root)
        && verified.leaf.count == Some(u64::from(segment.rows));
    if !names {
        return Err(AskError::Unexpected(damaged("it is not the segment's").into()));
    }
    Ok(TracedLeaf {
        index: seq,
        entry: STANDARD.encode(&proof.leaf),
        proof: proof.path.iter().map(Digest::hex).collect(),
        checkpoint: proof.checkpoint,
    })
}

/// Proves that the log holds a segment, and of a row that the segment holds it. Blocks.
///
/// # Errors
/// [`AskError::NoActivity`] when the segment has no such row; [`Damaged`] inside when stored bytes are
/// not as stored.
pub fn prove_segment(
    parts: &TenantParts,
    _grant: &Grant<ReadAudit>,
    (segment, row): (&Segment, Option<u32>),
) -> Result<SegmentProof, AskError> {
    if row.is_some_and(|row| row >= segment.rows) {
        return Err(AskError::NoActivity);
    }
    let sliced = |row| {
        let proof = parts.opened_segment(segment)?.slice(row)?;
        Ok::<_, AskError>(SegmentSlice {
            row,
            index: proof.run,
            size: proof.runs,
            leaf_hash: leaf_hash(&proof.rows).hex(),
            proof: proof.path.iter().map(Digest::hex).collect(),
        })
    };
    Ok(SegmentProof {
        segment: segment.id,
        rows: segment.rows,
        root: segment.root.hex(),
        leaf: entry(parts, segment)?,
        slice: row.map(sliced).transpose()?,
    })
}

/// The words of a row.
#[must_use]
pub fn as_sent(activity: &Activity) -> AsSent {
    let period = match &activity.period {
        Period::Instant(at) => at.to_string(),
        Period::Between(start, end) => format!("{start}/{end}"),
        Period::Days { first, last } => format!("{first}/{last}"),
        Period::WallClock { start, end } => {
            let wall = |micros: i64| {
                let text = envora_domain::time::Timestamp::from_micros(micros).to_string();
                text.trim_end_matches('Z').to_owned()
            };
            format!("{}/{}", wall(start.as_micros()), wall(end.as_micros()))
        }
    };
    AsSent {
        kind: activity.kind.clone(),
        quantity: activity.quantity.to_string(),
        unit: activity.unit.clone(),
        period,
        facility: activity.facility.as_ref().map(ToString::to_string),
        source: activity.source.as_ref().map(ToString::to_string),
        external_id: activity.external_id.clone(),
        fields: words::sent(activity),
    }
}

/// The properties in a line's amount, each once.
fn properties(told: &Told<'_>, choice: &SlotChoice) -> Result<Vec<TracedFactor>, AskError> {
    let mut traced: Vec<TracedFactor> = Vec::new();
    for (name, id) in choice.properties() {
        let property = Some(name.to_owned());
        let one = TracedFactor { property, ..factor(told, id, Gas::CO2E)? };
        if !traced.contains(&one) {
            traced.push(one);
        }
    }
    Ok(traced)
}

/// A factor, with the cell of the publisher's file that its value of a gas stands in; of what is no
/// gas, its total's.
fn factor(told: &Told<'_>, id: FactorId, gas: Gas) -> Result<TracedFactor, AskError> {
    let factor = told.library.get(&id).context("find the factor")?;
    let gas = factor.gases.iter().find(|value| value.gas == gas);
    let total = factor.total.as_ref();
    let (value, unit, line) = match (gas, total) {
        (Some(gas), _) => (gas.value.clone(), gas.unit.clone(), gas.line),
        (None, Some(total)) => (total.value.clone(), total.unit.clone(), total.line),
        (None, None) => (String::new(), String::new(), None),
    };
    let provenance = &factor.provenance;
    let line = line.or(provenance.lines.first().copied());
    let place = line.map(|line| format!(", line {line}")).unwrap_or_default();
    let pack = told.library.pack_of(&id);
    let sha256 = pack.map(|pack| pack.recipe.sha256.clone()).unwrap_or_default();
    let origin = match pack.filter(|pack| pack.is_own) {
        Some(pack) => own_origin(factor, pack),
        None => format!("{}{place}, SHA-256 {sha256}", provenance.file),
    };
    Ok(TracedFactor {
        id: id.to_string(),
        pack: pack
            .map(|pack| format!("{}@{}", pack.recipe.id, pack.recipe.version))
            .unwrap_or_else(|| factor.pack.clone()),
        publisher: factor.publisher.clone(),
        edition: factor.edition.clone(),
        name: provenance.words.join(" / "),
        value,
        unit: match (unit.as_str(), &factor.denominator.as_printed) {
            ("1", printed) => printed.clone(),
            (unit, printed) => format!("{unit} per {printed}"),
        },
        property: None,
        licence: factor.rights.licence.clone(),
        origin,
    })
}

/// Where an organization's own factor was printed, and in which pack it was brought in.
fn own_origin(factor: &Factor, pack: &Pack) -> String {
    let provenance = &factor.provenance;
    let place = provenance.sheet.iter().map(|place| format!(", {place}")).collect::<String>();
    let document = match provenance.sha256.as_str() {
        "" => String::new(),
        sha256 => format!(", SHA-256 {sha256}"),
    };
    let recipe = &pack.recipe;
    format!(
        "{}{place}{document}; as {} in the pack {} that was brought in, SHA-256 {}",
        provenance.file, factor.key, recipe.id, recipe.sha256
    )
}

/// What was passed over for a slot, each once: factors of one key for one reason with their editions.
fn passed_over(told: &Told<'_>, choice: &SlotChoice) -> Vec<String> {
    let mut alike: Vec<(&PassedOver, Vec<&str>)> = Vec::new();
    for over in told.why.passed_over.iter().filter(|over| over.slot == choice.slot) {
        let factor = over.factor.and_then(|id| told.library.get(&id));
        let edition = factor.map(|factor| factor.edition.as_str());
        let same = |(one, _): &&mut (&PassedOver, Vec<&str>)| {
            over.key.is_some()
                && (&one.key, &one.rule, &one.detail) == (&over.key, &over.rule, &over.detail)
        };
        match alike.iter_mut().find(same) {
            Some((_, editions)) => editions.extend(edition),
            None => alike.push((over, edition.into_iter().collect())),
        }
    }
    let told = |(over, mut editions): (&PassedOver, Vec<&str>)| {
        let what = over.method.as_deref().or(over.key.as_deref()).unwrap_or("candidates");
        editions.sort_unstable();
        editions.dedup();
        // A reason that names its edition says it already.
        editions.retain(|edition| !over.detail.contains(&format!("edition {edition}")));
        let many = match editions.as_slice() {
            [] if over.count > 1 => format!(" ({} of them)", over.count),
            [] => String::new(),
            [edition] => format!(" (edition {edition})"),
            all => format!(" (editions {})", all.join(", ")),
        };
        format!("{what}{many}: {} ({})", over.detail, over.rule)
    };
    alike.into_iter().map(told).collect()
}

fn why(told: &Told<'_>, choice: &SlotChoice) -> TracedWhy {
    TracedWhy {
        id: told.why_digest.hex(),
        tier: choice.tier,
        text: format!(
            "{} for {} in {}, edition by the rule `{}`",
            choice.method,
            told.why.kind,
            told.why.region.as_deref().unwrap_or("no stated region"),
            choice.period_rule
        ),
        flags: choice.flags.iter().map(|flag| flag.as_str().to_owned()).collect(),
        passed_over: passed_over(told, choice),
    }
}
