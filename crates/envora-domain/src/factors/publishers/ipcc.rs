//! The table of global warming potentials over 100 years, from the collection of IPCC reports.

use crate::gwp::GasGroup;

const SETS: [&str; 6] =
    ["SARGWP100", "TARGWP100", "AR4GWP100", "AR5GWP100", "AR5CCFGWP100", "AR6GWP100"];

/// The file is not the collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the collection of global warming potentials")]
pub struct NotTheTable;

/// The committed table: CO2, which the file leaves out, then every species in the file's order.
///
/// # Errors
/// [`NotTheTable`].
pub fn import(csv: &str, file: &str, sha256: &str) -> Result<String, NotTheTable> {
    let mut rows = csv.lines().filter(|line| !line.starts_with('#'));
    let header: Vec<&str> = rows.next().ok_or(NotTheTable)?.split(',').collect();
    let column = |name: &str| header.iter().position(|column| *column == name);
    let columns = SETS.iter().map(|set| column(set)).collect::<Option<Vec<_>>>();
    let columns = columns.filter(|_| header.first() == Some(&"Species")).ok_or(NotTheTable)?;
    let mut text = format!(
        "# {file}\n# sha256 {sha256}\n# CC0; values of the IPCC; CO2 = 1 by definition\n\
         gas\tgroup\tsar\ttar\tar4\tar5\tar5-feedback\tar6\n\
         CO2\tkyoto\t1\t1\t1\t1\t1\t1\n"
    );
    for row in rows.filter(|row| !row.is_empty()) {
        let cells: Vec<&str> = row.split(',').collect();
        let name = cells.first().ok_or(NotTheTable)?;
        let values = columns.iter().map(|column| cells.get(*column).copied());
        let values = values.collect::<Option<Vec<_>>>().ok_or(NotTheTable)?;
        text.push_str(&format!("{name}\t{}\t{}\n", group(name), values.join("\t")));
    }
    Ok(text)
}

/// What a species counts as.
fn group(name: &str) -> GasGroup {
    const PFCS: &[&str] = &[
        "CF4", "C2F6", "C3F8", "cC4F8", "C4F10", "C5F12", "C6F14", "C7F16", "C8F18", "C10F18",
        "cC3F6",
    ];
    const OZONE: &[&str] = &["CCl4", "CH3Br", "CH3CCl3", "CHBrF2", "CH2Br2"];
    let starts = |prefix: &str| name.starts_with(prefix);
    match name {
        "CH4" | "N2O" | "SF6" | "NF3" => GasGroup::Kyoto,
        _ if starts("HFC") || PFCS.contains(&name) => GasGroup::Kyoto,
        _ if starts("CFC") || starts("HCFC") || starts("Halon") || OZONE.contains(&name) => {
            GasGroup::Montreal
        }
        _ => GasGroup::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_made_of_the_hundred_year_columns() {
        let csv = "# note,,\nSpecies,SARGWP100,TARGWP100,AR4GWP100,AR5GWP100,AR5CCFGWP100,AR6GWP100,X\nCH4,21,23,25,28,34,27.9,9\nHG10,,2700,,,,,\n";
        let text = import(csv, "f", "s").expect("the table");
        let rows: Vec<&str> = text.lines().skip(5).collect();
        assert_eq!(rows, ["CH4\tkyoto\t21\t23\t25\t28\t34\t27.9", "HG10\tother\t\t2700\t\t\t\t"]);
        assert_eq!(import("a,b\n", "f", "s"), Err(NotTheTable));
    }
}
