//! A year of six buildings, made up of round numbers in the wire's own types, and a trace with the
//! digits of the row worked out by hand in `docs/formats/`.

use std::collections::BTreeMap;

use envora_api::amounts::{Amount, Watermark};
use envora_api::footprints::{
    BasisTotal, Coverage, Footprint, GasTotal, Group, MissingMonth, Period, Totals,
    UnresolvedGroup, Warning,
};
use envora_api::imports::Import;
use envora_api::listing::Page;
use envora_api::organizations::Organization;
use envora_api::quality::{DataQuality, QualityShare, SourceMonth, SourceQuality};
use envora_api::traces::{
    AsSent, FigureQuery, Part, SliceProof, Trace, TraceLine, TracedFactor, TracedGwp, TracedLeaf,
    TracedOrigin, TracedSegment, TracedWhy,
};
use envora_api::writes::{Counts, Mode};
use envora_domain::decimal::Mass;
use envora_domain::hash::Digest;
use envora_domain::id::{Id, SegmentId};
use envora_domain::time::{Day, Timestamp};

/// Facility, electricity and gas of the year in kWh.
const BUILDINGS: [(&str, &str, i128, i128); 6] = [
    ("fac_1", "Building 2, laboratories", 7_895_270, 38_959),
    ("fac_2", "Building 62", 2_379_247, 351_047),
    ("fac_3", "Building 101", 718_044, 15_420),
    ("fac_4", "Building 113", 392_630, 633_754),
    ("fac_5", "Building 24", 198_656, 28_618),
    ("fac_6", "Building 44", 148_132, 13_286),
];

/// How the year falls on the months, in thousandths: electricity, gas.
const PROFILE: [(i128, i128); 12] = [
    (96, 168),
    (84, 138),
    (88, 122),
    (78, 88),
    (77, 52),
    (74, 28),
    (79, 18),
    (78, 16),
    (76, 34),
    (83, 72),
    (91, 116),
    (96, 148),
];

/// Units of 10⁻¹² kg per kWh: scope 1, scope 2, scope 3.
const GAS: [i128; 3] = [182_540_000_000, 0, 31_100_000_000];
const POWER: [i128; 3] = [0, 193_380_000_000, 68_170_000_000];

pub(super) fn organization() -> Organization {
    Organization {
        id: Id::from_bytes([1; 16]),
        slug: "demo".to_owned(),
        name: "Demo organization".to_owned(),
        environment: "live".to_owned(),
        time_zone: "Europe/London".to_owned(),
        default_gwp_set: "published".to_owned(),
        source_retention_days: 2557,
        domain: "envora.localhost".to_owned(),
        version: 1,
    }
}

pub(super) fn names() -> BTreeMap<String, String> {
    BUILDINGS.iter().map(|(id, name, ..)| ((*id).to_owned(), (*name).to_owned())).collect()
}

fn amount(units: i128, name: &str) -> Amount {
    Amount {
        value: Mass::from_units(units).kg(),
        unit: "kg".to_owned(),
        figure_id: format!("fig_{name}"),
    }
}

fn totals(scopes: [i128; 3], name: &str) -> Totals {
    let [one, two, three] = scopes;
    let gas = |gas: &str, carbon: &str, mass: i128, co2e: i128| GasTotal {
        gas: gas.to_owned(),
        carbon: carbon.to_owned(),
        mass: amount(mass, &format!("{name}-{gas}-mass")),
        co2e: amount(co2e, &format!("{name}-{gas}")),
    };
    let rest = one + two;
    Totals {
        scope1: amount(one, &format!("{name}-s1")),
        scope2_location: amount(two, &format!("{name}-s2l")),
        scope2_market: amount(two, &format!("{name}-s2m")),
        scope3: amount(three, &format!("{name}-s3")),
        total_location_based: amount(one + two + three, &format!("{name}-l")),
        total_market_based: amount(one + two + three, &format!("{name}-m")),
        biogenic_co2: amount(0, &format!("{name}-bio")),
        by_gas: vec![
            gas("co2", "unknown", rest * 988 / 1000, rest * 988 / 1000),
            gas("ch4", "unknown", rest * 5 / 25_000, rest * 5 / 1000),
            gas("n2o", "unknown", rest * 7 / 298_000, rest * 7 / 1000),
            gas("co2e", "unknown", 0, three),
        ],
    }
}

