//! Rows that were voided and come back, as a user does it: by what the warnings and refusals say.

use crate::pushes::{BILLS, Push};

const FILE: &str = "Day;Used\n2022-01-01;9310,2\n2022-01-02;120\n";
const SEND: &[&str] = &["data", "push", "bills.csv", "--mapping", "bills.toml"];

/// A push whose file went in and was voided; the import.
fn voided() -> (Push, String) {
    let push = Push::new();
    push.file("bills.toml", BILLS);
    push.file("bills.csv", FILE);
    let sent = push.run(&[SEND, &["--json"]].concat());
    let import = sent.json()[0]["id"].as_str().unwrap().to_owned();
    let void = push.run(&["data", "supersede", "--import", &import, "--void", "--yes"]);
    assert_eq!(void.code, Some(0), "{void:?}");
    assert_eq!(counted(&push), "");
    (push, import)
}

fn counted(push: &Push) -> String {
    let listed = push.run(&["data", "list", "--state", "counted", "--ndjson=quantity,unit"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    listed.out
}

/// The command that follows these words in a message.
fn remedy<'a>(said: &'a str, after: &str) -> Vec<&'a str> {
    let (_, rest) = said.split_once(after).unwrap();
    let (_, command) = rest.split_once("envora ").unwrap();
    let end = command.find([';', ',', '\n']).unwrap_or(command.len());
    command[..end].split_whitespace().collect()
}

#[test]
fn a_voided_file_that_is_pushed_again_warns_and_comes_back_by_the_remedy() {
    let (mut push, import) = voided();
    let again = push.run(SEND);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.err.contains("voided_before"), "{again:?}");
    assert!(again.err.contains("2 rows are stored already and were voided"), "{again:?}");
    let back = remedy(&again.err, "the file they came with:");
    assert_eq!(back, ["data", "supersede", "--import", &import, "--restore"], "{again:?}");
    let asked = push.run(&back);
    assert!(asked.code == Some(2) && asked.err.contains("Bring back 2 voided rows"), "{asked:?}");
    for (restored, before) in [(2, 0), (0, 2)] {
        let told = push.run(&[&back[..], &["--yes", "--json"]].concat()).json();
        assert_eq!((&told["restored"], &told["before"]), (&restored.into(), &before.into()));
        assert!(counted(&push).contains("9310.2"));
        assert_eq!(counted(&push).lines().count(), 2);
    }
    let once_more = push.run(SEND);
    assert!(!once_more.err.contains("voided_before"), "they count again: {once_more:?}");
    push.server.end();
}

#[test]
fn a_file_voided_for_its_unit_comes_back_with_the_right_one() {
    let (mut push, import) = voided();
    push.file("bills.toml", &BILLS.replace("kW.h", "MW.h"));
    let refused = push.run(SEND);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.err.contains("it was voided and counts nowhere"), "{refused:?}");
    // One row, by the words of its refusal.
    let one = remedy(&refused.err, "to bring it back as this row says:");
    assert_eq!(one[4..], ["--unit", "MW.h"], "{refused:?}");
    let mended = push.run(&one);
    assert_eq!(mended.code, Some(0), "{mended:?}");
    assert!(mended.out.contains("was voided;") || mended.err.contains("was voided;"), "{mended:?}");
    assert_eq!(counted(&push).lines().count(), 1);
    // Typed again it names what stands, first of all.
    let twice = push.run(&one);
    assert!(twice.code == Some(1) && twice.err.contains("data supersede --id act_"), "{twice:?}");
    assert!(twice.err.contains("was voided, and act_"), "{twice:?}");
    assert!(twice.err.contains("stands in its place"), "{twice:?}");
    // And all others at once.
    let all = remedy(&refused.err, "all voided rows of its file:");
    let all = [&all[..], &["--unit", "MW.h", "--yes", "--json"]].concat();
    let told = push.run(&all).json();
    assert_eq!((&told["import"], &told["restored"]), (&import.into(), &1.into()), "{told}");
    let now = counted(&push);
    assert_eq!((now.lines().count(), now.matches("MW.h").count()), (2, 2), "{now}");
    push.server.end();
}

