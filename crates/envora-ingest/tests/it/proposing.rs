//! Mappings proposed for UTF-16, workbooks and Parquet: what is proposed loads as it is, and what the file
//! does not tell is asked.

use envora_api::proposals::{MappingProposal, ProposalConfidence};
use envora_domain::activities::validate::validate;
use envora_domain::activities::{Activity, Period};
use envora_domain::time::Day;
use envora_ingest::formats::Format;
use envora_ingest::rows::ParsedRow;
use envora_ingest::sniff::{LookError, look, look_at, propose};
use parquet::file::properties::WriterProperties;
use rust_xlsxwriter::{ExcelDateTime, Format as Style, Workbook, Worksheet};

use crate::columns::{Values, file};
use crate::tables::{good, reader, real};

fn proposed(bytes: &[u8], sheet: Option<&str>) -> MappingProposal {
    propose(&look_at(bytes, sheet).unwrap(), "electricity")
}

/// The rows of a file through what is proposed for it, these choices taken.
fn loaded(format: Format, bytes: &[u8], answers: &[&str]) -> Vec<ParsedRow> {
    let proposal = proposed(bytes, None);
    assert_eq!(proposal.questions.len(), answers.len(), "{}", proposal.mapping);
    let mut mapping = proposal.mapping;
    for answer in answers {
        assert!(mapping.contains(&format!("# {answer}")), "{answer} is no choice in {mapping}");
        mapping = mapping.replacen(&format!("# {answer}"), answer, 1);
    }
    let mapping: String = mapping
        .lines()
        .filter(|line| !line.starts_with("unanswered"))
        .map(|l| l.to_owned() + "\n")
        .collect();
    let reader = reader(format, bytes, &mapping).unwrap_or_else(|e| panic!("{e}\n{mapping}"));
    reader.map(Result::unwrap).collect()
}

fn quantities(rows: &[ParsedRow]) -> Vec<String> {
    good(rows).iter().map(|own| format!("{} {}", own.quantity, own.unit)).collect()
}

fn codes(rows: &[ParsedRow]) -> Vec<(u64, &'static str)> {
    let problem = |row: &ParsedRow| {
        row.activity.as_ref().err().map(|problems| (row.line, problems[0].code.as_str()))
    };
    rows.iter().filter_map(problem).collect()
}

fn says(proposal: &MappingProposal, what: &str) -> ProposalConfidence {
    let reason = proposal.reasons.iter().find(|reason| reason.what.contains(what));
    reason.unwrap_or_else(|| panic!("{what} is no reason of {:?}", proposal.reasons)).confidence
}

