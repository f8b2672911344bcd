//! XML: our own elements say what the same rows say in JSON, Green Button what its readings say, and what an
//! XML parser may be talked into is refused.

use envora_domain::activities::problems::{Flag, RowCode};
use envora_domain::activities::{Origin, Period};
use envora_ingest::fields::NAMES;
use envora_ingest::formats::mend::{Refused, Rows, error_file};
use envora_ingest::formats::{Format, OpenError, Opening, OriginHead, open};
use envora_ingest::rows::ParsedRow;

use crate::tables::{good, real};

fn opened(text: &str, set: &[(&str, &str)]) -> Result<Vec<ParsedRow>, OpenError> {
    let head = OriginHead::Request { request_id: "r".into(), body: [0; 32] };
    let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let opening = Opening {
        head,
        mapping: None,
        set,
        local_times: Default::default(),
        clocks: Default::default(),
    };
    let bytes = std::io::Cursor::new(text.as_bytes().to_vec());
    Ok(open(Format::Xml, Box::new(bytes), &opening)?.map(Result::unwrap).collect())
}

fn rows(text: &str, set: &[(&str, &str)]) -> Vec<ParsedRow> {
    opened(text, set).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn refused(text: &str, words: &[&str]) {
    match opened(text, &[]) {
        Err(OpenError::File(problems)) => {
            let text = format!("{}: {}", problems[0].detail, problems[0].hint);
            for word in words {
                assert!(text.contains(word), "{word}: {text}");
            }
        }
        Err(OpenError::Io(error)) => panic!("{error}"),
        Ok(_) => panic!("the file was read"),
    }
}

fn problems(rows: &[ParsedRow]) -> Vec<(u64, RowCode, String)> {
    let all = rows.iter().filter_map(|row| row.activity.as_ref().err()).flatten();
    all.map(|one| (one.line, one.code, format!("{} {}", one.field, one.detail))).collect()
}

const TWO: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- two fuels -->
<a:activities xmlns:a="urn:envora:activity:1">
  <a:activity>
    <a:external_id>oil &amp; gas &#x31;</a:external_id>
    <a:type>fuel.combusted.stationary</a:type>
    <a:quantity> 12.50 </a:quantity><a:unit>L</a:unit>
    <a:start_date>2022-01-01</a:start_date><a:end_date>2022-01-31</a:end_date>
    <a:facility_code><![CDATA[b24]]></a:facility_code>
    <a:qualifiers><a:fuel>diesel</a:fuel></a:qualifiers>
    <a:tags><a:cost_centre>47</a:cost_centre></a:tags>
    <a:reading><a:start>1</a:start><a:end>13.5</a:end></a:reading>
    <a:note/>
  </a:activity>
  <a:activity>
    <a:type>electricity.purchased</a:type><a:quantity>1e3</a:quantity>
    <a:quantity>2</a:quantity><a:unti>kWh</a:unti>
    <a:facility_code>b24</a:facility_code><a:occurred_at when="now">2022-01-01T00:00:00Z</a:occurred_at>
  </a:activity>
  <a:total>5</a:total>
</a:activities>
"#;

#[test]
fn an_element_for_each_field_is_an_activity() {
    let all = rows(TWO, &[]);
    let row = good(&all)[0];
    assert_eq!(row.external_id.as_deref(), Some("oil & gas 1"));
    assert_eq!((row.quantity.to_string().as_str(), row.unit.as_str()), ("12.50", "L"));
    assert_eq!((&row.qualifiers["fuel"][..], &row.tags["cost_centre"][..]), ("diesel", "47"));
    assert_eq!((row.note.as_deref(), row.reading.is_some()), (None, true));
    let Origin::Request { row, offset, length, parser, .. } = &row.origin else { panic!("a body") };
    let (from, to) = (usize::try_from(*offset).unwrap(), *offset + u64::from(*length));
    let text = &TWO[from..usize::try_from(to).unwrap()];
    assert!(text.starts_with("<a:activity>") && text.ends_with("</a:activity>"), "{text}");
    assert_eq!((*row, &**parser), (1, "xml/1"));

    let broken = problems(&all);
    let codes: Vec<RowCode> = broken.iter().map(|one| one.1).collect();
    for code in
        [RowCode::NotANumber, RowCode::DuplicateKey, RowCode::UnknownField, RowCode::MissingField]
    {
        assert!(codes.contains(&code), "{code:?}: {broken:?}");
    }
    assert!(broken.iter().any(|one| one.2.contains("the attribute when of <a:occurred_at>")));
    assert_eq!((broken[0].0, broken.last().unwrap().0), (15, 20), "{broken:?}");
    assert!(broken.last().unwrap().2.contains("<a:total> is no activity"), "{broken:?}");
}

#[test]
fn refused_elements_come_out_to_be_mended_and_sent() {
    let why = Refused { code: "c".into(), message: "a < b".into(), remedy: "r".into() };
    let refused: Rows = [(2, why.clone())].into();
    let file = error_file(Format::Xml, TWO.as_bytes(), (None, &refused)).unwrap();
    let text = String::from_utf8(file.bytes).unwrap();
    assert!(text.contains("<a:_envora_row>2</a:_envora_row>"), "{text}");
    assert!(text.contains("<a:_envora_message>a &lt; b<"), "{text}");
    assert!(!text.contains("diesel"), "{text}");
    let mended = text
        .replace("<a:quantity>1e3</a:quantity>", "")
        .replace("<a:unti>kWh</a:unti>", "<a:unit>kW.h</a:unit>")
        .replace(" when=\"now\"", "");
    let all = rows(&mended, &[]);
    assert_eq!(problems(&all), []);
    assert_eq!(good(&all)[0].quantity.to_string(), "2");
    assert!(good(&all)[0].flags.contains(Flag::NoExternalId));
}

#[test]
fn what_an_xml_parser_may_be_talked_into_is_refused() {
    let own =
        |inside: &str| format!("<activities xmlns=\"urn:envora:activity:1\">{inside}</activities>");
    let bomb = "<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;\">]>";
    refused(
        &format!("{bomb}{}", own("<activity><note>&y;</note></activity>")),
        &["DOCTYPE", "leave the DOCTYPE out"],
    );
    let file = "<!DOCTYPE a SYSTEM \"file:///etc/passwd\">";
    refused(&format!("{file}{}", own("")), &["DOCTYPE"]);
    refused(
        &own("<activity>\n<note>&secret;</note></activity>"),
        &["line 2", "&secret; is not one of the five"],
    );
    refused(&own(&"<a>".repeat(100_000)), &["nest deeper than 32"]);
    refused(
        &own(&format!("<activity><note>{}</note></activity>", "x".repeat(2 << 20))),
        &["more than 1048576 bytes"],
    );
    refused(&own("<activity><note></activity>"), &["line 1"]);
    refused(&own("")[..30], &["line 1"]);
    refused(&own("<activity>")[..60], &["line 1"]);
    refused(&format!("{}{}", own(""), own("")), &["a second element"]);
    refused(&format!("{} and more", own("")), &["outside of the elements"]);
    refused("", &["empty"]);
    refused("type,quantity\n", &["outside of the elements"]);
    refused("<x:activities/>", &["\"x\" is not declared"]);
    refused("<html/>", &["<html> is none that is read", "urn:envora:activity:1"]);
    refused("<activities xmlns=\"urn:envora:activity:2\"/>", &["none that is read"]);
    let long = own(&format!("<activity><note>{}</note></activity>", "x".repeat(20_000)));
    assert!(problems(&rows(&long, &[])).iter().any(|one| one.2.contains("16384 bytes")));
    // Cut anywhere it is no file.
    for at in (0..TWO.trim_end().len() - 1).step_by(7) {
        assert!(opened(&TWO[..at], &[]).is_err(), "{at}");
    }
    let latin = [b"<activities>".as_slice(), &[0xe4], b"</activities>"].concat();
    let head = OriginHead::Request { request_id: "r".into(), body: [0; 32] };
    let opening = Opening {
        head,
        mapping: None,
        set: Default::default(),
        local_times: Default::default(),
        clocks: Default::default(),
    };
    assert!(open(Format::Xml, Box::new(std::io::Cursor::new(latin)), &opening).is_err());
}

#[test]
fn the_published_xsd_names_the_fields_that_are_read() {
    let xsd = include_str!("../../../../docs/formats/activity.xsd");
    let named: Vec<&str> = xsd
        .split("<xs:element name=\"")
        .skip(1)
        .filter_map(|part| part.split('"').next())
        .collect();
    for name in NAMES {
        let own = name.rsplit('.').next().unwrap();
        assert!(named.contains(&own), "{name}");
    }
    let groups =
        ["activities", "activity", "price", "reading", "inputs", "quality", "qualifiers", "tags"];
    for name in named {
        let dotted = |own: &&&str| own.rsplit('.').next() == Some(name);
        let known = groups.contains(&name)
            || name.starts_with("_envora_")
            || NAMES.iter().any(|own| dotted(&own));
        let quality =
            ["technology", "time", "geography", "completeness", "reliability"].contains(&name);
        assert!(known || quality, "{name} is no field");
    }
}

/// A feed of one meter reading with these readings.
fn feed(reading_type: &str, readings: &str) -> String {
    let point = "/espi/RetailCustomer/9/UsagePoint/5446AF3F";
    format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:uuid:1</id>
<entry><link rel=\"self\" href=\"{point}\"/><content><UsagePoint xmlns=\"http://naesb.org/espi\"><ServiceCategory><kind>0</kind></ServiceCategory></UsagePoint></content></entry>
<entry><link rel=\"self\" href=\"{point}/MeterReading/01\"/><link rel=\"related\" href=\"{point}/MeterReading/01/IntervalBlock\"/><link rel=\"related\" href=\"/espi/ReadingType/07\"/><content><MeterReading xmlns=\"http://naesb.org/espi\"/></content></entry>
<entry><link rel=\"self\" href=\"{point}/MeterReading/01/IntervalBlock/1\"/><link rel=\"up\" href=\"{point}/MeterReading/01/IntervalBlock\"/><content><IntervalBlock xmlns=\"http://naesb.org/espi\"><interval><duration>86400</duration><start>1330578000</start></interval>{readings}</IntervalBlock></content></entry>
<entry><link rel=\"self\" href=\"/espi/ReadingType/07\"/><content><ReadingType xmlns=\"http://naesb.org/espi\">{reading_type}</ReadingType></content></entry>
<entry><link rel=\"self\" href=\"/espi/ReadingType/08\"/><content><ReadingType xmlns=\"http://naesb.org/espi\"><flowDirection>19</flowDirection><uom>72</uom></ReadingType></content></entry>
</feed>"
    )
}

