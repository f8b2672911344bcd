//! The starter pack and the GWP table against the publishers' whole files.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use envora_domain::factors::publishers::{Imported, desnz, epa, ipcc};
use envora_domain::factors::{Boundary, Factor, FactorKind, Library, Pack, pack};
use envora_domain::gwp::{Carbon, Gas, GwpSet, gwp};
use envora_domain::hash::Digest;
use serde_json::Value;

use crate::shared_data;

/// The publisher's file that a pack was made of, and what its importer makes of it now.
fn imported(pack: &Pack) -> Option<(String, Imported)> {
    let recipe = &pack.recipe;
    let csv = fs::read_to_string(shared_data("publishers")?.join(&recipe.file)).expect("the file");
    let edition = recipe.edition.parse().expect("a year");
    let imported = match recipe.id.split_once('-').expect("a publisher") {
        ("desnz", _) => desnz::import(&csv, &recipe.file, edition),
        _ => epa::import(&csv, &recipe.file, edition),
    };
    Some((csv, imported.expect("an edition")))
}

#[test]
fn the_starter_packs_are_made_from_the_publishers_files_to_the_byte() {
    let library = Library::starter().expect("the compiled-in packs");
    let ids: Vec<&str> = library.packs().iter().map(|pack| pack.recipe.id.as_str()).collect();
    let desnz = ["desnz-2021", "desnz-2022", "desnz-2023", "desnz-2024", "desnz-2025"];
    assert_eq!(ids, [&desnz[..], &["epa-hub-2023", "epa-hub-2024", "epa-hub-2025"]].concat());
    for pack in library.packs() {
        let Some((csv, imported)) = imported(pack) else { return };
        assert_eq!(pack.recipe.sha256, Digest::of(csv.as_bytes()).hex());
        let text = pack::write(&imported.recipe, &imported.factors);
        assert_eq!(pack.digest, Digest::of(text.as_bytes()), "{}", pack.recipe.id);
    }
}

/// Every line of a publisher's file is a figure of a factor, or is left out for a reason.
#[test]
fn no_line_is_lost() {
    let library = Library::starter().expect("the compiled-in packs");
    for pack in library.packs() {
        let Some((csv, imported)) = imported(pack) else { return };
        let mut lines: Vec<u32> =
            pack.factors().flat_map(|factor| factor.provenance.lines.clone()).collect();
        let figures = lines.len();
        lines.sort_unstable();
        lines.dedup();
        let shared = figures - lines.len();
        let blends = pack.of_kind("refrigerant.recharged").iter();
        let blends: usize = blends.map(|factor| factor.provenance.lines.len() - 1).sum();
        assert_eq!(shared, blends, "only the parts of a blend share their line");
        let left_out: u32 = imported.left_out.values().sum();
        let rows = csv.lines().count() - 1;
        assert_eq!(lines.len() + left_out as usize, rows, "{}", pack.recipe.id);
    }
}

#[test]
fn every_figure_stands_on_the_line_that_it_names() {
    let library = Library::starter().expect("the compiled-in packs");
    for pack in library.packs() {
        let Some((csv, _)) = imported(pack) else { return };
        let lines: Vec<&str> = csv.lines().collect();
        for factor in pack.factors() {
            let total = factor.total.iter().map(|total| (total.line, &total.value, None));
            let gases = factor.gases.iter();
            let gases = gases.map(|gas| (gas.line, &gas.value, Some(gas)));
            for (line, value, gas) in total.chain(gases) {
                let line = usize::try_from(line.expect("a line")).expect("small");
                let printed = lines.get(line - 1).expect("a line of the file");
                let per = &factor.denominator.as_printed;
                let of = match gas {
                    // Shares of a blend stand in the name of the row.
                    Some(gas) if gas.unit == "%.kg" => format!("{value}% "),
                    _ if factor.provenance.sheet.is_some() => format!(",{value},"),
                    _ => format!(",{value},{}", factor.edition),
                };
                assert!(
                    printed.contains(&of) && printed.contains(per.as_str()),
                    "{line}: {printed}"
                );
                let name = gas.map_or("CO2e", |gas| gas.gas.as_str());
                let named = printed.contains(&format!("kg {name}"))
                    || printed.contains(&format!("of {name}"))
                    || printed.contains(&format!("{name} per "))
                    || factor.kind != FactorKind::Emission
                    || factor.activity_type == "refrigerant.recharged";
                assert!(named, "{line}: {printed} has no {name}");
                for word in &factor.provenance.words {
                    assert!(printed.replace("\"\"", "\"").contains(word), "{line}: no {word}");
                }
            }
            let failed = factor.provenance.checks.iter().any(|check| check == "gas_sum_failed");
            assert!(!failed, "{}", factor.key);
        }
    }
}

