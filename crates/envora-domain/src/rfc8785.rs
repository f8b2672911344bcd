//! Canonical JSON (RFC 8785), as much of it as Envora writes: texts, whole numbers, booleans, null,
//! arrays and objects. Fractions are texts everywhere, so floating point never comes up.

use serde_json::Value;

/// The value holds a number that is not whole, or beyond what JSON readers keep exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a number is not a whole number below 2^53; exact decimals are written as text")]
pub struct NotExact;

/// The one text that stands for this value.
///
/// # Errors
/// [`NotExact`].
pub fn to_string(value: &Value) -> Result<String, NotExact> {
    let mut text = String::new();
    write(&mut text, value)?;
    Ok(text)
}

fn write(text: &mut String, value: &Value) -> Result<(), NotExact> {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => {
            let whole = number.as_i64().filter(|whole| whole.unsigned_abs() < 1 << 53);
            text.push_str(&whole.ok_or(NotExact)?.to_string());
        }
        Value::String(value) => quote(text, value),
        Value::Array(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write(text, item)?;
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
            text.push('{');
            for (place, (name, value)) in fields.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                quote(text, name);
                text.push(':');
                write(text, value)?;
            }
            text.push('}');
        }
    }
    Ok(())
}

fn quote(text: &mut String, value: &str) {
    text.push('"');
    for letter in value.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            '\0'..='\u{1f}' => text.push_str(&format!("\\u{:04x}", u32::from(letter))),
            _ => text.push(letter),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, want: Result<&str, NotExact>) {
        let value: Value = serde_json::from_str(json).expect("JSON");
        assert_eq!(to_string(&value), want.map(str::to_owned));
    }

    #[test]
    fn values_have_one_text() {
        check(r#"{ "b": [1, true, null], "a": "x" }"#, Ok(r#"{"a":"x","b":[1,true,null]}"#));
        check(r#"["\u20ac$\u000F\nA'B\"\\\\\"/"]"#, Ok("[\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"]"));
        check(r#"{"\ud83d\ude02":1,"\ufb33":2}"#, Ok("{\"😂\":1,\"\u{fb33}\":2}"));
        check("1.5", Err(NotExact));
        check("9007199254740992", Err(NotExact));
        check("-7", Ok("-7"));
    }
}
