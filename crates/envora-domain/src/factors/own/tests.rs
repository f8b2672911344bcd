use super::*;
use crate::factors::{Boundary, FactorKind};

const HEAD: &str = "key,type,boundary,supplier_code,item,item_scheme,region,per,unit,co2e,basis,\
    valid_from,valid_to,valid_through,publisher,document,licence";

/// A row that is right, with some columns said otherwise.
fn row(changes: &[(&str, &str)]) -> String {
    let mut cells = vec![
        ("key", "steel"),
        ("type", "goods.purchased"),
        ("boundary", "cradle_to_gate"),
        ("supplier_code", "acme"),
        ("item", "SKU-1"),
        ("item_scheme", "acme"),
        ("region", ""),
        ("per", "kg"),
        ("unit", "kg"),
        ("co2e", "1.85"),
        ("basis", "ar6"),
        ("valid_from", "2025-01-01"),
        ("valid_to", ""),
        ("valid_through", "2025-12-31"),
        ("publisher", "Acme Steel"),
        ("document", "EPD-2025.pdf"),
        ("licence", "by letter"),
    ];
    for (name, value) in changes {
        let cell = cells.iter_mut().find(|(column, _)| column == name).expect("a column");
        cell.1 = value;
    }
    cells.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(",")
}

fn table(rows: &[String]) -> String {
    format!("{HEAD}\n{}\n", rows.join("\n"))
}

fn faults(text: &str) -> Vec<Fault> {
    read(text.as_bytes(), Some("suppliers")).expect_err("a fault")
}

/// A row so changed is refused for this alone, in this column, with a remedy that holds these words.
#[track_caller]
fn refused(changes: &[(&str, &str)], code: FaultCode, column: &str, remedy: &str) {
    let faults = faults(&table(&[row(changes)]));
    let [fault] = faults.as_slice() else { panic!("{changes:?}: {faults:#?}") };
    assert_eq!((fault.code, fault.column.as_deref()), (code, Some(column)), "{fault}");
    assert_eq!((fault.row, fault.line), (1, 2));
    let told = format!("{}: {}", fault.detail, fault.hint);
    assert!(told.contains(remedy), "{told}");
}

#[test]
fn a_table_becomes_a_pack_known_by_the_digest_of_its_canonical_text() {
    let text = table(&[
        row(&[("key", "zinc"), ("item", "SKU-2"), ("co2e", "4.04e-01")]),
        row(&[]),
        row(&[("valid_from", "2026-01-01"), ("valid_through", "2026-12-31"), ("co2e", "1.70")]),
    ]);
    let OwnPack { pack, suppliers } = read(text.as_bytes(), Some("suppliers")).expect("a pack");
    assert_eq!(suppliers, BTreeMap::from([("acme".to_owned(), (1, 2))]));
    let keys: Vec<&str> = pack.factors().map(|factor| factor.key.as_str()).collect();
    let steel = "own/suppliers/steel";
    assert_eq!(keys, [steel, steel, "own/suppliers/zinc"]);
    let canonical = pack.text();
    assert_eq!(
        canonical,
        "pack,key,type,boundary,supplier_code,item,item_scheme,per,unit,co2e,basis,valid_from,valid_to,publisher,document,licence\n\
         suppliers,steel,goods.purchased,cradle_to_gate,acme,SKU-1,acme,kg,kg,1.85,ar6,2025-01-01,2026-01-01,Acme Steel,EPD-2025.pdf,by letter\n\
         suppliers,steel,goods.purchased,cradle_to_gate,acme,SKU-1,acme,kg,kg,1.70,ar6,2026-01-01,2027-01-01,Acme Steel,EPD-2025.pdf,by letter\n\
         suppliers,zinc,goods.purchased,cradle_to_gate,acme,SKU-2,acme,kg,kg,4.04e-01,ar6,2025-01-01,2026-01-01,Acme Steel,EPD-2025.pdf,by letter\n"
    );
    assert_eq!(pack.digest, crate::hash::Digest::of(canonical.as_bytes()));
    assert_eq!(pack.recipe.version, pack.digest.hex()[..12]);
    let again = read(canonical.as_bytes(), None).expect("its text is a table");
    assert_eq!(again.pack, pack, "read again it is the same pack");
    let first = pack.factors().next().expect("a factor");
    assert_eq!((first.kind, first.boundary), (FactorKind::Emission, Boundary::CradleToGate));
    assert_eq!((first.edition.as_str(), first.rights.redistribute.as_str()), ("2025", "no"));
    assert_eq!(first.qualifiers["supplier"], "acme");
}

