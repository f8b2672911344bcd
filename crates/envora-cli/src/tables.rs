//! Tables: aligned for people, tab-separated for programs, CSV where that is asked for.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, TableStyle, Width};

use crate::terminal::Channel;

/// How wide a table for people may get.
const WIDTH_MAX: u16 = 118;

/// On which side a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// How a table is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// In columns that line up.
    Aligned,
    /// A record per line, tabs between fields.
    Tabs,
    /// RFC 4180, but lines end as everywhere here.
    Csv,
}

/// Tables of more rows stay tables, however narrow the terminal: they are to be looked through.
const RECORDS_MAX: usize = 8;

/// How wide a table on this channel may get.
fn width(to: &Channel) -> u16 {
    to.columns.unwrap_or(WIDTH_MAX).min(WIDTH_MAX)
}

/// Rows under headers.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<(String, Side)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headers; one that begins with `>` stands to the right, as numbers do.
    #[must_use]
    pub fn new(headers: &[&str]) -> Self {
        let column = |header: &&str| match header.strip_prefix('>') {
            Some(number) => (number.to_owned(), Side::Right),
            None => ((*header).to_owned(), Side::Left),
        };
        Self { columns: headers.iter().map(column).collect(), rows: Vec::new() }
    }

    /// Adds a row, a cell per header.
    pub fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Writes it as this channel's reader wants it.
    pub fn print(&self, to: &mut Channel) {
        match to.layout {
            Layout::Aligned => self.print_for_people(to),
            Layout::Tabs => to.text(self.for_programs()),
            Layout::Csv => to.text(self.as_csv()),
        }
    }

    /// Writes it for people wherever it goes, no wider than their terminal as far as its words allow.
    pub fn print_for_people(&self, to: &mut Channel) {
        let (width, text) = (width(to), self.laid_out(width(to)));
        let is_wider = text.lines().any(|line| line.chars().count() > usize::from(width));
        if to.columns.is_some() && is_wider && self.rows.len() <= RECORDS_MAX {
            to.text(self.as_records());
        } else {
            to.text(text);
        }
    }

    /// A line for each cell, after its header, and a blank one between rows: what a terminal that is too
    /// narrow for the columns does not tear.
    fn as_records(&self) -> String {
        let headers = self.columns.iter().map(|(header, _)| header);
        let widest = headers.clone().map(|header| header.chars().count()).max().unwrap_or(0);
        let record = |row: &Vec<String>| -> String {
            let cells = headers.clone().zip(row);
            cells.map(|(header, cell)| format!("{header:<widest$}  {cell}\n")).collect()
        };
        self.rows.iter().map(record).collect::<Vec<_>>().join("\n")
    }

    /// Writes its rows alone, below those that were written before.
    pub fn print_rows(&self, to: &mut Channel) {
        let text = match to.layout {
            Layout::Aligned => self.laid_out(width(to)),
            Layout::Tabs => self.for_programs(),
            Layout::Csv => self.as_csv(),
        };
        let heading = if to.layout == Layout::Aligned { 2 } else { 1 };
        to.text(text.split_inclusive('\n').skip(heading).collect::<String>());
    }

    /// Writes it for people wherever it goes, set in by two.
    pub fn print_indented(&self, to: &mut Channel) {
        for line in self.laid_out(width(to).saturating_sub(2)).lines() {
            to.line(format!("  {line}"));
        }
    }

    /// Aligned, a rule under the headers, no frame; long cells are wrapped.
    #[must_use]
    pub fn for_people(&self) -> String {
        self.laid_out(WIDTH_MAX)
    }

    fn laid_out(&self, width_max: u16) -> String {
        let mut table = comfy_table::Table::new();
        table
            .load_style(style())
            .force_no_tty()
            .set_width(width_max)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(self.columns.iter().map(|(header, _)| header.clone()));
        for row in &self.rows {
            table.add_row(row.clone());
        }
        for (place, (header, side)) in self.columns.iter().enumerate() {
            let Some(column) = table.column_mut(place) else { continue };
            let padding: u16 = if place == 0 { 0 } else { 1 };
            column.set_padding((padding, 1));
            if *side == Side::Right {
                column.set_cell_alignment(CellAlignment::Right);
            }
            // Numbers stay whole, and texts are broken between words only.
            let cells = self.rows.iter().filter_map(|row| row.get(place)).chain([header]);
            let widest = match side {
                Side::Right => cells.map(|cell| cell.chars().count()).max(),
                Side::Left => {
                    cells.flat_map(|cell| cell.split(' ')).map(|word| word.chars().count()).max()
                }
            };
            let width = u16::try_from(widest.unwrap_or(0)).unwrap_or(WIDTH_MAX);
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(
                width.saturating_add(padding + 1),
            )));
        }
        table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// Headers, then a record per line, tabs between fields; tabs and line ends in a cell are blanks.
    #[must_use]
    pub fn for_programs(&self) -> String {
        let field = |cell: &str| cell.replace(['\t', '\n', '\r'], " ");
        let line = |cells: Vec<String>| format!("{}\n", cells.join("\t"));
        let headers = line(self.columns.iter().map(|(header, _)| field(header)).collect());
        let rows = self.rows.iter().map(|row| line(row.iter().map(|cell| field(cell)).collect()));
        core::iter::once(headers).chain(rows).collect()
    }

    /// Headers, then a record per line, commas between fields, quotes where a field needs them.
    #[must_use]
    pub fn as_csv(&self) -> String {
        let field = |cell: &str| {
            let needs_quotes = cell.contains([',', '"', '\n', '\r']);
            if needs_quotes {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.to_owned()
            }
        };
        let line = |cells: Vec<String>| format!("{}\n", cells.join(","));
        let headers = line(self.columns.iter().map(|(header, _)| field(header)).collect());
        let rows = self.rows.iter().map(|row| line(row.iter().map(|cell| field(cell)).collect()));
        core::iter::once(headers).chain(rows).collect()
    }
}

