//! Files that nobody described, looked at: real ones, and made ones of five countries' ways.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::PathBuf;

use envora_api::proposals::{MappingProposal, ProposalChoice};
use envora_ingest::mapping::Mapping;
use envora_ingest::mapping::numbers::NumberStyle;
use envora_ingest::sniff::{Reading, look, propose};

use crate::tables::real_files;

/// Real files, each another trouble.
const REAL: [&str; 15] = [
    "cambridge-university-estates/b24_electricity_2022.csv",
    "cambridge-university-estates/b24_gas_2022.csv",
    "energy-sparks-amr/amr_highlands_example.csv",
    "energy-sparks-amr/banes-example-file.csv",
    "energy-sparks-amr/example-sheffield-file.csv",
    "energy-sparks-amr/with-mixed-line-endings.csv",
    "harrogate-borough-council/2022-02-Harrogate-Borough-Council.csv",
    "metropolitan-council-utilities/Xcel_activityData_2015_2019.csv",
    "nhs-eric/ERIC-2015-16_trust.csv",
    "seattle-benchmarking/2016_Building_Energy_Benchmarking.csv",
    "smart-meter-exports/enel_ExportData_settembre.csv",
    "smart-meter-exports/energie-manager-online_2013.csv",
    "smart-meter-exports/energycontrol_Water.csv",
    "smart-meter-exports/fluvius_elektriciteit_kwartiertotalen.csv",
    "smart-meter-exports/fluvius_gas_uurtotalen.csv",
];

#[test]
fn real_files_are_proposed_as_committed() {
    let Some(folder) = real_files() else { return };
    let mut text = String::new();
    for name in REAL {
        let path = folder.join(name);
        let found = look(File::open(&path).unwrap()).unwrap();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let proposal = propose(&found, &stem);
        writeln!(text, "==== {name}: {} rows\n{}", found.records, proposal.mapping).unwrap();
        for reason in &proposal.reasons {
            writeln!(text, "{}: {}", reason.what, reason.why).unwrap();
        }
        text.push('\n');
    }
    let committed = PathBuf::from("tests/it/sniffing.txt");
    if fs::read_to_string(&committed).ok().as_deref() != Some(&text) {
        let new = committed.with_extension("txt.new");
        fs::write(&new, &text).unwrap();
        panic!("the proposals differ from {}: see {}", committed.display(), new.display());
    }
}

/// The proposal with its questions answered: these comments are none any more.
fn answered(mapping: &str, signs: &[&str]) -> String {
    let mut text: String = mapping
        .lines()
        .filter(|line| !line.starts_with("unanswered"))
        .flat_map(|line| [line, "\n"])
        .collect();
    for sign in signs {
        assert!(text.contains(&format!("# {sign}")), "{sign} is no choice in {text}");
        text = text.replacen(&format!("# {sign}"), sign, 1);
    }
    text
}

#[test]
fn an_answered_proposal_is_a_mapping_and_an_open_one_is_none() {
    let counted = ["time_zone = \"Europe/London\"", "period = { day", "facility_code = {"];
    let Some(folder) = real_files() else { return };
    for (name, signs) in [(REAL[0], &[][..]), (REAL[2], &[]), (REAL[4], &counted)] {
        let path = folder.join(name);
        let proposal = propose(&look(File::open(&path).unwrap()).unwrap(), "electricity-meters");
        let mapping = Mapping::from_toml(&answered(&proposal.mapping, signs));
        assert!(mapping.is_ok(), "{}\n{mapping:?}", proposal.mapping);
    }
    let path = folder.join(REAL[13]);
    let proposal = propose(&look(File::open(&path).unwrap()).unwrap(), "electricity");
    let refusal = Mapping::from_toml(&proposal.mapping).unwrap_err().to_string();
    assert!(refusal.contains("open questions"), "{refusal}");
}

