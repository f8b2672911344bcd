use super::*;

const PLAIN: &str = r#"
mapping = "estate-hourly"
format = "csv"
[const]
type = "electricity.purchased"
unit = "kW.h"
time_zone = "UTC"
facility_code = "b24"
source_code = "b24-electricity"
[[activity]]
period = { start = "datetime", format = "YYYY-MM-DD hh:mm:ss", length = "PT1H" }
quantity = { column = "equipment load [kWh]" }
zero_run_missing = "PT168H"
"#;

/// The messy case of the format's description, without the parts that are not built yet.
const MESSY: &str = r#"
mapping = "depot-fuel-cards"
format = "csv"
[file]
encoding = "windows-1252"
delimiter = ";"
quote = '"'
decimal = ","
group = "."
skip_lines = 3
units_row = true
footer = ["Summe", "Total"]
null = ["N/A", "Not Applicable", "-"]
alias_set = "eu"
[[activity]]
key = "diesel"
when = { column = "Produkt", in = ["Diesel", "B7"] }
type = "fuel.combusted.mobile"
"qualifiers.fuel" = "diesel"
quantity = { column = "Menge" }
unit = { column = "Einheit", map = { "Ltr." = "L" } }
occurred_at = { columns = ["Datum", "Uhrzeit"], format = "DD.MM.YYYY hh:mm" }
facility_code = { column = "Depot" }
"tags.cost_centre" = { column = "KST" }
natural = ["facility_code", "occurred_at", "tags.cost_centre"]
[rows]
skip_if = { column = "ReadType", equals = ["Total"] }
"#;

#[test]
fn the_plain_case_is_read() {
    let mapping = Mapping::from_toml(PLAIN).expect("a mapping");
    assert_eq!(mapping.name, "estate-hourly");
    assert_eq!(mapping.columns(), ["datetime", "equipment load [kWh]"]);
    let block = &mapping.blocks[0];
    assert_eq!(block.key, "1");
    assert_eq!(block.fields.len(), 6);
    assert_eq!(block.zero_run_missing, Some(Span::from_secs(604_800)));
}

#[test]
fn the_messy_case_is_read() {
    let mapping = Mapping::from_toml(MESSY).expect("a mapping");
    assert_eq!(mapping.file.encoding, Encoding::Windows1252);
    assert_eq!(mapping.file.number, NumberStyle { decimal: ',', group: Some('.') });
    assert_eq!(mapping.file.alias_set, AliasSet::Eu);
    let block = &mapping.blocks[0];
    assert_eq!(block.key, "diesel");
    assert_eq!(
        block.natural.as_deref(),
        Some(
            &[Natural::Facility, Natural::Period, Natural::Field(Field::Tag("cost_centre".into()))]
                [..]
        )
    );
    assert_eq!(
        mapping.columns(),
        ["ReadType", "Produkt", "Depot", "Datum", "Uhrzeit", "Menge", "KST", "Einheit"]
    );
}

#[test]
fn the_version_is_of_the_tree_and_not_of_its_writing() {
    let one = Mapping::from_toml(PLAIN).expect("a mapping");
    let commented = format!("# a remark\n{}", PLAIN.replace(" = ", "="));
    let two = Mapping::from_toml(&commented).expect("a mapping");
    assert_eq!(one.version, two.version);
    let tree: serde_json::Value = serde_json::from_str(&one.text).expect("JSON");
    assert_eq!(Mapping::from_json(&tree), Ok(one.clone()));
    let other = Mapping::from_toml(&PLAIN.replace("PT168H", "PT24H")).expect("a mapping");
    assert_ne!(one.version, other.version);
}

#[test]
fn constants_given_beside_it_win_over_its_own() {
    let mapping = Mapping::from_toml(PLAIN).expect("a mapping");
    let set = |name: &str, value: &str| {
        mapping.with_constants(&BTreeMap::from([(name.to_owned(), value.to_owned())]))
    };
    let other = set("facility_code", "b44").expect("a mapping");
    let facility = |mapping: &Mapping| {
        let rule = |(field, rule): &(Field, Rule)| {
            (*field == Field::FacilityCode).then(|| rule.from.clone())
        };
        mapping.blocks[0].fields.iter().find_map(rule)
    };
    assert_eq!(facility(&other), Some(values::From::Constant("b44".to_owned())));
    assert_eq!(other.version, mapping.version);
    let text = |result: Result<Mapping, MappingError>| result.expect_err("refused").to_string();
    assert!(text(set("facilty_code", "x")).contains("did you mean facility_code?"));
    assert!(text(set("quantity", "5")).contains("reads this field from the file"));
    assert!(text(set("scope", "4")).contains("from 1 to 3"));
}