/// What each edition is: its basis, and words that moved without a series losing its key.
#[test]
fn editions_keep_their_bases_and_series_their_keys() {
    let library = Library::starter().expect("the compiled-in packs");
    for pack in library.packs() {
        let (publisher, year) = pack.recipe.id.rsplit_once('-').expect("a year");
        let year: u16 = year.parse().expect("a year");
        let turned = if publisher == "desnz" { 2023 } else { 2024 };
        let basis = if year < turned { GwpSet::Ar4 } else { GwpSet::Ar5 };
        assert_eq!(pack.recipe.basis, basis);
        for factor in pack.factors() {
            let words = &factor.provenance.words;
            let sheet = factor.provenance.sheet.as_deref();
            let stayed =
                words.iter().any(|word| word == "WTT- bioenergy") || sheet == Some("Table 9");
            let basis = if stayed { GwpSet::Ar4 } else { basis };
            assert_eq!(factor.basis, basis, "{}", factor.key);
        }
    }
    let keys = |id: &str| -> Vec<&str> {
        let pack = library.pack(id).expect("a pack");
        pack.factors().map(|factor| factor.key.as_str()).collect()
    };
    let lost = |one: &str, other: &str| {
        let other = keys(other);
        keys(one).into_iter().filter(|key| !other.contains(key)).count()
    };
    assert!(lost("desnz-2022", "desnz-2023") < 20, "{}", lost("desnz-2022", "desnz-2023"));
    assert!(lost("desnz-2023", "desnz-2024") < 20, "{}", lost("desnz-2023", "desnz-2024"));
    assert!(lost("desnz-2024", "desnz-2025") < 20, "{}", lost("desnz-2024", "desnz-2025"));
    assert!(lost("epa-hub-2024", "epa-hub-2025") < 40, "{}", lost("epa-hub-2024", "epa-hub-2025"));
}

/// Spot values of every table, as a script reads them that shares no code with the importers.
#[test]
fn spot_values_equal_the_publishers_tables() {
    let spots = crate::repository().join("tests/golden/factors.json");
    let spots: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(spots).expect("spots")).expect("JSON");
    let library = Library::starter().expect("the compiled-in packs");
    for spot in &spots {
        let text = |name: &str| spot[name].as_str().expect("a text").to_owned();
        let pack = library.pack(&text("pack")).expect("a pack");
        let qualifiers: BTreeMap<String, String> =
            serde_json::from_value(spot["qualifiers"].clone()).expect("words");
        let values: BTreeMap<String, String> =
            serde_json::from_value(spot["values"].clone()).expect("digits");
        let is = |factor: &&Factor| {
            let memo = factor.memo_bucket.map_or("", |memo| memo.as_str());
            factor.boundary.as_str() == text("boundary")
                && memo == text("memo_bucket")
                && factor.denominator.unit == text("unit")
                && format!("{}:{}", factor.region.scheme, factor.region.code) == text("region")
                && factor.permitted_use == "inventory"
                && factor.kind != FactorKind::Property
                && factor.qualifiers.iter().all(|(name, words)| {
                    let said = qualifiers.get(name);
                    said.is_some_and(|said| said == words || words.split('|').any(|w| w == said))
                })
                && factor.qualifiers.len() == qualifiers.len()
                && values.keys().any(|gas| gas == "total" || has(factor, gas))
        };
        let found: Vec<&Factor> = pack.of_kind(&text("activity_type")).iter().filter(is).collect();
        let [factor] = found.as_slice() else { panic!("{} factors for {spot}", found.len()) };
        assert_eq!(pack.recipe.file, text("file"));
        for (gas, value) in &values {
            let gases = factor.gases.iter().filter(|one| one.unit != "%.kg");
            let printed = gases.filter(|one| one.gas.as_str() == gas || gas == "total");
            let total = factor.total.iter().filter(|_| gas == "total");
            let printed: Vec<&String> =
                total.map(|total| &total.value).chain(printed.map(|one| &one.value)).collect();
            assert!(printed.first() == Some(&value), "{gas} of {spot}: {printed:?}");
        }
        let lines: Vec<u64> =
            spot["lines"].as_array().expect("lines").iter().filter_map(Value::as_u64).collect();
        let mut own: Vec<u64> = factor.provenance.lines.iter().copied().map(u64::from).collect();
        own.dedup();
        assert_eq!(own, lines, "{spot}");
    }
    assert!(spots.len() > 200, "{}", spots.len());
}

fn has(factor: &Factor, gas: &str) -> bool {
    factor.gases.iter().any(|one| one.gas.as_str() == gas)
}

#[test]
fn the_spot_values_are_what_the_script_reads() {
    let Some(data) = shared_data("spot values") else { return };
    let golden = crate::repository().join("tests/golden");
    let run = Command::new("python3").arg(golden.join("factors.py")).arg(data).output();
    let Ok(run) = run else {
        eprintln!("SKIPPED spot values: no python3");
        return;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let committed = fs::read(golden.join("factors.json")).expect("the spots");
    assert!(run.stdout == committed, "tests/golden/factors.json is stale");
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
    let library = Library::starter().expect("the compiled-in packs");
    let pack = library.pack("desnz-2022").expect("the pack");
    let mut power = pack.of_kind("electricity.purchased").iter();
    let grid = power
        .find(|factor| factor.boundary == Boundary::Generation && factor.memo_bucket.is_none());
    let grid = grid.expect("the grid");
    let json = grid.canonical_json().expect("exact");
    assert!(page.contains(&json), "{json}");
    assert!(page.contains(&grid.id.to_string()), "{}", grid.id);
    for pack in library.packs() {
        assert!(page.contains(&pack.digest.hex()), "{}: {}", pack.recipe.id, pack.digest);
    }
}