#[test]
fn one_row_is_voided_brought_back_and_voided_again() {
    let (mut push, import) = voided();
    let line = ["data", "supersede", "--import", &import, "--line", "2"];
    let restore = [&line[..], &["--restore", "--json"]].concat();
    let back = push.run(&restore).json();
    let new = back["results"][0]["id"].as_str().unwrap();
    assert!(counted(&push).contains("9310.2"));
    let stands = push.run(&["data", "supersede", "--id", new, "--restore"]);
    assert!(stands.code == Some(1) && stands.err.contains("is not voided"), "{stands:?}");
    let again = push.run(&["data", "supersede", "--id", new, "--void", "--yes"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(counted(&push), "");
    // The line of the file means what stood for it last, and what stands for it now.
    let named = push.run(&restore);
    assert_eq!(named.code, Some(0), "{named:?}");
    assert!(counted(&push).contains("9310.2"));
    for quantity in ["9311", "9312"] {
        let back = push.run(&[&line[..], &["--quantity", quantity]].concat());
        assert_eq!(back.code, Some(0), "{back:?}");
        assert_eq!(counted(&push).lines().count(), 1);
        assert!(counted(&push).contains(&format!("{quantity}\"")));
    }
    let list = push.run(&["data", "list", "--import", &import]);
    let (row, now) = list.out.lines().nth(1).unwrap().rsplit_once('\t').unwrap();
    assert!(row.contains("\trestored\t") && now.starts_with("act_"), "{list:?}");
    let shown = push.run(&["data", "show", row.split('\t').next().unwrap()]);
    assert!(shown.out.contains(&format!("chain_end\t{now} stands in its place")), "{shown:?}");
    assert!(list.out.contains("\tvoided\t"), "the other row stays voided: {list:?}");
    push.server.end();
}

#[test]
fn an_import_is_voided_and_brought_back_any_number_of_times() {
    let (mut push, import) = voided();
    let whole = ["data", "supersede", "--import", &import, "--yes", "--json"];
    let void = [&whole[..], &["--void"]].concat();
    let restore = [&whole[..], &["--restore"]].concat();
    let moved = [&restore[..], &["--set", "note=read twice"]].concat();
    for (round, back) in [&restore, &moved, &restore].into_iter().enumerate() {
        let told = push.run(back).json();
        assert_eq!((&told["restored"], &told["refused"]), (&2.into(), &0.into()), "{told}");
        assert_eq!(counted(&push).lines().count(), 2, "round {round}");
        let told = push.run(&void).json();
        assert_eq!((&told["voided"], &told["before"]), (&2.into(), &0.into()), "{told}");
        assert_eq!(counted(&push), "", "round {round}");
    }
    let told = push.run(&void).json();
    assert_eq!((&told["voided"], &told["before"]), (&0.into(), &2.into()), "nothing stands");
    // What comes back is what stood last, not what the file says.
    push.run(&restore);
    let notes = push.run(&["data", "list", "--state", "counted", "--ndjson=note"]).out;
    assert_eq!(notes.matches("read twice").count(), 2, "{notes}");
    // A row says what took its place, and where that ended.
    let list = ["data", "list", "--import", &import, "--ndjson=id,superseded_by,chain_end"];
    let listed = push.run(&list).out;
    let first: serde_json::Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!(first["chain_end"]["event"], "superseded", "{first}");
    assert_ne!(first["chain_end"]["id"], first["superseded_by"], "{first}");
    let one = push.run(&["data", "show", first["id"].as_str().unwrap(), "--json"]).json();
    assert_eq!(one["chain_end"], first["chain_end"]);
    push.server.end();
}

#[test]
fn an_import_is_shown_and_ids_that_are_none_are_told() {
    let (mut push, import) = voided();
    let shown = push.run(&["data", "show", &import]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    for what in ["bills.csv", "succeeded", "2 accepted", "sha256"] {
        assert!(shown.out.contains(what), "{what}: {shown:?}");
    }
    assert!(shown.err.contains(&format!("envora data list --import {import}")), "{shown:?}");
    let json = push.run(&["data", "show", &import, "--json"]).json();
    assert_eq!((&json["id"], &json["counts"]["accepted"]), (&import.into(), &2.into()));
    for (verb, what) in [
        (["data", "show", "act_zzz"].as_slice(), "no activity and of no import"),
        (&["data", "show", "b24"], "no activity and of no import"),
        (&["trace", "fig_abc"], "not the whole id of any figure"),
        (&["trace", "act_abc"], "not the whole id of any activity"),
        (&["data", "supersede", "--id", "act_zzz", "--quantity", "1"], "the id of no activity"),
        (&["data", "supersede", "--import", "imp_z", "--void"], "the id of no import"),
    ] {
        let told = push.run(verb);
        assert!(told.code == Some(2) && told.err.contains(what), "{told:?}");
    }
    push.server.end();
}

#[test]
fn a_change_of_nothing_is_refused() {
    let mut push = Push::new();
    push.file("bills.toml", BILLS);
    push.file("bills.csv", FILE);
    let sent = push.run(&[SEND, &["--json"]].concat());
    let import = sent.json()[0]["id"].as_str().unwrap().to_owned();
    let line = ["data", "supersede", "--import", &import, "--line", "2"];
    for change in [["--quantity", "9310.20"], ["--unit", "kW.h"], ["--set", "facility_code=b1"]] {
        let told = push.run(&[&line[..], &change].concat());
        assert!(told.code == Some(2) && told.err.contains("nothing would change"), "{told:?}");
    }
    assert_eq!(push.run(&["data", "list", "--json"]).json().as_array().unwrap().len(), 2);
    let both = [&line[..], &["--quantity", "9310.20", "--set", "note=read twice"]].concat();
    assert_eq!(push.run(&both).code, Some(0));
    push.server.end();
}

#[test]
fn a_check_counts_a_waiting_row_that_would_be_refused_as_the_push_does() {
    let mut push = Push::new();
    let row = |id: &str, more: &str| {
        format!(
            "{{\"external_id\":\"{id}\",\"type\":\"electricity.purchased\",\"quantity\":\"5\",\"unit\":\"kW.h\",\"start_date\":\"2022-01-01\",\"end_date\":\"2022-01-31\",\"facility_code\":{more}}}\n"
        )
    };
    push.file("a.ndjson", &(row("a", "\"b1\"") + &row("b", "\"b1\",\"supersedes\":\"ext:a\"")));
    assert_eq!(push.run(&["data", "push", "a.ndjson"]).code, Some(0));
    let late = row("c", "\"b9\",\"supersedes\":\"ext:a\"") + &row("d", "\"b9\"");
    push.file("b.ndjson", &late);
    for verb in ["check", "push"] {
        let told = push.run(&["data", verb, "b.ndjson"]);
        assert_eq!(told.code, Some(3), "{verb}: {told:?}");
        assert!(told.out.contains("b.ndjson\t0\t0\t1\t1"), "{verb}: {told:?}");
        assert!(told.err.contains("already_superseded"), "{verb}: {told:?}");
        assert!(told.err.contains("stands in its place, act_"), "{verb}: {told:?}");
    }
    for verb in ["check", "push"] {
        let told = push.run(&["data", verb, "b.ndjson"]);
        assert!(told.out.contains("b.ndjson\t0\t1\t0\t1"), "stored before, {verb}: {told:?}");
    }
    push.server.end();
}