#[test]
fn whether_a_bill_holds_its_second_day_is_asked_where_the_next_one_starts_on_it() {
    let bills = "Meter,From,To,kWh\nM1,2024-11-01,2024-12-01,300\nM1,2024-12-01,2025-01-01,310\n\
        M1,2025-01-01,2025-02-01,290\n";
    let last_days = |answer: &str| -> Vec<String> {
        let rows = loaded(Format::Csv, bills.as_bytes(), &[answer]);
        let last = |own: &&Activity| match own.period {
            Period::Days { first, last } => format!("{first} {last}"),
            other => panic!("{other:?}"),
        };
        good(&rows).iter().map(last).collect()
    };
    assert_eq!(
        last_days("period = { start = \"From\", until = \"To\" }"),
        ["2024-11-01 2024-11-30", "2024-12-01 2024-12-31", "2025-01-01 2025-01-31"]
    );
    assert_eq!(
        last_days("period = { start = \"From\", end = \"To\" }"),
        ["2024-11-01 2024-12-01", "2024-12-01 2025-01-01", "2025-01-01 2025-02-01"]
    );
    // The order of day and month may be open too: one question for both.
    let slashes = "Meter,From,To,kWh\nM1,01/11/2024,01/12/2024,300\nM1,01/12/2024,01/01/2025,310\n";
    let answer = "period = { start = \"From\", until = \"To\", format = \"DD/MM/YYYY\" }";
    let rows = loaded(Format::Csv, slashes.as_bytes(), &[answer]);
    let (first, last) = (Day::from_ymd(2024, 11, 1).unwrap(), Day::from_ymd(2024, 11, 30).unwrap());
    assert_eq!(good(&rows)[0].period, Period::Days { first, last });
    // Where each ends before the next one starts, or holds one day, there is nothing to ask.
    let days = "Meter,From,To,kWh\nM1,2024-11-01,2024-11-01,3\nM1,2024-11-02,2024-11-02,3\n";
    let proposal = proposed(days.as_bytes(), None);
    assert!(!proposal.mapping.contains("until"), "{proposal:?}");
    let bills = bills.replace("12-01,300", "11-30,300").replace("2025-01-01,310", "2024-12-31,310");
    let proposal = proposed(bills.as_bytes(), None);
    assert!(proposal.questions.is_empty(), "{proposal:?}");
    // A meter's last bill has none after it, and another meter's days are not its own.
    let until = |rows: &[&str]| {
        let file = format!("Meter,From,To,kWh\n{}\n", rows.join("\n"));
        let proposal = proposed(file.as_bytes(), None);
        proposal.questions.iter().any(|asked| asked.column == "To")
    };
    let blocks = [
        "M1,2024-11-01,2024-12-01,300",
        "M1,2024-12-01,2025-01-01,310",
        "M2,2024-11-05,2024-12-05,20",
        "M3,2024-11-09,2024-12-09,30",
    ];
    assert!(until(&blocks), "one of one that could");
    assert!(until(&[2, 0, 3, 1].map(|row| blocks[row])), "in any order");
    let apart = [
        "M1,2024-11-01,2024-11-30,300",
        "M1,2024-12-01,2024-12-31,310",
        "M2,2024-11-30,2024-12-30,20",
        "M2,2024-12-31,2025-01-30,30",
    ];
    assert!(!until(&apart), "another meter's bill starts on its last day");
    // A day that ends before it starts is told with its row.
    let rows = "mapping = \"m\"\n[const]\ntype = \"electricity.purchased\"\nunit = \"kWh\"\nfacility_code = \"b2\"\n[[activity]]\n\
        period = { start = \"From\", until = \"To\" }\nquantity = { column = \"kWh\" }\n";
    let read = reader(Format::Csv, b"From,To,kWh\n2024-01-01,2024-01-01,1\n", rows).unwrap();
    let read: Vec<ParsedRow> = read.map(Result::unwrap).collect();
    assert_eq!(codes(&read), [(2, "period_reversed")]);
}

#[test]
fn utf_16_is_told_by_its_mark_and_loads() {
    let text = "Zähler\tDatum\tkWh\nM1\t30.01.2022\t1,5\nM1\t31.01.2022\t2,5\nM2\t31.01.2022\t3\n";
    let little = text.encode_utf16().flat_map(u16::to_le_bytes);
    let little: Vec<u8> = [0xff, 0xfe].into_iter().chain(little).collect();
    let big = text.encode_utf16().flat_map(u16::to_be_bytes);
    let big: Vec<u8> = [0xfe, 0xff].into_iter().chain(big).collect();
    for bytes in [little, big] {
        let proposal = proposed(&bytes, None);
        assert_eq!(says(&proposal, "UTF-16"), ProposalConfidence::Certain);
        assert!(proposal.mapping.contains("source_code = { column = \"Zähler\" }"), "{proposal:?}");
        assert!(!proposal.mapping.contains("encoding"), "its mark says it: {}", proposal.mapping);
        let answer = "type = \"electricity.purchased\"";
        let answers = if proposal.questions.is_empty() { &[][..] } else { &[answer] };
        let rows = loaded(Format::Csv, &bytes, answers);
        assert_eq!(quantities(&rows), ["1.5 kWh", "2.5 kWh", "3 kWh"]);
    }
}

/// Title rows, a header, a row of units, dates as numbers, and a last row that sums the others up.
fn bills(sheet: &mut Worksheet) {
    let (days, amounts) =
        (Style::new().set_num_format("dd/mm/yyyy"), Style::new().set_num_format("#,##0.00"));
    sheet.write(0, 0, "Electricity of our shops").unwrap();
    sheet.write(1, 0, "printed for the\nyear's end").unwrap();
    for (place, (name, unit)) in
        [("Meter", ""), ("From", ""), ("To", ""), ("Use", "kWh"), ("Note", "")]
            .into_iter()
            .enumerate()
    {
        let column = u16::try_from(place).unwrap();
        sheet.write(3, column, name).unwrap();
        sheet.write(4, column, unit).unwrap();
    }
    for (row, (meter, month, use_)) in
        [("M1", 1, 1234.5), ("M1", 2, 1001.25), ("M2", 1, 98.0)].into_iter().enumerate()
    {
        let row = u32::try_from(row).unwrap() + 5;
        let day = |day| ExcelDateTime::from_ymd(2022, month, day).unwrap();
        sheet.write(row, 0, meter).unwrap();
        sheet.write_with_format(row, 1, day(1), &days).unwrap();
        sheet.write_with_format(row, 2, day(28), &days).unwrap();
        sheet.write_with_format(row, 3, use_, &amounts).unwrap();
    }
    sheet.write(8, 0, "Total").unwrap();
    sheet.write_with_format(8, 3, 2333.75, &amounts).unwrap();
}