fn sum(pick: impl Fn(usize, usize) -> i128) -> [i128; 3] {
    let mut scopes = [0; 3];
    for (building, (_, _, power, gas)) in BUILDINGS.iter().enumerate() {
        for (month, (power_share, gas_share)) in PROFILE.iter().enumerate() {
            for (place, total) in scopes.iter_mut().enumerate() {
                *total += pick(building, month)
                    * (power * power_share * POWER[place] + gas * gas_share * GAS[place])
                    / 1000;
            }
        }
    }
    scopes
}

fn grouped(groups: Vec<Group>) -> Footprint {
    let day = |text| Day::parse(text).expect("a day");
    Footprint {
        period: Period { from: day("2022-01-01"), to: day("2023-01-01") },
        time_zone: "Europe/London".to_owned(),
        gwp_set: "published".to_owned(),
        consolidation: "operational_control".to_owned(),
        run: Id::from_bytes([2; 16]),
        status: "current".to_owned(),
        watermark: Watermark {
            seq: 31,
            committed_at: Timestamp::parse("2026-11-21T13:02:11.402Z").ok(),
            lag_ms: 0,
        },
        totals: totals(sum(|_, _| 1), "year"),
        bases: vec![BasisTotal { basis: "ar4".to_owned(), co2e: amount(sum(|_, _| 1).iter().sum(), "ar4") }],
        native_basis: Vec::new(),
        groups,
        coverage: coverage(),
        primary_data_share: None,
        unresolved: vec![UnresolvedGroup {
            code: "unknown_facility".to_owned(),
            activities: 2,
            example: "act_01jmt8z0p0e3s9k4x6n2q5w7y1".to_owned(),
            remedy: "Add the facility “depot-9”, or correct facility_code in the file and send it again.".to_owned(),
        }],
        warnings: vec![Warning {
            code: "zero_run".to_owned(),
            detail: "b44-gas reads 0 for 1,104 hours on end: the building may have been empty, or the meter silent.".to_owned(),
            activities: 1104,
        }],
    }
}

fn coverage() -> Coverage {
    let gap = |month: &str| MissingMonth {
        source_id: Id::from_bytes([7; 16]),
        source_code: "b44-gas".to_owned(),
        month: month.to_owned(),
    };
    Coverage {
        present: 142,
        expected: 144,
        unit: "source_month".to_owned(),
        missing: vec![gap("2022-07"), gap("2022-08")],
        derived_factor_missing: BTreeMap::new(),
    }
}

/// The year, grouped by nothing.
pub(super) fn year() -> Footprint {
    grouped(Vec::new())
}

/// The year by month.
pub(super) fn months() -> Footprint {
    let group = |month: usize| Group {
        key: [("month".to_owned(), format!("2022-{:02}", month + 1))].into(),
        totals: totals(sum(|_, at| i128::from(at == month)), &format!("m{}", month + 1)),
    };
    grouped((0..12).map(group).collect())
}

/// The year by facility.
pub(super) fn facilities() -> Footprint {
    let group = |building: usize| Group {
        key: [("facility_id".to_owned(), BUILDINGS[building].0.to_owned())].into(),
        totals: totals(sum(|at, _| i128::from(at == building)), &format!("f{}", building + 1)),
    };
    grouped((0..6).map(group).collect())
}

/// The year by activity type: what the buildings burn and what they buy.
pub(super) fn types() -> Footprint {
    let [one, two, three] = sum(|_, _| 1);
    let group = |kind: &str, scopes: [i128; 3]| Group {
        key: [("type".to_owned(), kind.to_owned())].into(),
        totals: totals(scopes, kind),
    };
    grouped(vec![
        group("fuel.combusted.stationary", [one, 0, three / 4]),
        group("electricity.purchased", [0, two, three - three / 4]),
    ])
}

/// The year by category of scope 3.
pub(super) fn categories() -> Footprint {
    let [_, _, three] = sum(|_, _| 1);
    grouped(vec![Group {
        key: [("category".to_owned(), "3".to_owned())].into(),
        totals: totals([0, 0, three], "c3"),
    }])
}