fn asked(text: &str) -> Vec<String> {
    let proposal = propose(&look(text.as_bytes()).unwrap(), "electricity");
    let choice = |choice: &ProposalChoice| format!("{} | {}", choice.says, choice.means);
    let asked = proposal.questions.iter();
    asked
        .flat_map(|own| std::iter::once(own.asks.clone()).chain(own.choices.iter().map(choice)))
        .collect()
}

#[test]
fn each_choice_of_an_amount_says_how_it_is_written() {
    let two = "Datum;Verbrauch A;Verbrauch B\n30.01.2022;1.234;2,5\n31.01.2022;5.678;3,5\n01.02.2022;7.891;4,5\n";
    let asked = asked(two).join("\n");
    for want in [
        "quantity = { column = \"Verbrauch A\" } | if 1.234 is 1.234",
        "quantity = { column = \"Verbrauch A\", decimal = \",\", group = \".\" } | if 1.234 is 1234",
        "quantity = { column = \"Verbrauch B\", decimal = \",\" } | such as 2,5, 3,5, 4,5",
    ] {
        assert!(asked.contains(want), "{want}\n{asked}");
    }
}

#[test]
fn what_a_name_speaks_of_is_offered_and_not_guessed() {
    let types = |header: &str| {
        let proposal = propose(
            &look(format!("Date,{header}\n2022-01-01,12.5\n2022-01-02,7\n").as_bytes()).unwrap(),
            "bills",
        );
        let asked = proposal.questions.iter().flat_map(|own| &own.choices);
        asked.map(|choice| choice.says.replace('\n', " ")).collect::<Vec<_>>()
    };
    let diesel = types("Diesel (litres)");
    assert_eq!(
        diesel[..2],
        [
            "type = \"fuel.combusted.mobile\" \"qualifiers.fuel\" = \"diesel\"",
            "type = \"fuel.combusted.stationary\" \"qualifiers.fuel\" = \"diesel\"",
        ]
    );
    assert_eq!(types("Waste to landfill (t)")[0], "type = \"waste.treated\"");
    assert_eq!(types("Amount (kWh)")[0], "type = \"electricity.purchased\"");
    assert!(types("Electricity (kWh)").is_empty());
}

#[test]
fn a_heading_does_not_say_for_rows_what_they_say_themselves() {
    let asked = |text: &str| {
        let proposal = propose(&look(text.as_bytes()).unwrap(), "log");
        assert!(!proposal.mapping.contains("natural_gas"), "{}", proposal.mapping);
        let asked = proposal.questions.iter().flat_map(|own| &own.choices);
        asked.map(|choice| choice.says.clone()).next()
    };
    let log = "Date,Gas,Top-up kg\n2022-02-14,R-410A,3.2\n2022-03-09,R404A,1.85\n";
    assert_eq!(asked(log).as_deref(), Some("type = \"refrigerant.recharged\""));
    let rows = "type,Natural gas,Date\nheat.purchased,31.25,2022-02-14\nelectricity.purchased,2,2022-02-15\n";
    assert!(asked(rows).is_some(), "each row says what it is");
}

/// A proposal of a table, by the name of a file that says nothing.
fn proposed(text: &str) -> MappingProposal {
    propose(&look(text.as_bytes()).unwrap(), "log")
}

#[test]
fn a_log_of_gases_is_never_natural_gas() {
    for (header, first, second) in [
        ("Gas", "R-410A", "R-449A"),
        ("Gas", "R-410A (HFC)", "R-410A (HFC)"),
        ("Gas type", "R-410A", "R32"),
        ("Refrigerant gas", "R-410A", "R448A"),
        ("F-Gas", "R513A", "R32"),
        ("Gas", "N/A", "R407C"),
        ("Gas", "CO2", "Acetylene"),
        ("Type", "R-410A", "a new one"),
    ] {
        let log = proposed(&format!(
            "Date,Asset,{header},Top-up kg\n14/02/2022,Chiller,{first},3.2\n19/02/2022,Chiller,{second},0.25\n"
        ));
        assert!(!log.mapping.contains("natural_gas"), "{header} {first}: {}", log.mapping);
        let asked = log.questions.iter().flat_map(|own| &own.choices).next().unwrap();
        assert_eq!(asked.says, "type = \"refrigerant.recharged\"", "{header} {first}");
        assert!(asked.means.contains(&format!("column = {header:?}")), "{}", asked.means);
    }
}