/// A sheet's name, and what fills it.
type Named<'a> = (&'a str, fn(&mut Worksheet));

fn book(sheets: &[Named<'_>]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    for (name, fill) in sheets {
        let sheet = workbook.add_worksheet();
        sheet.set_name(*name).unwrap();
        fill(sheet);
    }
    workbook.save_to_buffer().unwrap()
}

fn notes(sheet: &mut Worksheet) {
    sheet.write(0, 0, "Written down by the caretaker.").unwrap();
    sheet.write(1, 0, "Ask before you use it.").unwrap();
}

#[test]
fn a_sheet_with_titles_units_and_a_total_is_proposed_and_loads() {
    let bytes = book(&[("Read me", notes), ("2022", bills)]);
    let proposal = proposed(&bytes, None);
    for line in [
        "format = \"xlsx\"",
        "sheet = \"2022\"",
        "skip_lines = 3",
        "units_row = true",
        "type = \"electricity.purchased\"",
        "period = { start = \"From\", end = \"To\" }",
        "quantity = { column = \"Use\" }",
        "unit = \"kWh\"",
        "source_code = { column = \"Meter\" }",
    ] {
        assert!(proposal.mapping.lines().any(|own| own == line), "{line}\n{}", proposal.mapping);
    }
    assert!(!proposal.mapping.contains("delimiter"), "{}", proposal.mapping);
    assert_eq!(says(&proposal, "the sheet \"2022\""), ProposalConfidence::Likely);
    assert_eq!(says(&proposal, "line 9 sums others up"), ProposalConfidence::Likely);
    assert_eq!((proposal.rows, proposal.confidence), (3, ProposalConfidence::Likely));
    let rows = loaded(Format::Xlsx, &bytes, &[]);
    assert_eq!(quantities(&rows), ["1234.5 kWh", "1001.25 kWh", "98 kWh"]);
    assert_eq!(codes(&rows), [(9, "looks_like_total")]);
}

#[test]
fn which_of_several_tables_is_meant_is_asked() {
    fn short(sheet: &mut Worksheet) {
        sheet.write(0, 0, "Day").unwrap();
        sheet.write(0, 1, "Gas m3").unwrap();
        for row in 1..=2_u8 {
            sheet.write(u32::from(row), 0, format!("2022-01-0{row}")).unwrap();
            sheet.write(u32::from(row), 1, f64::from(row)).unwrap();
        }
    }
    let bytes = book(&[("Gas", short), ("Power", bills)]);
    let asked = proposed(&bytes, None);
    let question = &asked.questions[0];
    assert_eq!(
        (question.code.as_str(), asked.confidence),
        ("ambiguous_format", ProposalConfidence::Open)
    );
    let choices: Vec<&str> = question.choices.iter().map(|own| own.says.as_str()).collect();
    assert_eq!(choices, ["sheet = \"Power\"", "sheet = \"Gas\""]);
    assert!(question.choices[1].means.contains("2 rows: Day, Gas m3"), "{question:?}");
    let named = proposed(&bytes, Some("Gas"));
    assert!(named.mapping.contains("\nsheet = \"Gas\"\n"), "{}", named.mapping);
    assert!(named.mapping.contains("quantity = { column = \"Gas m3\" }"), "{}", named.mapping);
    let LookError::NoTable { remedy, .. } = look_at(bytes.as_slice(), Some("Gsa")).unwrap_err()
    else {
        panic!("a name that is none")
    };
    assert!(remedy.contains("did you mean \"Gas\"?"), "{remedy}");
    let none = look(book(&[("Read me", notes), ("More", notes)]).as_slice()).unwrap_err();
    assert!(none.to_string().contains("\"Read me\", \"More\""), "{none}");
}