/// More sources than a ranking has bars.
pub(super) fn sources(many: u32) -> Footprint {
    let group = |number: u32| Group {
        key: [("source_id", format!("src_{number}")), ("source_code", format!("meter-{number}"))]
            .map(|(name, word)| (name.to_owned(), word))
            .into(),
        totals: totals([i128::from(number) * 1_000_000_000_000_000, 0, 0], &format!("x{number}")),
    };
    grouped((1..=many).map(group).collect())
}

/// The quality of the year: as many sources as asked for, with each state there is.
pub(super) fn quality(sources: u32) -> DataQuality {
    let share = |word: &str, co2e: &str, share: &str| QualityShare {
        word: word.to_owned(),
        co2e: co2e.to_owned(),
        share: Some(share.to_owned()),
    };
    let states = ["present", "zero_run", "estimated", "flagged", "missing", "closed"];
    let month = |source: u32, month: usize| SourceMonth {
        month: format!("2022-{:02}", month + 1),
        state: match (source, month) {
            (0, _) => states[month % 6],
            _ => "present",
        }
        .to_owned(),
        activities: 744,
        estimated: 3,
        flagged: 1,
        zero_days: 9,
    };
    let source = |number: u32| SourceQuality {
        source_id: Id::from_bytes([9; 16]),
        source_code: format!("b{number}-electricity"),
        source_name: "The main meter".to_owned(),
        facility_id: None,
        months: (0..12).map(|at| month(number, at)).collect(),
    };
    let year = year();
    DataQuality {
        period: year.period,
        time_zone: year.time_zone,
        gwp_set: year.gwp_set,
        run: year.run,
        status: year.status,
        coverage: year.coverage,
        primary_data_share: Some("0.75".to_owned()),
        primary: vec![share("yes", "750", "0.75"), share("unsaid", "250", "0.25")],
        data_kinds: vec![share("measured", "900", "0.9"), share("", "100", "0.1")],
        tiers: vec![share("2", "1000", "1")],
        flags: year.warnings,
        unresolved: year.unresolved,
        months: (1..=12).map(|month| format!("2022-{month:02}")).collect(),
        sources: (0..sources).map(source).collect(),
        sources_total: u64::from(sources) + 960,
        next_cursor: Some("next".to_owned()),
    }
}

/// An import of which a row was refused.
pub(super) fn import() -> Import {
    Import {
        id: Id::from_bytes([3; 16]),
        file_name: "b24_electricity_2022.csv".to_owned(),
        sha256: Digest::of(b"file").hex(),
        bytes: 241_000,
        mapping: Some("estate-electricity".to_owned()),
        mode: Mode::Partial,
        status: "partial".to_owned(),
        ack: "local".to_owned(),
        counts: Counts { accepted: 8_757, duplicate: 0, quarantined: 2, rejected: 1, skipped: 0 },
        segments: Vec::new(),
        results: Vec::new(),
        skipped: Vec::new(),
        warnings: Vec::new(),
        watermark: year().watermark,
        created_at: Timestamp::parse("2026-11-21T13:02:11.402Z").expect("an instant"),
        parts: None,
        set: Default::default(),
        progress: None,
        expires_at: None,
        problem: None,
    }
}

/// A year without anything.
pub(super) fn nothing() -> Footprint {
    Footprint {
        totals: Totals { by_gas: Vec::new(), ..totals([0; 3], "none") },
        bases: Vec::new(),
        coverage: Coverage {
            present: 0,
            expected: 0,
            unit: "source_month".to_owned(),
            missing: Vec::new(),
            derived_factor_missing: BTreeMap::new(),
        },
        unresolved: Vec::new(),
        warnings: Vec::new(),
        ..grouped(Vec::new())
    }
}

/// The trace of January's scope 2.
pub(super) fn trace() -> Trace {
    let day = |text| Day::parse(text).expect("a day");
    Trace {
        figure: Amount {
            value: "72.014712".to_owned(),
            unit: "kg".to_owned(),
            figure_id: "fig_iQEA".to_owned(),
        },
        query: FigureQuery {
            measure: "co2e".to_owned(),
            from: day("2022-01-01"),
            to: day("2022-02-01"),
            scope: Some(2),
            category: None,
            market: Some("location".to_owned()),
            gas: None,
            bucket: "inventory".to_owned(),
            filters: [("facility".to_owned(), vec!["fac_5".to_owned()])].into(),
            gwp_set: Some("published".to_owned()),
            run: Id::from_bytes([2; 16]),
            seq: 31,
        },
        parts: [("co2", "71.206604"), ("ch4", "0.29792"), ("n2o", "0.510188")]
            .map(|(label, value)| Part {
                label: label.to_owned(),
                value: value.to_owned(),
                figure_id: Some(format!("fig_{label}")),
            })
            .to_vec(),
        lines: Page {
            data: vec![
                line("co2", "71.206604", "71.206604"),
                line("ch4", "0.0119168", "0.29792"),
                line("n2o", "0.001712040268", "0.510188"),
            ],
            next_cursor: Some("next".to_owned()),
        },
        replay: "equal".to_owned(),
    }
}

