//! A JSON object read strictly, field by field: every fault is collected with its pointer.

use std::collections::BTreeMap;

use envora_api::problems::{Problem, RowError};
use envora_api::spelling::did_you_mean;
use envora_domain::catalogue;
use envora_domain::codes::{CodeError, check_code};
use envora_domain::decimal::Decimal;
use envora_domain::time::{Day, Zone};
use serde_json::{Map, Value};

use crate::params::shown;

/// What to do about a field that is due.
const FILL_IN: &str = "Fill it in: it must be said.";

/// The longest text a field may have.
const TEXT_CHARS_MAX: usize = 200;

/// The fields of one object, and what was found wrong with them so far.
#[derive(Debug)]
pub struct Fields {
    object: Map<String, Value>,
    errors: Vec<RowError>,
}

/// Whether a field may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It must be there.
    Required,
    /// It may be absent or null.
    Optional,
}

impl Fields {
    /// The fields of a body, of which only those in the list may be there.
    ///
    /// # Errors
    /// 422 when it is no object.
    pub fn of(body: Value, known: &[&str]) -> Result<Self, Problem> {
        let Value::Object(object) = body else {
            return Err(Problem::validation_failed("The body is a JSON object.").with_errors(
                vec![RowError {
                    hint: Some(format!("Send {{…}} with the fields {}.", known.join(", "))),
                    ..error("wrong_type", "#", "an object is due here")
                }],
            ));
        };
        let mut fields = Self { object, errors: Vec::new() };
        let unknown: Vec<String> =
            fields.object.keys().filter(|key| !known.contains(&key.as_str())).cloned().collect();
        for key in unknown {
            let mut fault = error("unknown_field", &pointer(&key), "there is no such field");
            fault.hint = Some(did_you_mean(&key, known).map_or_else(
                || format!("The fields are {}.", known.join(", ")),
                |near| format!("Did you mean {near}?"),
            ));
            fields.errors.push(fault);
        }
        Ok(fields)
    }

    /// Whether a field is there, null included.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// Whether a field is there and null.
    #[must_use]
    pub fn is_null(&self, name: &str) -> bool {
        self.object.get(name).is_some_and(Value::is_null)
    }

    /// A text of at most 200 characters without control characters; `""` when it is absent or wrong.
    pub fn text(&mut self, name: &str, need: Need) -> String {
        match self.object.get(name) {
            None | Some(Value::Null) => {
                if need == Need::Required {
                    self.fault_with(("missing_field", name), "it is missing", FILL_IN);
                }
                String::new()
            }
            Some(Value::String(text)) => {
                let text = text.trim().to_owned();
                if text.is_empty() && need == Need::Required {
                    self.fault_with(("missing_field", name), "it is blank", FILL_IN);
                } else if text.chars().count() > TEXT_CHARS_MAX {
                    let detail = "it has more than 200 characters";
                    self.fault_with(("wrong_type", name), detail, "Shorten it.");
                } else if text.chars().any(char::is_control) {
                    let hint = "Take them out: it is text in one line, without tabs.";
                    self.fault_with(("wrong_type", name), "it has control characters", hint);
                }
                text
            }
            Some(_) => {
                let hint = "Write it in double quotes.";
                self.fault_with(("wrong_type", name), "a text is due here", hint);
                String::new()
            }
        }
    }

    /// A text of any number of lines, as it was sent; `""` when it is absent or wrong.
    pub fn lines(&mut self, name: &str, bytes_max: usize) -> String {
        match self.object.get(name) {
            Some(Value::String(text)) if text.len() <= bytes_max => {
                let text = text.clone();
                if text.trim().is_empty() {
                    self.fault_with(("missing_field", name), "it is blank", FILL_IN);
                }
                text
            }
            Some(Value::String(_)) => {
                let detail = format!("it has more than {} KiB", bytes_max >> 10);
                self.fault_with(("wrong_type", name), &detail, "Shorten it.");
                String::new()
            }
            None | Some(Value::Null) => {
                self.fault_with(("missing_field", name), "it is missing", FILL_IN);
                String::new()
            }
            Some(_) => {
                let hint = "Write it in double quotes.";
                self.fault_with(("wrong_type", name), "a text is due here", hint);
                String::new()
            }
        }
    }

    /// A code: letters, digits, `.`, `_`, `-`, `/`, `:`, at most 64, and no id.
    pub fn code(&mut self, name: &str, need: Need) -> String {
        let code = self.text(name, need);
        // Another fault of the same text is told already.
        let told = self.errors.iter().any(|error| error.pointer == Some(pointer(name)));
        if let Err(error) = check_code(&code)
            && !code.is_empty()
            && !told
        {
            let hint = match error {
                CodeError::NotACode => "Leave blanks and other signs out, or write - for them.",
                CodeError::AnId => "Choose a word of your own; what has an id is named by the id.",
            };
            self.fault_with(("wrong_type", name), &error.to_string(), hint);
        }
        code
    }