#[test]
fn the_word_gas_settles_natural_gas_only_where_nothing_else_is_meant() {
    let settled = |table: &str| {
        proposed(table).mapping.lines().any(|line| line == "\"qualifiers.fuel\" = \"natural_gas\"")
    };
    assert!(settled("Date,Gas (kWh)\n2022-01-01,12.5\n"));
    assert!(settled("Date,Gas meter,kWh\n2022-01-01,g-1,12.5\n"));
    assert!(settled("Date,Fuel,kWh\n2022-01-01,Natural gas,12.5\n"));
    for open in [
        "Date,Gas\n2022-01-01,12.5\n",
        "Date,Gas kg\n2022-01-01,12.5\n",
        "Date,Gas,Amount kg\n2022-01-01,Shielding,12.5\n",
        "Date,Fuel,kg\n2022-01-01,Gas,12.5\n",
        "Date,Gas oil (litres)\n2022-01-01,12.5\n",
        "Date,Greenhouse gas (m3)\n2022-01-01,12.5\n",
        "Date,Product,m3\n2022-01-01,Shielding gas,12.5\n",
        "Date,Gas boiler notes,kWh\n2022-01-01,ok,12.5\n",
    ] {
        assert!(!settled(open), "{open}");
    }
}

#[test]
fn a_column_that_tells_kinds_apart_is_asked_about() {
    let text = "Date,Site,Type,Amount,UoM\n2022-01-31,hq,Electricity,1200,kWh\n\
        2022-01-31,hq,Gas,3400,kWh (Gross CV)\n2022-01-31,hq,Diesel,120.5,litres\n2022-01-31,hq,Water,14,m3\n";
    let mixed = proposed(text);
    assert!(mixed.mapping.contains("\nunit = { column = \"UoM\" }"), "{}", mixed.mapping);
    let sure = mixed.mapping.lines().filter(|line| !line.starts_with('#'));
    assert!(!sure.clone().any(|line| line.starts_with("type")), "{}", mixed.mapping);
    let asked = mixed.questions.iter().find(|own| own.column == "Type").unwrap();
    assert!(asked.asks.contains("tells several things apart"), "{}", asked.asks);
    for says in [
        "when = { column = \"Type\", in = [\"Electricity\"] }\ntype = \"electricity.purchased\"",
        "when = { column = \"Type\", in = [\"Gas\"] }\ntype = \"fuel.combusted.stationary\"\n\"qualifiers.fuel\" = \"natural_gas\"",
        "when = { column = \"Type\", in = [\"Diesel\"] }\ntype = \"fuel.combusted.mobile\"\n\"qualifiers.fuel\" = \"diesel\"",
        "when = { column = \"Type\", in = [\"Water\"] }\ntype = \"water.supplied\"",
    ] {
        assert!(asked.choices.iter().any(|choice| choice.says == says), "{says}: {asked:?}");
    }
    let text =
        text.replace("Electricity", "Steam").replace("Diesel", "Steam").replace("Water", "Gas");
    let asked = proposed(&text).questions.remove(0).asks;
    assert!(asked.contains("what \"Steam\" is, only you can tell"), "{asked}");
}

#[test]
fn a_column_of_types_is_the_type_and_what_goes_down_the_drain_is_asked() {
    let typed = proposed(
        "Start,End,Type,Quantity,Unit\n2022-01-01,2022-01-31,electricity.purchased,10,kWh\n2022-01-01,2022-01-31,water.supplied,10,m3\n",
    );
    assert!(typed.mapping.contains("\ntype = { column = \"Type\" }"), "{}", typed.mapping);
    assert!(typed.questions.is_empty(), "{:?}", typed.questions);
    let drained = proposed("Date,Water meter,Returned to sewer m3\n2022-01-01,w-1,12.5\n");
    assert!(!drained.mapping.contains("\ntype = \"water.supplied\""), "{}", drained.mapping);
    assert_eq!(drained.questions[0].choices[0].says, "type = \"water.treated\"");
}

