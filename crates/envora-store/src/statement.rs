//! Statements by name, so that a test can tell which of them ran on which engine.
//!
//! SQL is written with `?1`; `PostgreSQL` gets `$1`. Not the other way round: `SQLite` takes `$2` for
//! a name numbered by first appearance and would swap arguments silently.

/// One named SQL text.
#[derive(Debug)]
pub struct Statement {
    /// The name of its constant, unique in this crate.
    pub name: &'static str,
    /// The text, with `?1` for the first parameter.
    pub sql: &'static str,
}

/// Lists a file's statements: a constant each, and `STATEMENTS` with all of them.
macro_rules! statements {
    ($($name:ident = $sql:literal;)*) => {
        $(const $name: &$crate::statement::Statement =
            &$crate::statement::Statement { name: stringify!($name), sql: $sql };)*
        pub(crate) const STATEMENTS: &[&$crate::statement::Statement] = &[$($name),*];
    };
}
pub(crate) use statements;

/// Every statement of the crate, for the check at start and the test that each one ran.
pub fn all() -> impl Iterator<Item = &'static Statement> {
    [
        crate::audit::STATEMENTS,
        crate::blocks::STATEMENTS,
        crate::cells::STATEMENTS,
        crate::rollups::STATEMENTS,
        crate::chosen::STATEMENTS,
        crate::credentials::STATEMENTS,
        crate::entities::STATEMENTS,
        crate::facilities::STATEMENTS,
        crate::idempotency::STATEMENTS,
        crate::imports::STATEMENTS,
        crate::likenesses::STATEMENTS,
        crate::mappings::STATEMENTS,
        crate::mentions::STATEMENTS,
        crate::migrations::STATEMENTS,
        crate::organization::STATEMENTS,
        crate::packs::STATEMENTS,
        crate::parts::STATEMENTS,
        crate::restores::STATEMENTS,
        crate::runs::STATEMENTS,
        crate::segments::STATEMENTS,
        crate::sessions::STATEMENTS,
        crate::sources::STATEMENTS,
        crate::supersessions::STATEMENTS,
        crate::suppliers::STATEMENTS,
        crate::unresolved::STATEMENTS,
        crate::whys::STATEMENTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// The text as `PostgreSQL` reads it: `?1` becomes `$1`; question marks inside quotes stay.
pub(crate) fn for_postgres(sql: &str) -> String {
    let mut quoted = false;
    sql.chars()
        .map(|letter| match letter {
            '\'' => {
                quoted = !quoted;
                letter
            }
            '?' if !quoted => '$',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn question_marks_become_dollars_outside_quotes() {
        assert_eq!(
            for_postgres("a = ?1 AND b = '?' AND c = ?12"),
            "a = $1 AND b = '?' AND c = $12"
        );
    }

    #[test]
    fn names_are_unique_and_texts_portable() {
        let mut names = BTreeSet::new();
        for statement in all() {
            assert!(names.insert(statement.name), "{} twice", statement.name);
            let upper = statement.sql.to_uppercase();
            for banned in ["SUM(", "NOW(", "RANDOM(", "CURRENT_TIMESTAMP", "FOR UPDATE", "$1"] {
                assert!(!upper.contains(banned), "{} holds {banned}", statement.name);
            }
        }
    }
}