    /// An IANA time zone.
    pub fn zone(&mut self, name: &str, need: Need) -> String {
        let text = self.text(name, need);
        if !text.is_empty() && Zone::named(&text).is_err() {
            let detail = format!("{} is no IANA time zone", shown(&text));
            self.fault_with(("wrong_type", name), &detail, "Write it like Europe/London.");
        }
        text
    }

    /// A country: two upper-case letters.
    pub fn country(&mut self, name: &str, need: Need) -> String {
        let text = self.text(name, need);
        let meant = catalogue::word("country", &text);
        if !text.is_empty() && meant != Some(text.as_str()) {
            let detail = format!("{} is no country code", shown(&text));
            let hint = meant.map_or_else(
                || "Write it like GB (ISO 3166-1 alpha-2).".to_owned(),
                |meant| format!("Did you mean {meant} (ISO 3166-1 alpha-2)?"),
            );
            self.fault_with(("wrong_type", name), &detail, &hint);
        }
        text
    }

    /// A grid: a subregion of eGRID, or an EIC code.
    pub fn grid(&mut self, name: &str) -> String {
        let text = self.text(name, Need::Optional);
        if let Some(remedy) = catalogue::grid_remedy(&text).filter(|_| !text.is_empty()) {
            let detail = format!("{} is no grid that is known here", shown(&text));
            let hint = format!("{}{}", remedy[..1].to_uppercase(), &remedy[1..]);
            self.fault_with(("wrong_type", name), &detail, &hint);
        }
        text
    }

    /// That a grid is one of this country.
    pub fn grid_in(&mut self, name: &str, grid: &str, country: &str) {
        if let Some(elsewhere) = catalogue::grid_elsewhere(grid, country) {
            let hint = "Correct the grid or the country, or leave the grid out.";
            self.fault_with(("wrong_type", name), &elsewhere, hint);
        }
    }

    /// A legal entity identifier (ISO 17442): 18 letters and digits and two check digits.
    pub fn lei(&mut self, name: &str) -> String {
        let text = self.text(name, Need::Optional);
        if !text.is_empty() && !is_lei(&text) {
            let detail = format!("{} is no legal entity identifier", shown(&text));
            let hint =
                "It has 20 upper-case letters and digits, the last two of them check digits.";
            self.fault_with(("wrong_type", name), &detail, hint);
        }
        text
    }

    /// A decimal from 0 to 1, as sent.
    pub fn share(&mut self, name: &str) -> String {
        let text = self.text(name, Need::Required);
        let fits = |share: Decimal| {
            let one = 10_i128.checked_pow(u32::from(share.scale()));
            share.mantissa() >= 0 && one.is_some_and(|one| share.mantissa() <= one)
        };
        if !text.is_empty() && !Decimal::parse(&text).is_ok_and(fits) {
            let detail = format!("{} is no share", shown(&text));
            self.fault_with(
                ("not_a_number", name),
                &detail,
                "Write it like \"0.75\": from 0 to 1.",
            );
        }
        text
    }

    /// One of these words.
    pub fn one_of(&mut self, name: &str, words: &[&str]) -> String {
        let text = self.text(name, Need::Required);
        if !text.is_empty() && !words.contains(&text.as_str()) {
            let detail = format!("{} is none of its words", shown(&text));
            let hint = did_you_mean(&text, words).map_or_else(
                || format!("The words are {}.", words.join(", ")),
                |near| format!("Did you mean {near}?"),
            );
            self.fault_with(("wrong_type", name), &detail, &hint);
        }
        text
    }

    /// A day, if it is there.
    pub fn day(&mut self, name: &str) -> Option<Day> {
        let text = self.text(name, Need::Optional);
        if text.is_empty() {
            return None;
        }
        let day = Day::parse(&text).ok();
        if day.is_none() {
            let detail = format!("{} is no day", shown(&text));
            self.fault_with(("wrong_type", name), &detail, "Write it like 2022-01-31.");
        }
        day
    }

    /// The days `opened` and `closed`, as far as they are sent.
    pub fn life(&mut self, opened: &mut Option<Day>, closed: &mut Option<Day>) {
        if self.has("opened") {
            *opened = self.day("opened");
        }
        if self.has("closed") {
            *closed = self.day("closed");
        }
        if let (Some(opened), Some(closed)) = (opened, closed)
            && closed <= opened
        {
            let hint = "Correct one of the two; closed is the first day on which it is no more.";
            let detail = "it does not lie after the day of opening";
            self.fault_with(("period_reversed", "closed"), detail, hint);
        }
    }

    /// An integer within bounds, if it is there.
    pub fn integer(&mut self, name: &str, bounds: core::ops::RangeInclusive<u32>) -> Option<u32> {
        let value = self.object.get(name).filter(|value| !value.is_null())?;
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        match number.filter(|number| bounds.contains(number)) {
            Some(number) => Some(number),
            None => {
                let detail =
                    format!("an integer from {} to {} is due", bounds.start(), bounds.end());
                self.fault_with(("wrong_type", name), &detail, "Write it without quotes.");
                None
            }
        }
    }