#[test]
fn spreadsheets_of_other_habits_are_read() {
    let text = table(&[row(&[])]);
    let want = read(text.as_bytes(), Some("suppliers")).expect("a pack").pack.digest;
    let semicolons = text.replace(',', ";").replace('\n', "\r\n");
    let marked = format!("\u{feff}# our suppliers, 2025\r\n{semicolons};;;;;;;;;;;;;;;;\r\n\r\n");
    let tabs = text.replace(',', "\t");
    for text in [semicolons.as_str(), &marked, &tabs] {
        let got = read(text.as_bytes(), Some("suppliers")).expect("a pack").pack.digest;
        assert_eq!(got, want, "{text}");
    }
}

#[test]
fn a_cell_that_is_wrong_is_told_with_its_column_and_what_to_do() {
    use FaultCode as F;
    refused(&[("key", "Steel Sheet")], F::WrongType, "key", "steel-sheet");
    refused(&[("key", "")], F::MissingField, "key", "fill it in");
    refused(&[("type", "good.purchased")], F::UnknownType, "type", "mean goods.purchased?");
    let spend = [("type", "spend.purchased"), ("item", ""), ("item_scheme", ""), ("per", "GBP")];
    refused(&spend, F::UnknownType, "type", "types with such methods: electricity.purchased");
    refused(&[("boundary", "cradle-to-gate")], F::UnknownWord, "boundary", "mean cradle_to_gate?");
    refused(&[("boundary", "use")], F::BoundaryMismatch, "boundary", "take cradle_to_gate");
    refused(&[("item", "")], F::MissingField, "item", "as rows of that supplier");
    refused(&[("item", "papr"), ("item_scheme", "")], F::UnknownItem, "item", "mean paper?");
    refused(&[("per", "ton")], F::UnitAmbiguous, "per", "write one of t, [ston_av]");
    refused(&[("per", "kq")], F::UnknownUnit, "per", "a UCUM code such as");
    refused(&[("per", "kiloggram")], F::UnknownUnit, "per", "mean kg?");
    refused(&[("per", "kW.h")], F::UnitMismatch, "per", "");
    refused(&[("unit", "kW.h")], F::UnitMismatch, "unit", "kg or g");
}

#[test]
fn numbers_and_days_are_read_strictly() {
    use FaultCode as F;
    refused(&[("co2e", "\"1,85\"")], F::NotANumber, "co2e", "a point before the fraction");
    refused(&[("co2e", "n/a")], F::NotANumber, "co2e", "leave a blank");
    refused(&[("co2e", "-1.85")], F::NegativeNotAllowed, "co2e", "removal.made");
    refused(&[("co2e", &"1".repeat(39))], F::TooManyDigits, "co2e", "38 digits");
    refused(&[("co2e", "")], F::MissingField, "co2e", "gas.CO2");
    refused(&[("basis", "")], F::MissingField, "basis", "GWP set");
    refused(&[("basis", "AR7")], F::UnknownWord, "basis", "write one of sar, tar, ar4");
    refused(&[("basis", "ar-5")], F::UnknownWord, "basis", "mean ar5?");
    refused(&[("basis", "published")], F::UnknownWord, "basis", "no set");
    refused(&[("valid_from", "01.01.2025")], F::WrongType, "valid_from", "2026-01-31");
    refused(&[("valid_from", "2026-06-01")], F::PeriodReversed, "valid_through", "correct");
    refused(&[("valid_through", "")], F::MissingField, "valid_to", "valid_through");
    let both = [("valid_to", "2026-01-01")];
    refused(&both, F::WrongType, "valid_to", "the end is there twice");
    let inclusive = [("valid_to", "2025-12-31"), ("valid_through", "")];
    refused(&inclusive, F::WrongType, "valid_to", "write 2026-01-01 where 2025-12-31 still counts");
    let exclusive = [("valid_to", "2026-01-01"), ("valid_through", "")];
    assert!(read(table(&[row(&exclusive)]).as_bytes(), Some("suppliers")).is_ok());
    let longest = format!("0.{}", "1".repeat(38));
    assert!(read(table(&[row(&[("co2e", &longest)])]).as_bytes(), Some("suppliers")).is_ok());
}