#[test]
fn one_of_two_days_tells_how_both_are_written_and_gallons_are_asked() {
    let bills =
        proposed("From,To,Electricity kWh\n01/02/2022,28/02/2022,10\n01/03/2022,31/03/2022,12\n");
    assert!(bills.questions.is_empty(), "{:?}", bills.questions);
    assert!(bills.mapping.contains("format = \"DD/MM/YYYY\""), "{}", bills.mapping);
    let fuel = proposed("Date,Diesel gallons\n2022-03-25,12\n");
    assert!(!fuel.mapping.contains("\nunit = "), "{}", fuel.mapping);
    let asked = fuel.questions.iter().find(|own| own.asks.contains("several meanings")).unwrap();
    assert!(asked.choices.iter().any(|own| own.says == "unit = \"[gal_us]\""), "{asked:?}");
}

#[test]
fn what_was_given_back_is_not_counted_without_asking() {
    let text = "meter;time;register;kWh\n\
        M1;2022-06-01 00:00;Afname Dag;5.5\nM1;2022-06-01 00:00;Injectie Dag;1.5\n\
        M1;2022-06-01 01:00;Afname Dag;6.5\nM1;2022-06-01 01:00;Injectie Dag;2.5\n";
    let asked = asked(text).join("\n");
    assert!(
        asked.contains("when = { column = \"register\", in = [\"Afname Dag\"] } | what was taken"),
        "{asked}"
    );
    let units = "meter;time;unit;gas\n\
        M1;2022-06-01 00:00;kWh;5.5\nM1;2022-06-01 00:00;m³;1.5\n\
        M1;2022-06-01 01:00;kWh;6.5\nM1;2022-06-01 01:00;m³;2.5\n";
    let asked = self::asked(units).join("\n");
    assert!(
        asked.contains("when = { column = \"unit\", in = [\"kWh\"] } | the rows in kWh"),
        "{asked}"
    );
}

#[test]
fn names_that_are_no_codes_and_days_far_apart_are_asked() {
    let text = "site;date;kWh\nNorth School;2022-01-31;5.5\nNorth School;2022-02-28;6.5\nNorth School;2022-03-31;7.5\n";
    let asked = asked(text).join("\n");
    assert!(asked.contains("map = { \"North School\" = \"north-school\" }"), "{asked}");
    assert!(asked.contains("days apart: what stands for the days between?"), "{asked}");
}

/// A small generator: the sequence is the same for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// How a country writes.
struct Ways {
    delimiter: char,
    style: NumberStyle,
    format: &'static str,
}

fn grouped(digits: &str, sign: Option<char>) -> String {
    let Some(sign) = sign else { return digits.to_owned() };
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(sign);
        }
        text.push(digit);
    }
    text
}

fn day(format: &str, dice: &mut Dice, year: u64) -> String {
    let (month, day) = (dice.roll(12) + 1, dice.roll(28) + 1);
    let text =
        format.replace("YYYY", &year.to_string()).replace("YY", &format!("{:02}", year % 100));
    text.replace("MM", &format!("{month:02}")).replace("DD", &format!("{day:02}"))
}

/// What a file is judged by: how often its reader was sure, and how often it asked.
#[derive(Default)]
struct Judged {
    sure: u32,
    asked: u32,
}