#[test]
fn numbers_of_cells_are_no_question_and_those_of_texts_are() {
    fn cells(sheet: &mut Worksheet) {
        sheet.write(0, 0, "Day").unwrap();
        sheet.write(0, 1, "kWh").unwrap();
        for row in 1..=3_u8 {
            sheet.write(u32::from(row), 0, format!("2022-01-0{row}")).unwrap();
            sheet.write(u32::from(row), 1, 1.234 + f64::from(row)).unwrap();
        }
    }
    fn texts(sheet: &mut Worksheet) {
        cells(sheet);
        for row in 1..=3_u8 {
            sheet.write(u32::from(row), 1, format!("{row}.234")).unwrap();
        }
    }
    assert_eq!(proposed(&book(&[("S", cells)]), None).questions, []);
    let asked = proposed(&book(&[("S", texts)]), None).questions;
    assert!(asked[0].asks.contains("\"1.234\" can be two numbers"), "{asked:?}");
}

#[test]
fn flawed_cells_and_hidden_rows_are_told() {
    fn flawed(sheet: &mut Worksheet) {
        bills(sheet);
        sheet.set_row_hidden(6).unwrap();
        sheet.set_column_hidden(4).unwrap();
        sheet.write(5, 4, "checked").unwrap();
    }
    let proposal = proposed(&book(&[("S", flawed)]), None);
    says(&proposal, "1 hidden rows");
    says(&proposal, "1 cells of \"Note\"");
    assert_eq!(proposal.rows, 2, "a hidden row is none");
}

#[test]
fn columns_of_a_parquet_file_are_proposed_and_floats_are_asked() {
    let schema = "
        required int64 start_time (TIMESTAMP(MILLIS, true));
        required int64 kwh (DECIMAL(18, 3));
        required binary meter_id (STRING);
        required int96 written;
    ";
    let hours: Vec<Option<i64>> =
        (0..24).map(|hour| Some(1_640_995_200_000 + hour * 3_600_000)).collect();
    let meters = || Values::Text(vec![Some("m-1"); 24]);
    let stamps = || {
        let mut stamp = parquet::data_type::Int96::new();
        stamp.set_data(0, 0, 2_459_581);
        Values::I96(vec![stamp; 24])
    };
    let exact = Values::I64((0..24).map(|row| Some(1_500 + row % 5)).collect());
    let how = WriterProperties::builder().build();
    let groups = vec![vec![Values::I64(hours.clone()), exact, meters(), stamps()]];
    let bytes = file(schema, how.clone(), &groups);
    let proposal = proposed(&bytes, None);
    for line in [
        "format = \"parquet\"",
        "period = { start = \"start_time\", length = \"PT1H\" }",
        "quantity = { column = \"kwh\" }",
        "source_code = { column = \"meter_id\" }",
    ] {
        assert!(proposal.mapping.lines().any(|own| own == line), "{line}\n{}", proposal.mapping);
    }
    says(&proposal, "the column \"written\" holds times as INT96");
    let rows = loaded(Format::Parquet, &bytes, &[]);
    assert_eq!((rows.len(), good(&rows).len()), (24, 24));
    assert_eq!(quantities(&rows)[..2], ["1.500 kwh", "1.501 kwh"]);

    let floats = Values::F64((0..24).map(|row| 0.1 + f64::from(row % 5)).collect());
    let groups = vec![vec![Values::I64(hours), floats, meters(), stamps()]];
    let bytes = file(&schema.replace("int64 kwh (DECIMAL(18, 3))", "double kwh"), how, &groups);
    let question = proposed(&bytes, None).questions.remove(0);
    assert_eq!((question.code.as_str(), question.column.as_str()), ("ambiguous_format", "kwh"));
    let rows = loaded(Format::Parquet, &bytes, &["allow_float = true"]);
    assert_eq!(quantities(&rows)[..2], ["0.1 kwh", "1.1 kwh"]);
}

