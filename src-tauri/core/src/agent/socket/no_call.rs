//! What is said of a line that is no call: nothing of what stands in it, which may be a secret.

use serde_json::Value;

/// The call's number, if it has one.
pub(super) fn id(line: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Value>(line).ok()?.get("id")?.as_u64()
}

/// Why it is none, in one sentence.
pub(super) fn why(line: &[u8]) -> String {
    match serde_json::from_slice::<Value>(line) {
        Err(error) => format!("that line is no JSON object (column {})", error.column()),
        Ok(_) => {
            "that is no call: it is none that is known here, or a field is missing or not what it must be"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{id, why};

    #[test]
    fn nothing_of_it_is_said_again() {
        for (line, told) in [
            (r#"{"id":1,"call":"hunter2"}"#, "no call"),
            (r#"{"id":1,"call":"add-say","conversation":"c","question":1,"say":"hunter2"}"#, "no call"),
            (r#"["hunter2"]"#, "no call"),
            (r#"{"id":1,"hunter2"#, "no JSON object (column 16)"),
        ] {
            let said = why(line.as_bytes());
            assert!(said.contains(told) && !said.contains("hunter2"), "{line} -> {said}");
        }
    }

    #[test]
    fn its_number_is_kept_where_it_has_one() {
        assert_eq!(id(br#"{"id":7,"call":"hunter2"}"#), Some(7));
        assert_eq!(id(b"no JSON"), None);
    }
}