fn as_sent() -> AsSent {
    AsSent {
        kind: "electricity.purchased".to_owned(),
        quantity: "372.4".to_owned(),
        unit: "kW.h".to_owned(),
        period: "2022-01-01T00:00:00Z/2022-01-01T01:00:00Z".to_owned(),
        facility: Some("b24".to_owned()),
        source: Some("b24-electricity".to_owned()),
        external_id: None,
        fields: [("qualifiers".to_owned(), serde_json::json!({"supply": "grid"}))].into(),
    }
}

fn line(gas: &str, kg: &str, co2e: &str) -> TraceLine {
    let hash = |text: &str| Digest::of(text.as_bytes()).hex();
    let segment = SegmentId::from_bytes([0; 16]);
    TraceLine {
        activity: segment.activity(0).expect("a row"),
        as_sent: as_sent(),
        unit_path: Vec::new(),
        slot: "s2_lb".to_owned(),
        method: "electricity.grid@1".to_owned(),
        factor: TracedFactor {
            id: format!("sha256:{}", hash("factor")),
            pack: "desnz-2022@1".to_owned(),
            publisher: "UK Department for Energy Security and Net Zero".to_owned(),
            edition: "2022".to_owned(),
            property: None,
            name: "UK electricity, generated".to_owned(),
            value: "0.19121".to_owned(),
            unit: "kg CO2/kW.h".to_owned(),
            licence: "Open Government Licence v3.0".to_owned(),
            origin: "uk_desnz_ghg_conversion_factors_2022.csv, line 4312".to_owned(),
        },
        properties: Vec::new(),
        gwp: TracedGwp {
            set: "published".to_owned(),
            basis: "ar4".to_owned(),
            gas: gas.to_owned(),
            value: Some("1".to_owned()),
        },
        why: TracedWhy {
            id: hash("why"),
            tier: 2,
            text: "Grid average of the facility's country, GB, edition of the year the power was used.".to_owned(),
            flags: Vec::new(),
            passed_over: Vec::new(),
        },
        exact: vec![
            "372.4 kW.h × 0.19121 kg CO2/kW.h = 71.206604 kg CO2".to_owned(),
            "71.206604 kg CO2 × 1 = 71.206604 kg CO2e".to_owned(),
        ],
        kg: kg.to_owned(),
        co2e: Some(co2e.to_owned()),
        days: 1,
        days_in_period: 1,
        time_zone: "Europe/London".to_owned(),
        kg_in_period: kg.to_owned(),
        co2e_in_period: Some(co2e.to_owned()),
        segment: TracedSegment {
            id: segment,
            row: 0,
            root: hash("root"),
            slice: SliceProof { index: 0, size: 35, leaf: String::new(), proof: vec![hash("a"); 6] },
        },
        leaf: TracedLeaf {
            index: 21,
            entry: String::new(),
            proof: ["p", "q", "r", "s", "t"].map(hash).to_vec(),
            checkpoint: format!("envora.localhost/018f0000000070008000000000000001\n32\n{}\n\n— envora.localhost/018f Az3grlg…\n", "K7vN3iYgqW1p0b8m"),
        },
        origin: TracedOrigin {
            file: "b24_electricity_2022.csv".to_owned(),
            import: Some(Id::from_bytes([3; 16])),
            sha256: Some(hash("file")),
            body_blake3: None,
            sheet: None,
            line: 2,
            row: 1,
            byte_range: [31, 57],
            text: Some("2022-01-01 00:00:00,372.4".to_owned()),
            mapping: None,
            parser: "csv@1".into(),
        },
        evidence: Vec::new(),
    }
}
