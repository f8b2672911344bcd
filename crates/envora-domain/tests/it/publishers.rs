//! The starter pack and the GWP table against the publishers' whole files.

use std::fs;

use envora_domain::factors::publishers::{desnz, ipcc};
use envora_domain::factors::{Boundary, Factor, Library, pack};
use envora_domain::gwp::{Carbon, Gas, GwpSet, gwp};
use envora_domain::hash::Digest;

use crate::shared_data;

fn flat_file(year: i16) -> Option<(String, String)> {
    let name = format!("uk_desnz_ghg_conversion_factors_{year}.csv");
    let text = fs::read_to_string(shared_data("publishers")?.join(&name)).expect("the flat file");
    Some((name, text))
}

#[test]
fn the_starter_pack_is_made_from_the_publishers_file_to_the_byte() {
    let Some((name, csv)) = flat_file(2022) else { return };
    let (recipe, factors) = desnz::import(&csv, &name, 2022).expect("an edition");
    let text = pack::write(&recipe, &factors);
    let library = Library::starter().expect("the compiled-in pack");
    assert_eq!(library.pack_digests(), [Digest::of(text.as_bytes())]);
}

#[test]
fn every_figure_stands_on_the_line_that_it_names() {
    let Some((_, csv)) = flat_file(2022) else { return };
    let lines: Vec<&str> = csv.lines().collect();
    let library = Library::starter().expect("the compiled-in pack");
    let mut figures = 0;
    for factor in library.factors() {
        let total =
            factor.total.iter().map(|total| (total.line, "kg CO2e".to_owned(), &total.value));
        let gases = factor.gases.iter();
        let gases = gases.map(|gas| (gas.line, format!("kg CO2e of {}", gas.gas), &gas.value));
        for (line, ghg_unit, value) in total.chain(gases) {
            let line = usize::try_from(line.expect("a line")).expect("small");
            let printed = lines.get(line - 1).expect("a line of the file");
            let ending = format!(",{},{ghg_unit},{value},2022", factor.denominator.as_printed);
            assert!(printed.ends_with(&ending), "{line}: {printed} is not {ending}");
            figures += 1;
        }
        assert!(!factor.provenance.checks.contains(&"gas_sum_failed".to_owned()), "{}", factor.key);
    }
    assert!(figures > 400, "{figures}");
}

#[test]
fn every_edition_imports() {
    for year in 2021..=2025 {
        let Some((name, csv)) = flat_file(year) else { return };
        let (recipe, factors) = desnz::import(&csv, &name, year).expect("an edition");
        let basis = if year < 2023 { GwpSet::Ar4 } else { GwpSet::Ar5 };
        assert_eq!(recipe.basis, basis);
        let grid = |factor: &&Factor| factor.boundary == Boundary::Generation;
        let grid = factors.iter().find(grid).expect("the grid");
        let want = match year {
            2021 => "0.21233",
            2022 => "0.19338",
            2023 => "0.207074288590604",
            2024 => "0.20705",
            _ => "0.177",
        };
        assert_eq!(grid.headline(), want, "{year}");
        let wood = |factor: &&Factor| factor.key.ends_with("wtt-biomass/wood-logs/tonnes");
        let wood = factors.iter().find(wood).expect("wood from well to tank");
        assert_eq!(wood.basis, GwpSet::Ar4, "this table did not move in {year}");
        assert!(factors.len() > 150, "{year}: {}", factors.len());
    }
}

#[test]
fn every_species_and_value_of_the_file_is_in_the_table() {
    let Some(data) = shared_data("potentials") else { return };
    let name = "ipcc_gwp_sar_tar_ar4_ar5_ar6.csv";
    let csv = fs::read_to_string(data.join(name)).expect("the table");
    assert!(ipcc::import(&csv, name, "").is_ok());
    let sets = [GwpSet::Sar, GwpSet::Tar, GwpSet::Ar4, GwpSet::Ar5, GwpSet::Ar5Feedback];
    let rows = csv.lines().filter(|line| !line.starts_with('#')).skip(1);
    for (count, row) in rows.enumerate() {
        let mut cells = row.split(',');
        let gas = Gas::parse(cells.next().expect("a name")).expect("a gas");
        for (set, cell) in sets.into_iter().chain([GwpSet::Ar6Table]).zip(cells) {
            let value = gwp(set, gas, Carbon::Unknown, Boundary::Fugitive);
            assert_eq!(value.map(|value| value.to_string()).unwrap_or_default(), cell, "{row}");
        }
        assert!(count < 105);
    }
}

/// The page that strangers build their own checks from carries a record and its id, both true.
#[test]
fn the_documented_record_has_the_documented_id() {
    let page = crate::repository().join("docs/formats/factor-pack.md");
    let page = fs::read_to_string(page).expect("the page");
    let library = Library::starter().expect("the compiled-in pack");
    let grid = library.factors().find(|factor| factor.boundary == Boundary::Generation);
    let grid = grid.expect("the grid");
    let json = grid.canonical_json().expect("exact");
    assert!(page.contains(&json), "{json}");
    assert!(page.contains(&grid.id.to_string()), "{}", grid.id);
    assert!(page.contains(&library.pack_digests()[0].hex()), "{:?}", library.pack_digests());
}
