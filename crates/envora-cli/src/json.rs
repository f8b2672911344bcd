//! `--json`: the body of the API's answer, or some of its fields.

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
        Value::Array(items) => items
            .into_iter()
            .map(|item| select(item, fields))
            .collect::<Result<_, _>>()
            .map(Value::Array),
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

fn pick(object: &Map<String, Value>, fields: &[String]) -> Result<Map<String, Value>, Failure> {
    let known: Vec<&str> = object.keys().map(String::as_str).collect();
    let field = |field: &String| match object.get(field) {
        Some(value) => Ok((field.clone(), value.clone())),
        None => {
            let help = match did_you_mean(field, &known) {
                Some(word) => format!("did you mean {word}?"),
                None => format!("it has: {}", known.join(", ")),
            };
            Err(Failure::usage(format!("the answer has no field {field:?}"), help))
        }
    };
    fields.iter().map(field).collect()
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
