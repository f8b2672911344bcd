//! Did you mean: the nearest of a list of known words.

use envora_domain::words;

/// The known word nearest to a text, if one is near enough to be meant.
#[must_use]
pub fn did_you_mean<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    words::did_you_mean(text, known.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        let known = ["quantity", "unit", "facility_code", "source_code"];
        assert_eq!(did_you_mean(text, &known), want, "{text}");
    }

    #[test]
    fn near_words_are_meant_and_far_ones_are_not() {
        check("quantty", Some("quantity"));
        check("Quantity", Some("quantity"));
        check("uint", Some("unit"));
        check("facilty_code", Some("facility_code"));
        check("colour", None);
        check("", None);
    }
}