#[test]
fn suppliers_rates_are_for_methods_that_take_them() {
    use FaultCode as F;
    let power = |boundary| {
        [
            ("type", "electricity.purchased"),
            ("boundary", boundary),
            ("item", ""),
            ("item_scheme", ""),
            ("per", "kWh"),
        ]
    };
    assert!(read(table(&[row(&power("generation"))]).as_bytes(), Some("suppliers")).is_ok());
    refused(&power("life_cycle"), F::BoundaryMismatch, "boundary", "generation alone");
    let fuel = [("type", "fuel.combusted.mobile"), ("item", ""), ("item_scheme", ""), ("per", "L")];
    refused(&fuel, F::UnknownType, "type", "leave supplier_code blank");
    let grid: Vec<_> = power("generation").into_iter().chain([("supplier_code", "")]).collect();
    refused(&grid, F::MissingField, "region", "a country such as DE");
    let uk: Vec<_> = grid.iter().copied().chain([("region", "UK")]).collect();
    refused(&uk, F::UnknownWord, "region", "mean GB?");
}

#[test]
fn rows_of_one_key_mean_one_thing_once_on_each_day() {
    use FaultCode as F;
    let two = |changes: &[(&str, &str)]| faults(&table(&[row(&[]), row(changes)]));
    let told = |faults: &[Fault]| -> Vec<(F, u64)> {
        faults.iter().map(|fault| (fault.code, fault.row)).collect()
    };
    let overlap = two(&[("valid_from", "2025-12-31"), ("valid_through", "2026-12-31")]);
    assert_eq!(told(&overlap), [(F::ValidityOverlap, 2)]);
    assert!(overlap[0].detail.contains("until 2026-01-01 by line 2"), "{}", overlap[0]);
    let later = [("valid_from", "2026-01-01"), ("valid_through", "2026-12-31")];
    let reused: Vec<_> = later.into_iter().chain([("item", "SKU-9")]).collect();
    assert_eq!(told(&two(&reused)), [(F::KeyReused, 2)]);
    // One long row under two short ones: both of these overlap it.
    let long = row(&[("valid_from", "2024-01-01"), ("valid_through", "2030-12-31")]);
    let all = faults(&table(&[long, row(&[]), row(&later)]));
    assert_eq!(told(&all), [(F::ValidityOverlap, 2), (F::ValidityOverlap, 3)]);
}

#[test]
fn gases_and_total_agree() {
    let head = HEAD.replace("co2e,", "co2e,gas.CO2,gas.CH4,");
    let with = |total: &str, co2: &str, ch4: &str| {
        let row = row(&[("co2e", &format!("{total},{co2},{ch4}"))]);
        read(format!("{head}\n{row}\n").as_bytes(), Some("suppliers"))
    };
    // By AR6 methane whose carbon is of unknown origin counts 27.9: 1.5 + 0.01 × 27.9.
    assert!(with("1.779", "1.5", "0.01").is_ok());
    let whole = with("", "1.5", "0.01").expect("gases alone").pack;
    assert!(whole.factors().all(Factor::rebasable));
    let fault = with("1.9", "1.5", "0.01").expect_err("they do not add up");
    assert_eq!(fault[0].code, FaultCode::GasSum);
    assert!(fault[0].detail.contains("1.779"), "{}", fault[0]);
}

