//! Did you mean: the nearest of a few known words.

/// The known word nearest to a text, if one is near enough to be meant.
#[must_use]
pub fn did_you_mean<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let allowed = 1 + text.chars().count() / 4;
    let lower = text.to_lowercase();
    known
        .iter()
        .map(|word| (distance(&lower, word), *word))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, word)| word)
}

/// How many letters have to be put in, taken out, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let changed = last[j] + usize::from(letter != other);
            let mut best = changed.min(last[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *other && b[j - 1] == *letter {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = last;
        last = next;
    }
    last[b.len()]
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