#[test]
fn power_is_no_amount_without_asking() {
    let text = "meter,time,strom (kW)\nm1,2022-06-01 00:00,5.5\nm1,2022-06-01 00:15,6.5\nm1,2022-06-01 23:45,7.5\n";
    let text =
        format!("{text}m1,2022-06-02 00:00,1\nm1,2022-06-02 00:15,1\nm1,2022-06-02 00:30,1\n");
    let asked = proposed(text.as_bytes(), None).questions;
    let question = asked.iter().find(|own| own.asks.contains("power")).unwrap();
    assert_eq!(
        question.choices[0].says,
        "quantity = { column = \"strom (kW)\", scale = \"1/4\" }\nunit = \"kW.h\""
    );
}

/// What the energy that the publisher's kilowatts come to is, by a sum that its own total has.
#[test]
fn a_real_workbook_of_quarter_hours_comes_to_its_energy() {
    let Some(bytes) = real("smart-meter-exports/e-redes-sample.xlsx") else { return };
    let mut mapping = proposed(&bytes, None).mapping;
    for (from, to) in [
        ("# quantity = ", "quantity = "),
        ("# unit = \"kW.h\"", "unit = \"kW.h\""),
        ("# time_zone = \"Europe/London\"", "time_zone = \"Europe/Lisbon\""),
        ("# facility_code = \"…\"", "facility_code = \"home\""),
    ] {
        assert!(mapping.contains(from), "{from}: {mapping}");
        mapping = mapping.replacen(from, to, 1);
    }
    let mapping: String = mapping
        .lines()
        .filter(|line| !line.starts_with("unanswered"))
        .map(|l| l.to_owned() + "\n")
        .collect();
    let rows: Vec<ParsedRow> =
        reader(Format::Xlsx, &bytes, &mapping).unwrap().map(Result::unwrap).collect();
    let good = good(&rows);
    assert_eq!(good.len(), 35_040, "{:?}", codes(&rows));
    let thousandths = |text: &str| {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        format!("{whole}{part:0<6}").parse::<u64>().unwrap()
    };
    let sum: u64 = good.iter().map(|own| thousandths(&own.quantity.to_string())).sum();
    assert_eq!(sum, 12_632_109_000);
}

#[test]
fn a_column_that_hardly_ever_falls_may_be_a_counter_and_is_asked_about() {
    let table = |amount: fn(u32) -> u32| {
        let rows = (0..96).map(|step| {
            let (day, hour) = (1 + step / 24, step % 24);
            format!("2022-03-{day:02} {hour:02}:00,{}.5\n", amount(step))
        });
        format!("time,water m3\n{}", rows.collect::<String>())
    };
    let asks = |amount| {
        let found = proposed(table(amount).as_bytes(), None);
        found.questions.iter().any(|own| own.column == "water m3" && own.asks.contains("register"))
    };
    assert!(asks(|step| 1_000 + step / 2), "it rises, and stands still now and then");
    assert!(asks(|step| (step + 90) % 100), "it begins anew once");
    assert!(asks(|step| 5_000 - step * 7), "the youngest row comes first");
    assert!(!asks(|step| 40 + step * 37 % 23), "amounts go up and down");
    assert!(!asks(|_| 12), "nothing moves");
}

#[test]
fn a_column_of_gas_and_electricity_names_no_meter_whatever_it_is_called() {
    let found = |head: &str, kinds: [&str; 4]| {
        let rows = kinds
            .iter()
            .zip(1..)
            .map(|(kind, day)| format!("0{day}/01/2022,{kind},{day}0.5,kWh,hq\n"));
        let text = format!("Read on,{head},Used,Unit,Site\n{}", rows.collect::<String>());
        let proposal = propose(&look_at(text.as_bytes(), None).unwrap(), "bills");
        let asks: Vec<String> = proposal.questions.iter().map(|own| own.asks.clone()).collect();
        (proposal.mapping, asks.join("\n"))
    };
    for head in ["Meter", "Meter type"] {
        let (mapping, asks) = found(head, ["Electricity", "Gas", "Gas", "Electricity"]);
        assert!(!mapping.contains("source_code = {"), "{mapping}");
        assert!(asks.contains(&format!("{head:?} tells several things apart")), "{asks}");
        let (mapping, asks) = found(head, ["Electricity", "Gas", "", "Electricity"]);
        assert!(asks.contains("it is blank in 1 row, which no [[activity]] takes"), "{asks}");
        assert!(!mapping.contains("source_code = {"), "{mapping}");
        assert!(asks.contains("kWh of gas: by gross or by net"), "{asks}");
        assert!(mapping.contains("map = { \"kWh\" = \"kW.h.x:gross\" }"), "{mapping}");
        let (mapping, asks) = found(head, ["Electricity"; 4]);
        assert!(!asks.contains("gross"), "{asks}");
        assert!(mapping.contains("\ntype = \"electricity.purchased\"\n"), "{mapping}");
        assert!(!mapping.contains("source_code = {") && !asks.contains("blank"), "{mapping}");
        // What says nothing is not taken for what the others are.
        let (mapping, asks) = found(head, ["Electricity", "", "Electricity", "n/a"]);
        assert!(!mapping.contains("\ntype ="), "{mapping}");
        assert!(
            asks.contains("says electricity, and is blank in 2 rows: what are those?"),
            "{asks}"
        );
        assert!(mapping.contains("in = [\"Electricity\"]"), "{mapping}");
    }
    let (mapping, _) = found("Meter", ["E-1", "E-2", "E-1", "E-2"]);
    assert!(mapping.contains("source_code = { column = \"Meter\" }"), "{mapping}");
    let (mapping, _) = found("Meter type", ["HH", "NHH", "HH", "NHH"]);
    assert!(!mapping.contains("source_code = {"), "{mapping}");
}