#[test]
fn a_table_that_is_none_is_refused_whole() {
    use FaultCode as F;
    #[track_caller]
    fn whole(bytes: &[u8], code: F) {
        let faults = read(bytes, Some("suppliers")).expect_err("no table");
        assert_eq!(faults[0].code, code, "{faults:?}");
        assert!(!faults[0].hint.is_empty());
    }
    whole(b"", F::MissingField);
    whole(b"# nothing\n\n", F::MissingField);
    whole(format!("{HEAD}\n").as_bytes(), F::MissingField);
    whole(b"key,type\nsteel,goods.purchased\n", F::MissingField);
    whole(b"\xff\xfe", F::InvalidUtf8);
    whole(format!("{HEAD}\n\"open,{}\n", row(&[])).as_bytes(), F::MalformedRow);
    whole(format!("{HEAD}\nsteel\n").as_bytes(), F::MalformedRow);
    whole(table(&[row(&[])]).replace("licence", "license").as_bytes(), F::UnknownField);
    whole(table(&[row(&[])]).replace("item,", "gas.CH5,").as_bytes(), F::UnknownField);
    whole(&vec![b'#'; BYTES_MAX + 1], F::TooManyRows);
    let many: Vec<String> = (0..=FACTORS_MAX).map(|n| row(&[("key", &format!("k{n}"))])).collect();
    whole(table(&many).as_bytes(), F::TooManyRows);
}

#[test]
fn a_pack_has_a_name_of_its_own() {
    let text = table(&[row(&[])]);
    for name in ["desnz-2025", "epa-hub-x", "substances", "x", "Suppliers", "a b", ""] {
        let faults = read(text.as_bytes(), Some(name)).expect_err("no name");
        assert!(faults[0].hint.contains("suppliers-2026"), "{name}");
    }
    assert!(read(text.as_bytes(), None).is_err());
    let named = format!("pack,{HEAD}\nsuppliers,{}\nothers,{}\n", row(&[]), row(&[("key", "b")]));
    assert_eq!(
        read(named.as_bytes(), None).expect_err("two names")[0].column.as_deref(),
        Some("pack")
    );
}

#[test]
fn editions_are_told_apart_factor_by_factor() {
    let pack =
        |rows: &[String]| read(table(rows).as_bytes(), Some("suppliers")).expect("a pack").pack;
    let before =
        pack(&[row(&[]), row(&[("key", "b"), ("item", "B")]), row(&[("key", "c"), ("item", "C")])]);
    let after = pack(&[
        row(&[("co2e", "1.9")]),
        row(&[("key", "b"), ("item", "B"), ("document", "EPD-2026.pdf")]),
        row(&[("key", "d"), ("item", "D")]),
    ]);
    let told = |before: Option<&Pack>, after: &Pack| -> Vec<(String, Change)> {
        diff(before, after).iter().map(|one| (one.key.to_owned(), one.change)).collect()
    };
    let own = |key: &str| format!("own/suppliers/{key}");
    assert_eq!(
        told(Some(&before), &after),
        [
            (own("b"), Change::Reworded),
            (own("c"), Change::Removed),
            (own("d"), Change::Added),
            (own("steel"), Change::Changed),
        ]
    );
    assert_eq!(told(Some(&before), &before), []);
    assert_eq!(told(None, &before).len(), 3);
}