/// One change to the plain mapping, and the place and words of the refusal.
#[track_caller]
fn check(from: &str, to: &str, at: &str, words: &str) {
    let text = PLAIN.replace(from, to);
    assert_ne!(text, PLAIN, "{from:?} is not there");
    let error = Mapping::from_toml(&text).expect_err("refused");
    let shown = error.to_string();
    assert!(error.problems.iter().any(|problem| problem.at == at), "{at}: {shown}");
    assert!(shown.contains(words), "{words:?} is not in {shown:?}");
}

#[test]
fn mistakes_are_named_with_what_was_meant() {
    check("format = \"csv\"", "formt = \"csv\"", "formt", "did you mean format?");
    check("unit =", "unti =", "const.unti", "did you mean unit?");
    check("zero_run_missing", "zero_run_mising", "activity.1.zero_run_mising", "did you mean");
    check("column = \"equip", "colum = \"equip", "activity.1.quantity", "one of column, columns");
    check(
        "column = \"equip",
        "colunm = \"equip",
        "activity.1.quantity.colunm",
        "did you mean column?",
    );
    check(
        "start = \"datetime\"",
        "start = { colum = \"d\" }",
        "activity.1.period.start.colum",
        "column?",
    );
    check("\"estate-hourly\"", "\"estate\\u0000\"", "mapping", "no control characters");
    check("\"YYYY-MM-DD hh:mm:ss\"", "\"YYYY-mm-DD\"", "activity.1.period.format", "minutes");
    check("\"PT1H\"", "\"1 hour\"", "activity.1.period.length", "PT1H");
    check("time_zone = \"UTC\"", "time_zone = \"GMT+25\"", "const.time_zone", "IANA");
    check("format = \"csv\"", "format = \"csv\"\nunanswered = 2", "unanswered", "open questions");
    check("format = \"csv\"", "format = \"xml\"", "format", "without a mapping");
    check("format = \"csv\"", "format = \"ods\"", "format", "\"xlsx\" or \"parquet\"");
    let file = |line: &str| format!("format = \"xlsx\"\n[file]\n{line}");
    check("format = \"csv\"", &file("delimiter = \";\""), "file.delimiter", "a workbook has none");
    let columns = |line: &str| format!("format = \"parquet\"\n[file]\n{line}");
    for line in ["delimiter = \";\"", "skip_lines = 2", "units_row = true"] {
        let at = format!("file.{}", line.split(' ').next().expect("a key"));
        check("format = \"csv\"", &columns(line), &at, "a Parquet file has none");
    }
    let floats = "format = \"csv\"\n[file]\nallow_float = true";
    check("format = \"csv\"", floats, "file.allow_float", "no binary floats");
    check("format = \"csv\"", &columns("allow_float = 1"), "file.allow_float", "true or false");
    let sheet = "format = \"csv\"\n[file]\nsheet = \"2024\"";
    check("format = \"csv\"", sheet, "file.sheet", "has no sheets");
    let wide = |part: &str| format!("[unpivot]\n{part}\n[[activity]]");
    let check_wide =
        |part: &str, at: &str, word: &str| check("[[activity]]", &wide(part), at, word);
    check_wide("columns = \"x\"", "unpivot.label", "not said");
    check_wide("columns = \"x\"\nlabel = \"start\"", "unpivot", "have a length");
    check_wide("columns = \"x\"\nlabel = \"name\"", "unpivot", "is a field");
    check_wide(
        "columns = \"(\"\nlabel = \"name\"\nas = \"source_code\"",
        "unpivot.columns",
        "regular",
    );
    check_wide("columns = \"x\"\nlabel = \"name\"\nas = \"sourc_code\"", "unpivot.as", "no field");
    check_wide("columns = \"x\"\nlabel = \"end\"\nlength = \"PT30M\"", "activity.1", "of a day");
    check_wide(
        "colums = \"x\"\nlabel = \"end\"\nlength = \"PT30M\"",
        "unpivot.colums",
        "unknown key",
    );
    check("unit = \"kW.h\"", "quantity = 1.5", "", "write it in quotes");
    check("mapping = ", "name = ", "mapping", "needs a name");
    check("start = \"datetime\", ", "", "activity.1.period", "a period is not said");
    check("type = \"el", "type = 7\n#", "const.type", "electricity.purchased");
    check("[const]", "[const", "", "not TOML");
}

#[test]
fn several_mistakes_come_at_once() {
    let text = PLAIN.replace("unit =", "unti =").replace("\"PT1H\"", "\"x\"");
    let error = Mapping::from_toml(&text).expect_err("refused");
    assert!(error.problems.len() >= 2, "{error}");
}

#[test]
fn a_scale_must_terminate_and_be_exact() {
    let with = |scale: &str| {
        let text = PLAIN.replace("[kWh]\" }", &format!("[kWh]\", scale = {scale} }}"));
        Mapping::from_toml(&text)
    };
    assert!(with("\"1/1000\"").is_ok());
    assert!(with("1000").is_ok());
    assert!(with("\"1/3\"").expect_err("refused").to_string().contains("must terminate"));
    assert!(with("0.001").expect_err("refused").to_string().contains("in quotes"));
}
