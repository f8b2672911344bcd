//! Query parameters, strictly: an unknown one is refused, and the nearest known one is named.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use axum_extra::extract::Query;
use envora_api::problems::{Problem, RowError};
use envora_api::spelling::did_you_mean;
use envora_domain::activities::validate::is_of_periods;
use envora_domain::time::Day;

use crate::refusals::Refusal;

/// How many items a page has when nothing is said.
pub const LIMIT_DEFAULT: usize = 100;
/// How many items a page may have.
pub const LIMIT_MAX: usize = 1_000;

/// The parameters of a request, as sent.
#[derive(Clone, Debug)]
pub struct Params {
    pairs: Vec<(String, String)>,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Ok(Self::of(&parts.uri)?)
    }
}

impl Params {
    /// The parameters of this address.
    ///
    /// # Errors
    /// 400 when the query is not URL-encoded UTF-8.
    pub fn of(uri: &Uri) -> Result<Self, Problem> {
        let query = uri.query().unwrap_or("");
        if has_bent_escape(query) {
            return Err(Problem::unknown_parameter("The query is not URL-encoded UTF-8."));
        }
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Problem::unknown_parameter("The query is not URL-encoded UTF-8."))?;
        if pairs.iter().any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}'))
        {
            return Err(Problem::unknown_parameter("The query is not URL-encoded UTF-8."));
        }
        let control = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t');
        if let Some((name, _)) = pairs.iter().find(|(_, value)| value.contains(control)) {
            let detail = format!("{} has a control character. Take it out.", shown(name));
            return Err(refused(name, detail));
        }
        Ok(Self { pairs })
    }

    /// These pairs as parameters; those left empty, as forms send them, are not there.
    #[must_use]
    pub fn of_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let said = pairs.into_iter().filter(|(_, value)| !value.trim().is_empty());
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.trim().to_owned());
        Self { pairs: said.map(own).collect() }
    }

    /// The same without the parameters that were left empty.
    #[must_use]
    pub fn said(&self) -> Self {
        Self::of_pairs(self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// The same with this parameter instead of any of its name.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let others = self.pairs.iter().filter(|(other, _)| other != name);
        let others = others.map(|(name, value)| (name.as_str(), value.as_str()));
        Self::of_pairs(others.chain([(name, value)]))
    }

    /// Refuses what is not in the list.
    ///
    /// # Errors
    /// 400, with did-you-mean.
    pub fn only(&self, known: &[&str]) -> Result<(), Problem> {
        let unknown = self.pairs.iter().find(|(name, _)| !known.contains(&name.as_str()));
        let Some((name, _)) = unknown else { return Ok(()) };
        let hint = match did_you_mean(name, known) {
            Some(near) => format!("Did you mean {near}?"),
            None if known.is_empty() => "This route takes none.".to_owned(),
            None => format!("This route takes {}.", known.join(", ")),
        };
        let detail = format!("There is no parameter {}. {hint}", shown(name));
        Err(of_parameter(name, detail, Some(hint)))
    }

    /// The parameter's one value, if it is there.
    ///
    /// # Errors
    /// 400 when it is there twice.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.many(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(refused(name, format!("{name} may be given once."))),
            None => Ok(first),
        }
    }

    /// All values of a parameter that may be repeated.
    pub fn many(&self, name: &str) -> impl Iterator<Item = &str> {
        let name = name.to_owned();
        self.pairs.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that must be there.
    ///
    /// # Errors
    /// 400.
    pub fn required(&self, name: &str) -> Result<&str, Problem> {
        self.one(name)?.ok_or_else(|| refused(name, format!("The parameter {name} is missing.")))
    }

    /// A day.
    ///
    /// # Errors
    /// 400.
    pub fn day(&self, name: &str) -> Result<Option<Day>, Problem> {
        self.read(name, "a day of the years 1900 to 2199, such as 2022-01-31", |text| {
            Day::parse(text).ok().filter(|day| is_of_periods(*day))
        })
    }

    /// An integer.
    ///
    /// # Errors
    /// 400.
    pub fn integer(&self, name: &str) -> Result<Option<u64>, Problem> {
        self.read(name, "an integer from 0", |text| {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
        })
    }

    /// How many items a page is to have.
    ///
    /// # Errors
    /// 400 when it is not 1 to 1000.
    pub fn limit(&self) -> Result<usize, Problem> {
        let limit = self.read("limit", "1 to 1000", |text| {
            text.parse::<usize>().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))
        })?;
        Ok(limit.unwrap_or(LIMIT_DEFAULT))
    }

    /// The parameter read by a function; `wanted` says what it should have been.
    ///
    /// # Errors
    /// 400.
    pub fn read<T>(
        &self,
        name: &str,
        wanted: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        if let Some(value) = read(text) {
            return Ok(Some(value));
        }
        let detail = format!("{name} is {wanted}, not {}.", shown(text));
        if let Some(words) = several(text, wanted) {
            let hint = format!("It takes one of them at a time: {words}.");
            return Err(of_parameter(name, format!("{detail} {hint}"), Some(hint)));
        }
        Err(match meant(text, wanted) {
            Some(word) => {
                let hint = format!("Did you mean {word}?");
                of_parameter(name, format!("{detail} {hint}"), Some(hint))
            }
            None => refused(name, detail),
        })
    }

    /// The pairs in sorted order, for fingerprints; without those named.
    #[must_use]
    pub fn sorted_without(&self, left_out: &[&str]) -> String {
        let mut pairs: Vec<String> = self
            .pairs
            .iter()
            .filter(|(name, _)| !left_out.contains(&name.as_str()))
            .map(|(name, value)| format!("{}={value}", name))
            .collect();
        pairs.sort_unstable();
        pairs.join("&")
    }

    /// The pairs as a query again; without those named.
    #[must_use]
    pub fn encoded_without(&self, left_out: &[&str]) -> String {
        let pairs = self.pairs.iter().filter(|(name, _)| !left_out.contains(&name.as_str()));
        pairs
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect::<Vec<_>>()
            .join("&")
    }
}

