//! The page about SQL lists every column there is, with its type and what it means, and no other.

use envora_query::columns::{Column, Columns as _};
use envora_query::tables::activities::ActivityColumn;
use envora_query::tables::emissions::EmissionColumn;
use envora_query::tables::rejected::RejectedColumn;

#[test]
fn the_page_lists_the_columns() {
    let page = std::fs::read_to_string("../../docs/how-to/ask-with-sql.md").unwrap();
    let line = |column: &Column| {
        format!("| `{}` | {} | {} |", column.name, column.kind.sql(), column.about)
    };
    let mut wanted: Vec<String> = ActivityColumn::list().iter().map(line).collect();
    wanted.extend(RejectedColumn::list().iter().map(line));
    wanted.extend(EmissionColumn::list().iter().map(line));
    let (_, tables) = page.split_once("## The columns of `activities`").unwrap();
    let listed: Vec<&str> = tables.lines().filter(|line| line.starts_with("| `")).collect();
    assert_eq!(listed, wanted);
}
