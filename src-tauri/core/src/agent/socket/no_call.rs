//! What is wrong with a line that is no call, without a word of what stands in it: that may be a secret.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::agent::socket::protocol::{Call, Numbered};

/// How serde begins where a field is missing. The name that follows is one of ours, not the caller's.
const MISSING: &str = "missing field";

/// How serde begins where the call is none of ours.
const UNKNOWN: &str = "unknown variant";

/// The call's number, if it has one.
pub(super) fn id(line: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Value>(line).ok()?.get("id")?.as_u64()
}

/// Why this line is no call, by names of ours alone; a sentence.
pub(super) fn why(line: &[u8]) -> String {
    let said = match serde_json::from_slice::<Value>(line) {
        Err(error) => return format!("that line is no JSON object (column {})", error.column()),
        Ok(Value::Object(said)) => said,
        Ok(_) => return "that is no call: it is no object".to_owned(),
    };
    if !said.get("id").is_some_and(Value::is_u64) {
        return "that is no call: its field `id` must be a number".to_owned();
    }
    let Some(name) = said.get("call").and_then(Value::as_str) else {
        return "that is no call: its field `call` must be a word".to_owned();
    };
    if fails::<Call>(json!({ "call": name })).is_some_and(|error| error.starts_with(UNKNOWN)) {
        return "that is no call: its field `call` names none that is known here".to_owned();
    }
    match unfit(&said) {
        Some(field) => format!("that is no call: {field}"),
        None => "that is no call: a field is not what it must be".to_owned(),
    }
}

/// The field that is missing, or that is missed once what stands in it is taken away.
fn unfit(said: &Map<String, Value>) -> Option<String> {
    let missing = |said: Map<String, Value>| {
        fails::<Numbered>(Value::Object(said)).filter(|error| error.starts_with(MISSING))
    };
    if let Some(missing) = missing(said.clone()) {
        return Some(missing);
    }
    said.keys().filter(|key| *key != "id" && *key != "call").find_map(|key| {
        let mut without = said.clone();
        without.remove(key);
        let error = missing(without)?;
        Some(format!("its{} is not what it must be", error.strip_prefix("missing")?))
    })
}

fn fails<T: DeserializeOwned>(value: Value) -> Option<String> {
    serde_json::from_value::<T>(value).err().map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::why;

    const SECRET: &str = "hunter2-b7Tq9ZxR2mW4kLp8";

    #[test]
    fn what_does_not_fit_is_named_and_not_said_again() {
        for (line, named) in [
            (r#"{"id":1,"call":"SECRET"}"#, "`call` names none"),
            (r#"{"id":1,"call":["SECRET"]}"#, "`call` must be"),
            (r#"{"id":"SECRET","call":"snapshot"}"#, "`id` must be"),
            (r#"{"id":1,"call":"add-say","conversation":"c","question":1}"#, "missing field `say`"),
            (
                r#"{"id":1,"call":"add-say","conversation":"c","question":1,"say":"SECRET"}"#,
                "field `say` is not",
            ),
            (
                r#"{"id":1,"call":"add-say","conversation":"c","question":1,"say":{"say":"answer","with":{"answer":"SECRET"}}}"#,
                "field `say` is not",
            ),
            (
                r#"{"id":1,"call":"add-say","conversation":"c","question":1,"say":{"say":"answer","with":{"answer":"approve","with":"SECRET"}}}"#,
                "field `say` is not",
            ),
            (
                r#"{"id":1,"call":"add-say","conversation":["SECRET"],"question":1,"say":"paste"}"#,
                "is not what it must be",
            ),
            (r#"{"id":1,"call":"compare","session":"-SECRET","SECRET":1}"#, "field `session` is not"),
            (r#"["SECRET"]"#, "no object"),
            (r#"{"id":1,"SECRET"#, "column"),
        ] {
            let said = why(line.replace("SECRET", SECRET).as_bytes());
            assert!(said.contains(named) && !said.contains("hunter2"), "{line} -> {said}");
        }
    }
}