#[test]
fn what_burns_is_told_with_its_co2() {
    const HEAD: &str = "key,type,boundary,qualifiers.fuel,qualifiers.material,region,per,unit,gas.CO2,\
        gas.CH4,gas.N2O,basis,valid_from,valid_through,publisher,document,licence";
    let text =
        |row: &str| format!("{HEAD}\nx,{row},ar5,2025-01-01,2025-12-31,Publisher,Document,own\n");
    let taken = |row: &str| {
        let found = read(text(row).as_bytes(), Some("ours"));
        assert!(found.is_ok(), "{row}: {found:?}");
    };
    taken("waste.treated,end_of_life,,garden_waste,DE,t,kg,,1.4,0.074");
    taken("fuel.combusted.stationary,combustion,wood_chips,,DE,t,kg,,0.1,0.01");
    taken("fuel.combusted.stationary,combustion,natural_gas,,DE,t,kg,0,0.1,0.01");
    taken("fuel.combusted.stationary,upstream,natural_gas,,DE,t,kg,,0.1,");
    taken("electricity.purchased,generation,,,DE,kW.h,kg,0.2,0.0001,0.0001");
    let grid = text("electricity.purchased,generation,,,DE,kW.h,kg,,0.0001,0.0001");
    let faults = read(grid.as_bytes(), Some("ours")).expect_err("no CO2");
    assert_eq!(faults.first().and_then(|fault| fault.column.as_deref()), Some("gas.CO2"));
    for row in [
        "waste.treated,end_of_life,,,DE,t,kg,,1.4,",
        "waste.treated,end_of_life,,pet,DE,t,kg,,1.4,",
    ] {
        let faults = read(text(row).as_bytes(), Some("ours")).expect_err("burnt or not");
        let [fault] = faults.as_slice() else { panic!("{row}: {faults:#?}") };
        assert_eq!(fault.column.as_deref(), Some("qualifiers.treatment"), "{row}");
        assert!(fault.hint.contains("name the treatment"), "{}", fault.hint);
    }
    taken("waste.treated,end_of_life,,pet,DE,t,kg,900,1.4,");
    let burnt = text("fuel.combusted.stationary,combustion,natural_gas,,DE,t,kg,,0.1,0.01");
    let faults = read(burnt.as_bytes(), Some("ours")).expect_err("no CO2");
    let [fault] = faults.as_slice() else { panic!("{faults:#?}") };
    assert_eq!((fault.code, fault.line), (FaultCode::MissingField, 2));
    assert_eq!(fault.column.as_deref(), Some("gas.CO2"));
    for row in [
        "fuel.combusted.mobile,combustion,diesel,,DE,L,g,,0.1,0.01",
        "waste.treated,end_of_life,,garden_waste,DE,t,kg,,0.01,",
    ] {
        let row = text(row).replace("material", "treatment").replace("garden_waste", "combustion");
        let faults = read(row.as_bytes(), Some("ours")).expect_err("no CO2");
        assert_eq!(faults[0].column.as_deref(), Some("gas.CO2"), "{row}");
    }
    let beside = "fuel.combusted.mobile,combustion,diesel,,DE,L,g,,0.1,0.01";
    let rest = ",ar5,2025-01-01,2025-12-31,Publisher,Document,own\n";
    let co2 = beside.replace(",,0.1,0.01", ",2600,,");
    taken(&format!("{beside}{rest}y,{co2}").replace("own\n\n", "own\n"));
    let named = burnt.replace("\nx,", "\nours,x,").replacen("key,", "pack,key,", 1);
    assert!(read_stored(named.as_bytes()).is_ok(), "a folder of before opens");
}

