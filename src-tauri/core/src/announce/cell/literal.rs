//! Python literals. Everything that a person or the outside chose goes into a cell through here alone.

use std::fmt::Write as _;

use serde_json::Value;

/// A dictionary, one entry a line.
pub(super) fn dictionary(entries: &[(&str, Value)]) -> String {
    let mut out = String::from("{\n");
    for (name, value) in entries {
        let _ = writeln!(out, "    {}: {},", text(name), literal(value));
    }
    out.push('}');
    out
}

/// A dictionary on one line.
pub(super) fn dictionary_on_one_line(entries: &[(&str, Value)]) -> String {
    let entries: Vec<String> =
        entries.iter().map(|(name, value)| format!("{}: {}", text(name), literal(value))).collect();
    format!("{{{}}}", entries.join(", "))
}

/// A string in double quotes, in printable ASCII alone: neither a quote, a line's end nor a letter that looks like
/// another one gets out of it (The Python Language Reference, 2.5 "String and bytes literals").
pub(super) fn text(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            ' '..='~' => out.push(c),
            _ => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(value) => text(value),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(literal).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(name, value)| format!("{}: {}", text(name), literal(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}