fn style() -> TableStyle {
    use comfy_table::LineStyle;
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'))
}

#[cfg(test)]
mod tests {
    use super::Table;

    fn table() -> Table {
        let mut table = Table::new(&["file", ">rows", "why"]);
        table.row(["b2_gas_2022.csv", "8,760", ""]);
        table.row(["x.csv", "7", "a\tb"]);
        table
    }

    #[test]
    fn people_see_columns_that_line_up() {
        let want = "file               rows   why\n\
                    ──────────────────────────────\n\
                    b2_gas_2022.csv   8,760\n\
                    x.csv                 7   a b\n";
        assert_eq!(table().for_people().replace('\t', " "), want);
    }

    #[test]
    fn a_table_too_wide_is_broken_between_words() {
        let mut table = Table::new(&["facility", ">t CO2e", "name"]);
        table.row(["engineering-laboratory-north", "1,234.567", "A name of several words"]);
        for _ in 0..3 {
            table.columns.push(("another column".to_owned(), super::Side::Left));
        }
        let long = "Structural Engineering Laboratory at the West Site";
        table.row(["b2", "1", long, long, long, long]);
        let text = table.for_people();
        for word in ["engineering-laboratory-north", "1,234.567", "Engineering", "Laboratory"] {
            assert!(text.contains(word), "{word} in\n{text}");
        }
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        let mut table = Table::new(&["name", ">rows"]);
        table.row(["a, \"b\"", "1"]);
        assert_eq!(table.as_csv(), "name,rows\n\"a, \"\"b\"\"\",1\n");
        assert_eq!(Table::new(&["name"]).as_csv(), "name\n");
    }

    #[test]
    fn programs_get_one_record_per_line() {
        assert_eq!(
            table().for_programs(),
            "file\trows\twhy\nb2_gas_2022.csv\t8,760\t\nx.csv\t7\ta b\n"
        );
    }
}