/// Of several words where one is due, those of the list that are meant; nothing unless all are.
fn several(text: &str, wanted: &str) -> Option<String> {
    if !text.contains(',') {
        return None;
    }
    let known = words_of(wanted);
    let word = |word: &str| {
        let own = known.iter().copied().find(|known| *known == word);
        own.or_else(|| meant(word, wanted))
    };
    let words: Option<Vec<&str>> = text.split(',').map(|part| word(part.trim())).collect();
    Some(words?.join(" or "))
}

/// The words of a list such as `day, month or year`.
fn words_of(wanted: &str) -> Vec<&str> {
    wanted.split(", ").flat_map(|word| word.split(" or ")).collect()
}

/// The word of a list such as `day, month or year` that a mistyped one is near to.
fn meant<'a>(text: &str, wanted: &'a str) -> Option<&'a str> {
    let words = words_of(wanted);
    let is_list = words.len() > 1 && words.iter().all(|word| !word.contains(' '));
    // `ar7` is no slip of `ar4`: another number is another thing.
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let near = did_you_mean(text, &words).filter(|near| digits(near) == digits(text));
    is_list.then_some(near)?
}

/// 400 for a parameter, which the problem names.
#[must_use]
pub fn refused(name: &str, detail: String) -> Problem {
    of_parameter(name, detail, None)
}

fn of_parameter(name: &str, detail: String, hint: Option<String>) -> Problem {
    let clean = name.chars().filter(|letter| !letter.is_control()).take(80).collect();
    Problem::unknown_parameter(detail.clone()).with_errors(vec![RowError {
        code: "unknown_parameter".to_owned(),
        parameter: Some(clean),
        detail,
        hint,
        ..RowError::default()
    }])
}

/// A text as it stands in a query: everything but letters, digits and `-._~` as `%XX`.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// A percent sign without two hex digits after it.
fn has_bent_escape(query: &str) -> bool {
    let bytes = query.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        let digit = |offset: usize| bytes.get(at + offset).is_some_and(u8::is_ascii_hexdigit);
        *byte == b'%' && !(digit(1) && digit(2))
    })
}

/// A text from outside as it may stand in a sentence: short, without control characters, in quotes.
#[must_use]
pub fn shown(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
        .take(80)
        .collect();
    format!("\u{201c}{clean}\u{201d}")
}

#[cfg(test)]
mod tests {
    use axum::http::Uri;

    use super::Params;

    fn params(query: &str) -> Params {
        Params::of(&format!("/x?{query}").parse::<Uri>().expect("a URI")).expect("a query")
    }

    #[test]
    fn unknown_parameters_are_refused_and_the_near_one_is_named() {
        let problem = params("limt=5").only(&["limit", "cursor"]).expect_err("unknown");
        assert_eq!((problem.status, problem.code.as_str()), (400, "unknown_parameter"));
        assert!(problem.detail.contains("Did you mean limit?"), "{}", problem.detail);
        assert!(params("limit=5&cursor=a").only(&["limit", "cursor"]).is_ok());
    }

    #[test]
    fn the_near_word_of_a_list_is_named() {
        let words = "facility, month, scope or source_type";
        let refused = |query| params(query).read("by", words, |_| None::<()>).expect_err("refused");
        let near = refused("by=facilty");
        assert!(near.detail.ends_with(". Did you mean facility?"), "{}", near.detail);
        assert!(near.errors.iter().all(|error| error.hint.is_some()));
        assert!(!refused("by=colour").detail.contains("Did you mean"));
        let several = refused("by=facility,mnth");
        assert!(several.detail.ends_with(" at a time: facility or month."), "{}", several.detail);
        assert!(!refused("by=facility,colour").detail.contains("at a time"));
        let sentence = params("day=days").read("day", "a day, or two days", |_| None::<()>);
        assert!(sentence.is_err_and(|problem| !problem.detail.contains("Did you mean")));
    }

    #[test]
    fn values_are_read_or_refused() {
        assert_eq!(params("").limit(), Ok(100));
        assert_eq!(params("limit=1000").limit(), Ok(1000));
        for bad in ["limit=0", "limit=1001", "limit=x", "limit=", "limit=5&limit=5", "limit=-1"] {
            assert_eq!(params(bad).limit().map_err(|problem| problem.status), Err(400), "{bad}");
        }
        for day in ["2022-02-30", "0022-01-01", "1899-12-31", "2200-01-02", "9999-12-31"] {
            assert!(params(&format!("from={day}")).day("from").is_err(), "{day}");
        }
        for day in ["1900-01-01", "2199-12-31", "2200-01-01"] {
            assert!(params(&format!("to={day}")).day("to").is_ok(), "{day}");
        }
        assert!(params("from=2022-02-28").day("from").is_ok_and(|day| day.is_some()));
        assert_eq!(params("a=1&b=2&a=0").sorted_without(&["b"]), "a=0&a=1");
        assert_eq!(params("a=b%20c").one("a"), Ok(Some("b c")));
        for bent in ["a=%zz", "a=%", "a=%f", "a=%ff"] {
            assert!(Params::of(&format!("/x?{bent}").parse().expect("a URI")).is_err(), "{bent}");
        }
    }
}