    /// A count within bounds, if it is there.
    pub fn count(&mut self, name: &str, bounds: core::ops::RangeInclusive<u64>) -> Option<u64> {
        let value = self.object.get(name).filter(|value| !value.is_null())?;
        let number = value.as_u64().filter(|number| bounds.contains(number));
        if number.is_none() {
            let detail = format!("an integer from {} to {} is due", bounds.start(), bounds.end());
            self.fault_with(("wrong_type", name), &detail, "Write it without quotes.");
        }
        number
    }

    /// An object of texts; empty when it is absent.
    pub fn texts(&mut self, name: &str) -> BTreeMap<String, String> {
        let object = match self.object.get(name) {
            None | Some(Value::Null) => return BTreeMap::new(),
            Some(Value::Object(object)) => object.clone(),
            Some(_) => {
                let hint = "Write it like {\"facility_code\": \"b24\"}.";
                self.fault_with(("wrong_type", name), "an object of texts is due here", hint);
                return BTreeMap::new();
            }
        };
        let mut texts = BTreeMap::new();
        for (key, value) in object {
            let text = value.as_str().filter(|text| text.chars().count() <= TEXT_CHARS_MAX);
            match text {
                Some(text) => drop(texts.insert(key, text.to_owned())),
                None => {
                    let hint = "Write it in double quotes, with at most 200 characters.";
                    self.fault_with(("wrong_type", name), "each of its values is a text", hint);
                }
            }
        }
        texts
    }

    /// Yes or no, if it is there.
    pub fn truth(&mut self, name: &str) -> Option<bool> {
        let truth = self.object.get(name)?.as_bool();
        if truth.is_none() {
            let hint = "Write it without quotes.";
            self.fault_with(("wrong_type", name), "true or false is due here", hint);
        }
        truth
    }

    /// Notes a fault of a field.
    pub fn fault(&mut self, code: &str, name: &str, detail: &str) {
        self.errors.push(error(code, &pointer(name), detail));
    }

    /// Notes a fault of a field, with what to do.
    pub fn fault_with(&mut self, (code, name): (&str, &str), detail: &str, hint: &str) {
        let mut fault = error(code, &pointer(name), detail);
        fault.hint = Some(hint.to_owned());
        self.errors.push(fault);
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// 422 with every fault.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            return Ok(());
        }
        let detail = match self.errors.as_slice() {
            [only] => {
                let field = only.pointer.clone().unwrap_or_default();
                format!("{field}: {}. Correct it and send it again.", only.detail)
            }
            more => format!("{} fields are wrong. Correct them and send it again.", more.len()),
        };
        Err(Problem::validation_failed(detail).with_errors(self.errors))
    }
}

/// Whether 20 letters and digits have the right check digits: as a number, with A as 10 to Z as 35, they
/// leave 1 when divided by 97.
fn is_lei(text: &str) -> bool {
    let rest = text.chars().try_fold(0_u32, |rest, letter| {
        let digit = letter.to_digit(36).filter(|_| !letter.is_ascii_lowercase())?;
        Some((rest * if digit < 10 { 10 } else { 100 } + digit) % 97)
    });
    text.len() == 20 && rest == Some(1)
}

/// An error of one field.
#[must_use]
pub fn error(code: &str, pointer: &str, detail: &str) -> RowError {
    RowError {
        code: code.to_owned(),
        pointer: Some(pointer.to_owned()),
        detail: detail.to_owned(),
        ..RowError::default()
    }
}

/// JSON Pointer of a top-level field, as a fragment.
fn pointer(name: &str) -> String {
    let clean: String = name.chars().filter(|letter| !letter.is_control()).take(80).collect();
    format!("#/{}", clean.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Fields, Need};

    #[test]
    fn all_faults_are_found_at_once() {
        let body = json!({"cod": "a", "name": 5, "country": "gb", "time_zone": "Europe/Londn", "opened": "2022-02-30"});
        let mut fields = Fields::of(body, &["code", "name", "country", "time_zone", "opened"])
            .expect("an object");
        fields.code("code", Need::Required);
        fields.text("name", Need::Required);
        fields.country("country", Need::Required);
        fields.zone("time_zone", Need::Optional);
        fields.day("opened");
        let problem = fields.finish().expect_err("faults");
        let found: Vec<(&str, &str)> = problem
            .errors
            .iter()
            .map(|error| (error.code.as_str(), error.pointer.as_deref().unwrap_or("")))
            .collect();
        let want = [
            ("unknown_field", "#/cod"),
            ("missing_field", "#/code"),
            ("wrong_type", "#/name"),
            ("wrong_type", "#/country"),
            ("wrong_type", "#/time_zone"),
            ("wrong_type", "#/opened"),
        ];
        assert_eq!(found, want);
        assert_eq!(problem.errors[0].hint.as_deref(), Some("Did you mean code?"));
    }

    #[test]
    fn a_body_is_an_object() {
        assert!(Fields::of(json!([1]), &[]).is_err_and(|problem| problem.status == 422));
    }
}