#[test]
fn co2_of_what_grew_is_for_the_memo() {
    const HEAD: &str = "key,type,boundary,memo,qualifiers.fuel,qualifiers.treatment,region,per,unit,\
        co2e,gas.CO2,gas.CH4,basis,carbon,valid_from,valid_through,publisher,document,licence";
    let read = |row: &str| {
        let table = format!("{HEAD}\nx,{row},2025-01-01,2025-12-31,Publisher,Document,own\n");
        read(table.as_bytes(), Some("ours"))
    };
    let refused = |row: &str, column: &str, remedy: &str| {
        let faults = read(row).expect_err(row);
        let [fault] = faults.as_slice() else { panic!("{row}: {faults:#?}") };
        let told = (fault.code, fault.column.as_deref());
        assert_eq!(told, (FaultCode::BiogenicCo2, Some(column)), "{row}");
        assert!(fault.hint.contains(remedy), "{row}: {}", fault.hint);
    };
    let taken = |row: &str| assert!(read(row).is_ok(), "{row}: {:?}", read(row));
    let wood = "fuel.combusted.stationary,combustion,,wood_logs,,DE,t,kg";
    refused(&format!("{wood},,1700,0.5,ar5,biogenic"), "gas.CO2", "memo = biogenic_co2");
    refused(&format!("{wood},,1700,0.5,ar5,"), "gas.CO2", "memo = biogenic_co2");
    refused(&format!("{wood},,1700,0.5,ar5,mixed"), "gas.CO2", "the fossil part here");
    refused(&format!("{wood},1700,,,ar5,biogenic"), "co2e", "gas.CH4 and gas.N2O here");
    refused(&format!("{wood},1700,,,ar5,"), "co2e", "gas.CH4 and gas.N2O here");
    let any = "fuel.combusted.stationary,combustion,,,,DE,t,kg";
    for whatever in [",1000,0.5,ar5,", ",1000,,ar5,fossil", "1000,,,ar5,"] {
        let faults = read(&format!("{any},{whatever}")).expect_err(whatever);
        let told = (faults[0].code, faults[0].column.as_deref());
        assert_eq!(told, (FaultCode::MissingField, Some("qualifiers.fuel")), "{whatever}");
    }
    let car = "vehicle.driven,combustion,,,,DE,x:veh.km,kg";
    refused(&format!("{car},,0.2,,ar5,biogenic"), "gas.CO2", "0 as gas.CO2");
    let waste = "waste.treated,end_of_life,,,combustion,DE,t,kg";
    refused(&format!("{waste},,900,0.1,ar5,biogenic"), "gas.CO2", "0 as gas.CO2");
    refused("waste.treated,end_of_life,,,composting,DE,t,kg,,90,4,ar5,", "gas.CO2", "0 as gas.CO2");
    taken("waste.treated,end_of_life,,,composting,DE,t,kg,,0,4,ar5,");
    taken("waste.treated,end_of_life,,,landfill,DE,t,kg,,90,4,ar5,");
    // Waste that may have grown, and may be burnt: whose CO2 it is, is asked.
    for treatment in ["", "combustion"] {
        let any = format!("waste.treated,end_of_life,,,{treatment},DE,t,kg,");
        refused(&format!("{any},900,0.1,ar5,"), "gas.CO2", "write fossil in carbon");
        for said in ["900,0.1,ar5,fossil", "0,0.1,ar5,"] {
            taken(&format!("{any},{said}"));
        }
    }
    for counts in
        [",,0.5,ar5,biogenic", ",0,0.5,ar5,", "14,,0.5,ar5,biogenic", ",1700,0.5,ar5,fossil"]
    {
        taken(&format!("{wood},{counts}"));
    }
    taken("fuel.combusted.mobile,combustion,,diesel,,DE,L,kg,2.5,,,ar5,");
    taken("waste.treated,end_of_life,,,composting,DE,t,kg,9,,,ar5,biogenic");
    let garden = |rest: &str| {
        let head = HEAD.replace("qualifiers.fuel", "qualifiers.material");
        let row = format!("waste.treated,end_of_life,,garden_waste,combustion,DE,t,kg,{rest}");
        let table = format!("{head}\nx,{row},2025-01-01,2025-12-31,Publisher,Document,own\n");
        super::read(table.as_bytes(), Some("ours")).map_err(|faults| faults[0].column.clone())
    };
    assert_eq!(garden(",900,0.1,ar5,").err(), Some(Some("gas.CO2".to_owned())), "in no scope");
    assert_eq!(garden("900,,,ar5,").err(), Some(Some("co2e".to_owned())), "it may be in it");
    assert!(garden(",,0.1,ar5,").is_ok() && garden(",900,0.1,ar5,fossil").is_ok());
    let mixed = |material: &str, carbon: &str| {
        let head = HEAD.replace("qualifiers.fuel", "qualifiers.material");
        let row = format!("waste.treated,end_of_life,,{material},,DE,t,kg,,900,0.1,ar5,{carbon}");
        let table = format!("{head}\nx,{row},2025-01-01,2025-12-31,Publisher,Document,own\n");
        super::read(table.as_bytes(), Some("ours")).map_err(|faults| faults[0].column.clone())
    };
    assert_eq!(mixed("mixed_msw", "").err(), Some(Some("gas.CO2".to_owned())), "some of it grew");
    assert!(mixed("mixed_msw", "fossil").is_ok() && mixed("pet", "").is_ok());
    let memo = "fuel.combusted.stationary,combustion,biogenic_co2,wood_logs,,DE,t,kg";
    taken(&format!("{memo},,1700,,ar5,"));
    refused(&format!("{memo},,1700,0.5,ar5,"), "memo", "without memo");
    refused(&format!("{memo},1700,,,ar5,"), "memo", "without memo");
    refused(&format!("{memo},,1700,,ar5,fossil"), "carbon", "leave memo blank");
    let grid = "electricity.purchased,generation,biogenic_co2,,,DE,kWh,kg,,0.2,,ar5,";
    refused(grid, "memo", "for fuels");
    let stored = format!(
        "pack,{HEAD}\nours,x,{wood},,1700,0.5,ar5,biogenic,2025-01-01,2025-12-31,P,D,own\n"
    );
    assert!(read_stored(stored.as_bytes()).is_ok(), "a folder of before opens");
}
