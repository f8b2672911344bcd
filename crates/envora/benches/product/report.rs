//! What was found: one table of ratios, and the same as JSON.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

/// Which way a floor is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sense {
    /// More is better.
    AtLeast,
    /// Less is better.
    AtMost,
}

/// What another system came to.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) value: f64,
}

/// One line of the table: ours, held against a peer or against a number.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) what: String,
    pub(crate) ours: Option<f64>,
    pub(crate) unit: &'static str,
    pub(crate) peer: Option<Peer>,
    pub(crate) sense: Sense,
    pub(crate) floor: f64,
    pub(crate) aim: f64,
    /// The share of the machine that others had, where that makes the line void.
    pub(crate) void: Option<u64>,
}

impl Line {
    /// What we measured, with its floor and aim.
    pub(crate) fn new(
        what: impl Into<String>,
        (ours, unit): (f64, &'static str),
        (sense, floor, aim): (Sense, f64, f64),
    ) -> Self {
        let (what, peer, void) = (what.into(), None, None);
        Self { what, ours: Some(ours), unit, peer, sense, floor, aim, void }
    }

    /// The same, void where others had too much of the machine.
    pub(crate) fn beside(self, void: Option<u64>) -> Self {
        Self { void, ..self }
    }

    /// What is held against the floor: the ratio to the peer, or the value itself.
    fn held(&self) -> Option<f64> {
        let ours = self.ours?;
        Some(self.peer.as_ref().map_or(ours, |peer| ours / peer.value))
    }

    fn verdict(&self) -> String {
        let Some(held) = self.held() else { return "not measured".to_owned() };
        let reaches = |mark: f64| match self.sense {
            Sense::AtLeast => held >= mark,
            Sense::AtMost => held <= mark,
        };
        let word = match (reaches(self.aim), reaches(self.floor)) {
            (true, _) => "aim",
            (false, true) => "floor",
            (false, false) => "MISSED",
        };
        match self.void {
            Some(percent) => format!("void ({percent} % by others): {word}"),
            None => word.to_owned(),
        }
    }
}

/// Everything that one run found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) about: Map<String, Value>,
    pub(crate) lines: Vec<Line>,
    pub(crate) parts: Map<String, Value>,
}

/// A number with three digits that count, and no more than are needed.
pub(crate) fn short(number: f64) -> String {
    if number >= 1_000_000.0 {
        format!("{:.2} M", number / 1_000_000.0)
    } else if number >= 10_000.0 {
        format!("{:.0} k", number / 1_000.0)
    } else if number >= 100.0 {
        format!("{number:.0}")
    } else if number >= 10.0 {
        format!("{number:.1}")
    } else if number >= 0.1 {
        format!("{number:.2}")
    } else {
        format!("{number:.4}")
    }
}

impl Report {
    /// Keeps what a part found, and says it at once.
    pub(crate) fn part(&mut self, name: &str, found: Value) {
        println!("{name}: {found:#}");
        self.parts.insert(name.to_owned(), found);
    }

    /// The table, as Markdown.
    pub(crate) fn table(&self) -> String {
        let mut text = String::from(
            "| what | ours | held against | value | floor | aim | |\n|---|---:|---|---:|---:|---:|---|\n",
        );
        for line in &self.lines {
            let ours = line.ours.map_or_else(|| "–".to_owned(), short);
            let peer = line.peer.as_ref();
            let against = peer.map(|peer| format!("{} {}", peer.name, short(peer.value)));
            let sign = if peer.is_some() { "x" } else { "" };
            let held = line.held().map_or_else(|| "–".to_owned(), short);
            let _written = writeln!(
                text,
                "| {} | {ours} {} | {} | {held}{sign} | {}{sign} | {}{sign} | {} |",
                line.what,
                line.unit,
                against.unwrap_or_default(),
                short(line.floor),
                short(line.aim),
                line.verdict(),
            );
        }
        text
    }

    /// All of it as JSON.
    pub(crate) fn json(&self) -> Value {
        let line = |line: &Line| {
            json!({
                "what": line.what,
                "ours": line.ours,
                "unit": line.unit,
                "peer": line.peer.as_ref().map(|peer| json!({ "name": peer.name, "value": peer.value })),
                "held": line.held(),
                "floor": line.floor,
                "aim": line.aim,
                "verdict": line.verdict(),
            })
        };
        let lines: Vec<Value> = self.lines.iter().map(line).collect();
        json!({ "about": self.about, "lines": lines, "parts": self.parts })
    }

    /// How this run stands to an earlier one, line by line: what both measured.
    pub(crate) fn against(&self, baseline: &Path) -> Result<String> {
        let text = std::fs::read_to_string(baseline).context("read the baseline")?;
        let earlier: Value = serde_json::from_str(&text).context("read the baseline")?;
        let lines = earlier["lines"].as_array().context("the baseline has no lines")?;
        let mut text = String::from("| what | before | now | ratio |\n|---|---:|---:|---:|\n");
        for line in &self.lines {
            let before = lines.iter().find(|before| before["what"] == line.what.as_str());
            let (Some(now), Some(before)) =
                (line.held(), before.and_then(|before| before["held"].as_f64()))
            else {
                continue;
            };
            let (was, is, ratio) = (short(before), short(now), now / before);
            let _written = writeln!(text, "| {} | {was} | {is} | {ratio:.2} |", line.what);
        }
        Ok(text)
    }
}

/// How many rows, in few letters.
pub(crate) fn short_count(rows: u64) -> String {
    match rows {
        0..1_000 => rows.to_string(),
        1_000..1_000_000 => format!("{} k", rows / 1_000),
        _ if rows.is_multiple_of(1_000_000) => format!("{} M", rows / 1_000_000),
        _ => format!("{}.{:02} M", rows / 1_000_000, rows % 1_000_000 / 10_000),
    }
}