impl Ways {
    /// A file of one to three hundred rows, written in these ways.
    fn file(&self, dice: &mut Dice) -> String {
        let rows = [1, 2, 5, 20, 300][usize::try_from(dice.roll(5)).unwrap()];
        let (digits, places) = (dice.roll(6) + 1, dice.roll(4));
        let most = |digits: u64| 10_u64.pow(u32::try_from(digits).unwrap());
        let sign = self.delimiter;
        let mut text = format!("Meter{sign}Date{sign}kWh{sign}Note\n");
        for row in 0..rows {
            let mut number = grouped(&dice.roll(most(digits)).to_string(), self.style.group);
            if places > 0 {
                let width = usize::try_from(places).unwrap();
                let fraction = dice.roll(most(places));
                write!(number, "{}{fraction:0width$}", self.style.decimal).unwrap();
            }
            if number.contains(sign) {
                number = format!("\"{number}\"");
            }
            let day = day(self.format, dice, 2022);
            writeln!(text, "M{}{sign}{day}{sign}{number}{sign}row {row}", row % 3).unwrap();
        }
        text
    }

    fn judge(&self, text: &str, judged: &mut Judged) {
        let found = look(text.as_bytes()).unwrap();
        let shown = text.lines().take(4).collect::<Vec<_>>().join("\n");
        assert_eq!(char::from(found.delimiter), self.delimiter, "{shown}");
        let column =
            |name: &str| found.columns.iter().find(|column| column.name == name).unwrap().holds();
        let (amounts, days) = (column("kWh"), column("Date"));
        let group = self.style.group.map(|sign| if sign == '\u{a0}' { ' ' } else { sign });
        let truth = NumberStyle { group, ..self.style };
        if let Reading::One(read) = amounts.numbers().expect(&shown) {
            judged.sure += 1;
            for line in text.lines().skip(1) {
                let cell = line.split(self.delimiter).nth(2).unwrap().trim_matches('"');
                assert_eq!(read.plain(cell).ok(), truth.plain(cell).ok(), "{cell}\n{shown}");
            }
        } else {
            judged.asked += 1;
        }
        if let Reading::One(read) = days.times().expect(&shown) {
            judged.sure += 1;
            assert_eq!(read, self.format, "{shown}");
        } else {
            judged.asked += 1;
        }
    }
}

#[test]
fn made_files_of_five_countries_are_never_misread_in_silence() {
    let ways = |delimiter, decimal, group, format| {
        let style = NumberStyle { decimal, group };
        Ways { delimiter, style, format }
    };
    let countries = [
        ways(';', ',', Some('.'), "DD.MM.YYYY"),
        ways(';', ',', Some('\u{a0}'), "DD/MM/YYYY"),
        ways(',', '.', None, "DD/MM/YY"),
        ways('\t', '.', Some(','), "MM/DD/YYYY"),
        ways(';', '.', Some('\''), "DD.MM.YY"),
    ];
    let mut judged = Judged::default();
    for seed in 0..60 {
        for (place, ways) in countries.iter().enumerate() {
            let mut dice = Dice(seed * 100 + place as u64);
            let text = ways.file(&mut dice);
            ways.judge(&text, &mut judged);
        }
    }
    // Asking always would be no feat.
    assert!(judged.sure > judged.asked * 2, "{} sure, {} asked", judged.sure, judged.asked);
}

#[test]
fn what_is_no_table_is_said() {
    for (bytes, word) in [
        (b"".as_slice(), "empty"),
        (b"a\0b\0", "UTF-16"),
        ("\u{fffd}\u{fffd}s\0i\0t\0".as_bytes(), "was UTF-16"),
        (b"PK\x03\x04", "workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"),
        (b"PAR1", "Parquet"),
        (b"\x1f\x8b", "compressed"),
        (b"<feed/>", "XML"),
        (b"{\"activities\": []}", "JSON"),
        (b"a\0\0b", "NUL"),
        (b"site,kWh\n", "no row"),
    ] {
        let error = look(bytes).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn a_column_of_totals_is_not_the_rows() {
    let text = "site;kWh\nA;1.000,5\nB;2.000,5\nTotal;3.001,0\n";
    let found = look(text.as_bytes()).unwrap();
    assert_eq!((found.records, found.totals.len(), found.totals[0].line), (2, 1, 4));
}