const DELIVERED: &str = "<accumulationBehaviour>4</accumulationBehaviour><commodity>1</commodity><flowDirection>1</flowDirection><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom>";

fn reading(start: &str, value: &str, more: &str) -> String {
    format!(
        "<IntervalReading><cost>9</cost>{more}<timePeriod><duration>900</duration><start>{start}</start></timePeriod><value>{value}</value></IntervalReading>"
    )
}

#[test]
fn readings_have_the_power_the_unit_and_the_direction_of_their_type() {
    let value = |reading_type: &str, value: &str| {
        let all = rows(
            &feed(reading_type, &reading("1330578000", value, "")),
            &[("facility_code", "b1")],
        );
        let row = good(&all)
            .first()
            .map(|row| (row.kind.clone(), row.quantity.to_string(), row.unit.clone()));
        row.ok_or_else(|| problems(&all)[0].2.clone())
    };
    let energy = |kind: &str, text: &str| Ok((kind.to_owned(), text.to_owned(), "W.h".to_owned()));
    assert_eq!(value(DELIVERED, "282"), energy("electricity.purchased", "282"));
    let power = |power: &str| DELIVERED.replace("Multiplier>0<", &format!("Multiplier>{power}<"));
    assert_eq!(value(&power("3"), "282"), energy("electricity.purchased", "282000"));
    assert_eq!(value(&power("-3"), "282"), energy("electricity.purchased", "0.282"));
    assert_eq!(value(&power("-3"), "12345"), energy("electricity.purchased", "12.345"));
    assert_eq!(value(&power("-6"), "0"), energy("electricity.purchased", "0.000000"));
    let flow =
        |flow: &str| DELIVERED.replace("flowDirection>1<", &format!("flowDirection>{flow}<"));
    assert_eq!(value(&flow("19"), "282"), energy("electricity.exported", "282"));
    let error = |reading_type: &str, words: &str| {
        let text = value(reading_type, "282").unwrap_err();
        assert!(
            text.contains(words) && text.contains("IntervalBlock 1, IntervalReading 1"),
            "{text}"
        );
    };
    error(&flow("4"), "a net or a sum cannot be taken apart");
    error(&flow("0"), "flowDirection does not say");
    error(&power("99"), "powerOfTenMultiplier \"99\"");
    error(&DELIVERED.replace("uom>72<", "uom>38<"), "power (W), which is no energy");
    error(&DELIVERED.replace("Behaviour>4<", "Behaviour>3<"), "no amounts of their intervals");
    let gas = DELIVERED.replace("commodity>1<", "commodity>9<").replace("uom>72<", "uom>42<");
    assert_eq!(value(&gas, "5"), Ok(("water.supplied".into(), "5".into(), "m3".into())));
    // A volume of gas at no temperature is as ambiguous here as anywhere.
    let text = value(&gas.replace("commodity>9<", "commodity>7<"), "5").unwrap_err();
    assert!(text.contains("a volume of gas means nothing without temperature"), "{text}");
    // What comes in and what goes out is never put under one type.
    let all = rows(
        &feed(&flow("19"), &reading("1330578000", "1", "")),
        &[("type", "electricity.purchased"), ("facility_code", "b1")],
    );
    assert!(problems(&all)[0].2.contains("makes it electricity.exported"), "{:?}", problems(&all));
    let known = rows(
        &feed(&flow("0"), &reading("1330578000", "1", "")),
        &[("type", "electricity.purchased"), ("facility_code", "b1")],
    );
    assert_eq!(good(&known)[0].kind, "electricity.purchased");
}