#[test]
fn waste_notes_are_tied_to_what_was_thrown_away_and_what_became_of_it() {
    let known = "Site,Collected,Material,Treatment,Weight,Unit\n\
        hq,2022-01-18,Glass,Recycling,2.85,t\nhq,2022-01-14,Garden waste,Composting,1.38,t\n";
    let day = "period = { day = \"Collected\" }";
    assert!(proposed(known.as_bytes(), None).mapping.contains(day));
    let unknown = "Site,Date,Waste,Destination,Tonnes,Cost\n\
        hq,2022-01-18,General waste,Energy from waste,5.64,10\nhq,2022-01-19,Wood,Landfill,1,20\n\
        hq,2022-01-20,Glass,MRF,2,30\n";
    let proposal = proposed(unknown.as_bytes(), None);
    let sure =
        |proposal: &MappingProposal, line: &str| proposal.mapping.lines().any(|own| own == line);
    assert!(sure(&proposal, "type = \"waste.treated\""), "{}", proposal.mapping);
    let asked: Vec<(&str, &str)> = proposal
        .questions
        .iter()
        .map(|own| (own.column.as_str(), own.choices[0].says.as_str()))
        .collect();
    let (material, treatment) = (
        "\"qualifiers.material\" = { column = \"Waste\", map = { \"General waste\" = \"…\" } }",
        "\"qualifiers.treatment\" = { column = \"Destination\", map = { \"Energy from waste\" = \"combustion\", \"MRF\" = \"…\" } }",
    );
    assert_eq!(asked, [("Waste", material), ("Destination", treatment)]);
    assert!(proposal.questions[1].asks.contains("\"MRF\" no word"), "{:?}", proposal.questions);
    assert!(proposal.questions[1].asks.contains("landfill, combustion"), "{proposal:?}");
    // What is left unsaid is refused, never counted as something else.
    let rows = loaded(Format::Csv, unknown.as_bytes(), &[material, treatment]);
    let told: Vec<Vec<String>> = good(&rows)
        .iter()
        .map(|row| validate(row).into_iter().map(|own| own.field).collect())
        .collect();
    assert_eq!(told, [vec!["/qualifiers/material"], vec![], vec!["/qualifiers/treatment"]]);
    // Where each cell is a word there is nothing to ask.
    let rows = loaded(Format::Csv, known.as_bytes(), &[]);
    let said: Vec<(&str, &str)> = good(&rows)
        .iter()
        .map(|row| (row.qualifiers["material"].as_str(), row.qualifiers["treatment"].as_str()))
        .collect();
    assert_eq!(said, [("Glass", "Recycling"), ("Garden waste", "Composting")]);
    // Two that may each be the material are asked about.
    let two = "Date,Waste stream,Material,Disposal route,kg\n2022-01-18,Paper,Books,Landfill,5\n";
    let asked = proposed(two.as_bytes(), None).questions;
    assert!(asked[0].asks.contains("\"Waste stream\" and \"Material\""), "{asked:?}");
    assert_eq!(asked[0].choices.len(), 2);
    // A heading alone settles nothing, and is offered with what it would be tied to.
    let named = |text: &str| propose(&look_at(text.as_bytes(), None).unwrap(), "log");
    let asked = named("Date,Waste type,kg\n2022-01-18,Mixed,5\n").questions;
    assert_eq!(asked[0].choices[0].says, "type = \"waste.treated\"");
    let tied = "\"qualifiers.material\" = { column = \"Waste type\" }";
    assert!(asked[0].choices[0].means.contains(tied), "{asked:?}");
    // A place that somebody went to is none.
    let proposal = named("Date,Destination,km\n2022-01-18,London,5\n2022-01-19,Leeds,7\n");
    assert!(!proposal.mapping.contains("waste"), "{}", proposal.mapping);
}

