//! What a proposed mapping asks, read back out of its text, and answered in it.
//!
//! A proposal writes a question as `# ? …`, and below it each answer as a comment; who edits the text by
//! hand takes the `#` off one of them. Here a form does that, so the text alone says what is still open.

use core::cmp::Ordering;

/// A question of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    /// What is asked.
    pub(super) asks: String,
    /// What can be answered.
    pub(super) choices: Vec<Choice>,
    /// The line it stands on, from 0.
    line: usize,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// What the mapping says then.
    pub(super) says: String,
    /// What that means.
    pub(super) means: String,
    /// Its lines.
    lines: core::ops::Range<usize>,
}

const ASKS: &str = "# ? ";
/// How wide the column of answers is; a longer one goes over it.
const SAYS_CHARS: usize = 44;

/// The questions that a mapping still asks.
pub(super) fn questions(toml: &str) -> Vec<Question> {
    let mut found: Vec<Question> = Vec::new();
    let mut is_asked = false;
    for (line, text) in toml.lines().enumerate() {
        if let Some(asks) = text.strip_prefix(ASKS) {
            found.push(Question { asks: asks.to_owned(), choices: Vec::new(), line });
            is_asked = true;
            continue;
        }
        let Some(text) = text.strip_prefix("# ").filter(|_| is_asked) else {
            is_asked = false;
            continue;
        };
        let Some(question) = found.last_mut() else { continue };
        match (choice_of(text), question.choices.last_mut()) {
            (Line::Choice(says, means), _) => question.choices.push(Choice {
                says: says.to_owned(),
                means: means.to_owned(),
                lines: line..line + 1,
            }),
            // An answer of several lines.
            (Line::More, Some(choice)) => {
                choice.says.push('\n');
                choice.says.push_str(text);
                choice.lines.end = line + 1;
            }
            (Line::More, None) | (Line::Other, _) => is_asked = false,
        }
    }
    found
}

/// What a comment below a question is.
enum Line<'a> {
    /// An answer, and what it means.
    Choice(&'a str, &'a str),
    /// The answer above goes on.
    More,
    /// No answer: a remark on what may stand there.
    Other,
}

/// Answers stand in a column of their own, what they mean beside it.
fn choice_of(text: &str) -> Line<'_> {
    let Some((says, means)) = text.rsplit_once(" # ") else { return Line::More };
    match says.chars().count().cmp(&SAYS_CHARS) {
        Ordering::Less => Line::Other,
        Ordering::Greater if says.ends_with(' ') => Line::Other,
        Ordering::Equal | Ordering::Greater => Line::Choice(says.trim_end(), means),
    }
}

/// The mapping with these questions answered, each by one of its choices, both from 0. Once none is open,
/// it no longer says that some are.
pub(super) fn answered(toml: &str, answers: &[(usize, usize)]) -> String {
    let asked = questions(toml);
    let mut lines: Vec<String> = toml.lines().map(str::to_owned).collect();
    let mut open = asked.len();
    for (question, choice) in answers {
        let Some(question) = asked.get(*question) else { continue };
        let Some(choice) = question.choices.get(*choice) else { continue };
        if let Some(line) = lines.get_mut(question.line) {
            *line = line.replacen(ASKS, "# ", 1);
        }
        for line in lines.get_mut(choice.lines.clone()).into_iter().flatten() {
            *line = line.replacen("# ", "", 1);
        }
        open = open.saturating_sub(1);
    }
    if open == 0 && !asked.is_empty() {
        lines.retain(|line| !line.starts_with("unanswered = "));
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use envora_ingest::sniff::{look, propose};

    use super::*;

    #[test]
    fn an_answer_takes_the_sign_off_its_lines_and_the_last_one_closes_the_mapping() {
        let choice = |says: &str, means: &str| format!("# {says:<44} # {means}\n");
        let text = [
            "unanswered = 2   # delete\nmapping = \"m\"\n# ? start or end?\n",
            &choice("a = 1", "the start"),
            &choice("b = 2", "the end"),
            "# c = 3\n# remark = 4   # no answer\nkept = 1\n# ? which?\n",
            &choice(&"d".repeat(50), "this"),
        ]
        .concat();
        let text = text.as_str();
        let asked = questions(text);
        let said: Vec<Vec<&str>> = asked
            .iter()
            .map(|one| one.choices.iter().map(|choice| choice.says.as_str()).collect())
            .collect();
        assert_eq!(said, [vec!["a = 1", "b = 2\nc = 3"], vec!["d".repeat(50).as_str()]]);
        let half = answered(text, &[(0, 1)]);
        assert!(
            half.contains("\nb = 2 ") && half.contains(" # the end\nc = 3\n# remark"),
            "{half}"
        );
        assert!(half.contains("# a = 1") && half.starts_with("unanswered"), "{half}");
        assert_eq!(questions(&half).len(), 1);
        let whole = answered(&half, &[(0, 0)]);
        assert!(whole.starts_with("mapping") && whole.ends_with("dd # this\n"), "{whole}");
        assert_eq!(answered(text, &[(7, 0), (0, 9)]), text, "what is not asked is not answered");
    }

    #[test]
    fn what_a_proposal_asks_is_read_back_as_it_was_asked() {
        for file in [
            "when,strom [kWh]\n2022-06-01 07:00,5.5\n2022-06-01 08:00,6.5\n2022-06-01 09:00,7.5\n",
            "day,amount\n01.02.2022,1.500\n02.03.2022,2.500\n",
        ] {
            let proposal = propose(&look(file.as_bytes()).expect("a table"), "m");
            let asked = questions(&proposal.mapping);
            assert!(!asked.is_empty(), "{}", proposal.mapping);
            assert_eq!(asked.len(), proposal.questions.len(), "{}", proposal.mapping);
            for (here, there) in asked.iter().zip(&proposal.questions) {
                assert!(here.asks.starts_with(&there.asks), "{here:?}");
                let says: Vec<&str> = here.choices.iter().map(|one| one.says.as_str()).collect();
                let wanted: Vec<&str> = there.choices.iter().map(|one| one.says.as_str()).collect();
                assert_eq!(says, wanted, "{}", proposal.mapping);
            }
        }
    }
}
