//! `--json`: the body of the API's answer, or some of its fields.

use std::collections::BTreeSet;

use anyhow::Context as _;
use envora_api::spelling::did_you_mean;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::failures::Failure;

/// The answer as indented JSON; with fields, only those: of each item when the answer is a list.
///
/// # Errors
/// When the answer has no such field.
pub fn render<T: Serialize>(answer: &T, fields: &[String]) -> Result<String, Failure> {
    let value = serde_json::to_value(answer).context("write the answer")?;
    let value = if fields.is_empty() { value } else { select(value, fields)? };
    let text = serde_json::to_string_pretty(&value).context("write the answer")?;
    Ok(text)
}

/// The answer as one line of JSON for each item of a list, or one line in all.
///
/// # Errors
/// When the answer has no such field.
pub fn render_lines<T: Serialize>(answer: &T, fields: &[String]) -> Result<String, Failure> {
    let value = serde_json::to_value(answer).context("write the answer")?;
    let value = if fields.is_empty() { value } else { select(value, fields)? };
    let items = match value {
        Value::Array(items) => items,
        Value::Object(mut object) => match object.remove("data") {
            Some(Value::Array(items)) => items,
            Some(data) => {
                object.insert("data".to_owned(), data);
                vec![Value::Object(object)]
            }
            None => vec![Value::Object(object)],
        },
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => vec![other],
    };
    Ok(items.iter().map(|item| format!("{item}\n")).collect())
}

/// A value as a cell of a table: texts without their quotes, nothing for what is absent.
#[must_use]
pub fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

fn select(value: Value, fields: &[String]) -> Result<Value, Failure> {
    match value {
        Value::Array(items) => Ok(Value::Array(pick_each(items, fields)?)),
        Value::Object(mut object) => match object.remove("data") {
            Some(Value::Array(items)) => select(Value::Array(items), fields),
            Some(data) => {
                object.insert("data".to_owned(), data);
                pick(&object, fields).map(Value::Object)
            }
            None => pick(&object, fields).map(Value::Object),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value),
    }
}

/// The fields of each item of a list. One that an item has and another has not is `null` there; one that
/// no item has is refused.
fn pick_each(items: Vec<Value>, fields: &[String]) -> Result<Vec<Value>, Failure> {
    let known: BTreeSet<&str> = items
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|object| object.keys().map(String::as_str))
        .collect();
    if !known.is_empty() {
        all_known(&known.into_iter().collect::<Vec<_>>(), fields)?;
    }
    let of = |item: Value| match item {
        Value::Object(object) => {
            let field =
                |field: &String| (field.clone(), object.get(field).cloned().unwrap_or(Value::Null));
            Value::Object(fields.iter().map(field).collect())
        }
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)) => other,
    };
    Ok(items.into_iter().map(of).collect())
}

fn pick(object: &Map<String, Value>, fields: &[String]) -> Result<Map<String, Value>, Failure> {
    all_known(&object.keys().map(String::as_str).collect::<Vec<_>>(), fields)?;
    let field = |field: &String| Some((field.clone(), object.get(field)?.clone()));
    Ok(fields.iter().filter_map(field).collect())
}

/// Refuses a field that is not among those of the answer.
fn all_known(known: &[&str], fields: &[String]) -> Result<(), Failure> {
    let Some(field) = fields.iter().find(|field| !known.contains(&field.as_str())) else {
        return Ok(());
    };
    let help = match did_you_mean(field, known) {
        Some(word) => format!("did you mean {word}?"),
        None => format!("it has: {}", known.join(", ")),
    };
    Err(Failure::usage(format!("the answer has no field {field:?}"), help))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{render, render_lines};

    fn fields(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn fields_are_picked_from_each_item_of_a_page() {
        let page = json!({"data": [{"code": "b2", "name": "x"}, {"code": "b24", "name": "y"}], "next_cursor": null});
        let text = render(&page, &fields("code")).expect("known");
        assert_eq!(
            text.split_whitespace().collect::<String>(),
            r#"[{"code":"b2"},{"code":"b24"}]"#
        );
        assert!(render(&page, &[]).expect("all").contains("next_cursor"));
    }

    #[test]
    fn a_field_that_some_items_lack_is_null_there_and_one_that_all_lack_is_refused() {
        let list = json!([{"id": 1}, {"id": 2, "code": "x"}]);
        let lines = render_lines(&list, &fields("id,code")).expect("known");
        assert_eq!(lines, "{\"code\":null,\"id\":1}\n{\"code\":\"x\",\"id\":2}\n");
        let error = render_lines(&list, &fields("id,cod")).expect_err("unknown");
        assert!(error.view(crate::paint::Paint::Plain).contains("did you mean code?"));
        assert_eq!(render(&json!([]), &fields("cod")).expect("empty"), "[]");
    }

    #[test]
    fn a_line_holds_an_item() {
        let list = json!([{"code": "b2", "name": "x"}, {"code": "b24", "name": "y"}]);
        let lines = render_lines(&list, &fields("code")).expect("known");
        assert_eq!(lines, "{\"code\":\"b2\"}\n{\"code\":\"b24\"}\n");
        assert_eq!(render_lines(&json!([]), &[]).expect("none"), "");
        assert_eq!(render_lines(&json!({"a": 1}), &[]).expect("one"), "{\"a\":1}\n");
    }

    #[test]
    fn an_unknown_field_says_what_was_meant() {
        let error = render(&json!({"totals": 1}), &fields("total")).expect_err("unknown");
        assert!(error.view(crate::paint::Paint::Plain).contains("did you mean totals?"));
    }
}