#[test]
fn two_columns_of_gases_are_asked_about() {
    let log = |header: &str| {
        let text = format!("Date,{header},kg\n2022-02-14,R-410A,R-410A,3.2\n");
        proposed(text.as_bytes(), None).questions.remove(0)
    };
    let asked = log("Gas,Gas added");
    assert!(asked.asks.contains("\"Gas\" and \"Gas added\" name gases"), "{}", asked.asks);
    for (choice, column) in asked.choices.iter().zip(["Gas", "Gas added"]) {
        assert_eq!(choice.says, "type = \"refrigerant.recharged\"");
        assert!(choice.means.contains(&format!("column = {column:?}")), "{}", choice.means);
    }
    let text = "Date,Refrigerant engineer,Gas,kg\n2022-02-14,Smith,R-410A,3.2\n";
    let asked = proposed(text.as_bytes(), None).questions.remove(0);
    assert!(asked.choices[0].means.contains("column = \"Gas\""), "{asked:?}");
    assert_eq!(asked.asks, "what is it that was used?", "one of them names gases");
}

#[test]
fn months_have_their_first_and_last_day_and_of_a_year_that_is_missing_it_is_asked() {
    let days = |rows: &[ParsedRow]| -> Vec<String> {
        let days = |own: &&Activity| match own.period {
            Period::Days { first, last } => format!("{first} {last}"),
            other => panic!("{other:?}"),
        };
        good(rows).iter().map(days).collect()
    };
    let bare = "Site,Month,Electricity (kWh)\nhq,January,120\nhq,February,110\nhq,December,130\n";
    let proposal = proposed(bare.as_bytes(), None);
    let [asked] = proposal.questions.as_slice() else { panic!("{}", proposal.mapping) };
    assert_eq!((asked.code.as_str(), asked.column.as_str()), ("missing_field", "Month"));
    assert!(
        asked.asks.contains("of which year") && asked.asks.contains("add a column"),
        "{asked:?}"
    );
    let says = &asked.choices[0].says;
    assert!(
        says.starts_with("start_date = { column = \"Month\", map = { \"January\" = \"YYYY-01-01\"")
    );
    // As the choice is, no row is taken; with the year, all are.
    let answered = |year: &str| {
        let said = format!("{}\n", says.replace("YYYY", year));
        let lines = proposal.mapping.lines().filter(|line| !line.starts_with("unanswered"));
        let mapping: String = lines.map(|line| format!("{line}\n")).collect::<String>() + &said;
        let read = reader(Format::Csv, bare.as_bytes(), &mapping).unwrap();
        read.map(Result::unwrap).collect::<Vec<ParsedRow>>()
    };
    assert_eq!(codes(&answered("YYYY")).len(), 3);
    let want = ["2024-01-01 2024-01-31", "2024-02-01 2024-02-28", "2024-12-01 2024-12-31"];
    assert_eq!(days(&answered("2024")), want);
    for (file, want) in [
        (
            "Site,Month,Electricity (kWh)\nhq,Jan 2024,120\nhq,February 2024,110\n",
            "2024-02-01 2024-02-29",
        ),
        ("Site,Month,Electricity (kWh)\nhq,2024-01,120\nhq,2024-02,110\n", "2024-02-01 2024-02-29"),
        (
            "Site,Year,Month,Electricity (kWh)\nhq,2023,Jan,120\nhq,2023,Feb,110\n",
            "2023-02-01 2023-02-28",
        ),
        (
            "Standort,Jahr,Monat,Strom (kWh)\nhq,2024,1,120\nhq,2024,2,110\n",
            "2024-02-01 2024-02-29",
        ),
    ] {
        assert_eq!(days(&loaded(Format::Csv, file.as_bytes(), &[]))[1], want, "{file}");
    }
}
