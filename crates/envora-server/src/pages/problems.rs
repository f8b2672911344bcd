//! What is wrong with rows, grouped: the same fault in many rows is one thing to mend.

use std::collections::BTreeMap;

use envora_api::problems::RowError;

use super::words;

/// How many rows of a group are shown.
const SHOWN_MAX: usize = 12;

/// One fault, with the rows that have it.
pub(super) struct Fault {
    pub(super) title: String,
    pub(super) tone: &'static str,
    pub(super) rows_words: String,
    /// What mends all of them; empty when each row has its own.
    pub(super) remedy: String,
    pub(super) rows: Vec<Place>,
    pub(super) more: Option<String>,
}

/// One row with the fault.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) line: String,
    pub(super) field: String,
    pub(super) value: String,
    pub(super) detail: String,
    pub(super) remedy: String,
}

/// Groups errors, each with the outcome of its row: by outcome and code, the largest group first.
pub(super) fn grouped<'a>(errors: impl IntoIterator<Item = (&'a str, &'a RowError)>) -> Vec<Fault> {
    let mut groups: BTreeMap<(&str, &str), Vec<Place>> = BTreeMap::new();
    for (outcome, error) in errors {
        groups.entry((outcome, &error.code)).or_default().push(place(error));
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, rows)| core::cmp::Reverse(rows.len()));
    groups.into_iter().map(|((outcome, code), rows)| fault(outcome, code, rows)).collect()
}

fn fault(outcome: &str, code: &str, mut rows: Vec<Place>) -> Fault {
    let all = |of: fn(&Place) -> &String| {
        let first = rows.first().map(of)?;
        rows.iter().all(|row| of(row) == first).then(|| first.clone())
    };
    let (field, remedy) = (all(|row| &row.field), all(|row| &row.remedy).unwrap_or_default());
    let count = |rows: usize| words::count(u64::try_from(rows).unwrap_or(0), "row", "rows");
    let (rows_words, left) = (count(rows.len()), rows.len().saturating_sub(SHOWN_MAX));
    rows.truncate(SHOWN_MAX);
    let title = words::code(code);
    Fault {
        // "Unknown unit in unit" says nothing that "Unknown unit" does not.
        title: field
            .filter(|field| !title.to_lowercase().contains(&field.replace('_', " ")))
            .map_or(title.clone(), |field| format!("{title} in {field}")),
        tone: if outcome == "rejected" { "rejected" } else { "waits" },
        rows_words,
        remedy,
        rows,
        more: (left > 0).then(|| format!("and {} like these", count(left))),
    }
}

fn place(error: &RowError) -> Place {
    Place {
        line: error.row.map_or_else(|| "–".to_owned(), |row| row.line.to_string()),
        field: field(error),
        value: error.value.clone().unwrap_or_default(),
        detail: words::prose(&error.detail),
        remedy: error.hint.as_deref().map(words::prose).unwrap_or_default(),
    }
}

/// The column as the file names it, else the field; else the row itself.
fn field(error: &RowError) -> String {
    let pointed = || {
        let last = error.pointer.as_deref()?.rsplit('/').next()?;
        let is_name = last.chars().any(|letter| letter.is_ascii_alphabetic());
        is_name.then(|| last.to_owned())
    };
    let named = error.column.clone().or_else(pointed).or_else(|| error.parameter.clone());
    named.unwrap_or_else(|| "the row".to_owned())
}

#[cfg(test)]
mod tests {
    use envora_api::problems::RowPlace;

    use super::*;

    fn error(line: u64, value: &str) -> RowError {
        RowError {
            code: "unknown_unit".to_owned(),
            pointer: Some(format!("#/rows/{line}/unit")),
            row: Some(RowPlace { record: line - 1, line }),
            value: Some(value.to_owned()),
            detail: format!("`{value}` is no unit"),
            hint: Some("write kW.h".to_owned()),
            ..RowError::default()
        }
    }

    #[test]
    fn the_same_fault_is_one_thing_to_mend() {
        let errors: Vec<RowError> = (2..=20).map(|line| error(line, "kwhh")).collect();
        let site = Some("Site".to_owned());
        let other = RowError { column: site.clone(), hint: None, ..error(3, "b99") };
        let third = RowError { column: site, ..error(4, "b98") };
        let all = errors
            .iter()
            .map(|error| ("rejected", error))
            .chain([("quarantined", &other), ("quarantined", &third)]);
        let faults = grouped(all);
        let [first, second] = &faults[..] else { unreachable!("two groups") };
        assert_eq!((first.title.as_str(), first.rows.len()), ("Unknown unit", SHOWN_MAX));
        assert_eq!(first.rows_words, "19\u{a0}rows");
        assert_eq!(first.more.as_deref(), Some("and 7\u{a0}rows like these"));
        assert_eq!((first.remedy.as_str(), second.tone), ("Write kW.h.", "waits"));
        assert_eq!((second.title.as_str(), second.remedy.as_str()), ("Unknown unit in Site", ""));
        assert_eq!(second.rows.first().map(|row| row.field.as_str()), Some("Site"));
    }
}