#[test]
fn readings_have_their_time_and_quality_and_the_id_of_their_meter_and_time() {
    let quality =
        |code: &str| format!("<ReadingQuality><quality>{code}</quality></ReadingQuality>");
    let readings = [
        reading("1330578000", "1", &quality("17")),
        reading("1330578900", "2", &quality("8")),
        reading("1330579800", "3", &quality("12")),
        reading("soon", "4", ""),
        reading("1330581600", "4.5", ""),
        reading("1330578000", "7", ""),
    ];
    let all = rows(&feed(DELIVERED, &readings.concat()), &[]);
    let fine = good(&all);
    assert_eq!(fine[0].source.as_ref().unwrap().to_string(), "5446AF3F");
    let Period::Between(start, end) = &fine[0].period else { panic!("instants") };
    assert_eq!(
        (start.to_string(), end.to_string()),
        ("2012-03-01T05:00:00Z".into(), "2012-03-01T05:15:00Z".into())
    );
    let kinds: Vec<Option<&str>> = fine.iter().map(|row| row.data_kind.as_deref()).collect();
    assert_eq!(kinds, [Some("measured"), Some("estimated"), None]);
    assert!(fine[1].flags.contains(Flag::Estimate));
    // The same time of the same meter has the same id, whatever the value is.
    assert_eq!(fine[0].external_id, fine[2].external_id);
    assert_ne!(fine[0].external_id, fine[1].external_id);
    let told: Vec<String> = problems(&all).into_iter().map(|one| one.2).collect();
    for (place, words) in [(0, "a forecast"), (1, "\"soon\""), (2, "\"4.5\" is no whole number")] {
        assert!(told[place].contains(words), "{told:?}");
    }
    // Refused readings come out as activities that can be mended.
    let why = Refused { code: "c".into(), message: "m".into(), remedy: "r".into() };
    let text = feed(DELIVERED, &readings.concat());
    let file = error_file(Format::Xml, text.as_bytes(), (None, &[(5, why)].into())).unwrap();
    let text = String::from_utf8(file.bytes).unwrap();
    let mended = text.replace("</activity>", "<quantity>4</quantity></activity>");
    let all = rows(&mended, &[]);
    assert_eq!(problems(&all), [], "{text}");
    assert_eq!(good(&all)[0].unit, "W.h");
}

#[test]
fn real_green_button_files_add_up_to_what_their_publisher_says() {
    for (name, count, sum, set) in [
        ("test_usage_data.xml", 1_340, 1_391_666, [("facility_code", "b1")].as_slice()),
        ("test_usage_data_2.xml", 860, 879_978, &[("facility_code", "b1")]),
        ("test_usage_data_10.xml", 96, 114_936, &[("facility_code", "b1")]),
        (
            "sample_data_2011.xml",
            8_727,
            5_089_595,
            &[("source_code", "m1"), ("type", "electricity.purchased")],
        ),
    ] {
        let Some(bytes) = real(&format!("green-button/{name}")) else { return };
        let all = rows(&String::from_utf8(bytes).unwrap(), set);
        assert_eq!((all.len(), problems(&all)), (count, vec![]), "{name}");
        let total: i64 =
            good(&all).iter().map(|row| row.quantity.to_string().parse::<i64>().unwrap()).sum();
        assert_eq!(total, sum, "{name}");
        if name.starts_with("test") {
            assert_eq!(good(&all)[0].time_zone.as_deref(), Some("America/New_York"));
        }
    }
}
