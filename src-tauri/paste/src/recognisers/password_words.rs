//! What is no password, and what sshpass is given.

use super::super::text::Line;

/// `********`, `<your password>`, `{password}`, `$PASSWORD`: what stands for a password.
pub fn is_stand_in(value: &str) -> bool {
    let same = |c: char| matches!(c, '*' | '•' | '·' | '.' | '_' | '●');
    let shell =
        value.strip_prefix('$').is_some_and(|v| v.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
    value.chars().all(same)
        || value.contains("••••••")
        || value.starts_with('<')
        || ["YOUR_", "PUT_", "ENTER_"].iter().any(|begin| value.starts_with(begin))
        || (value.starts_with('{') && value.contains('}'))
        || ["None", "null", "str", "password", "(hidden)", "[hidden]"].contains(&value)
        || shell
}

pub(super) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The password of `sshpass -p x ssh …`, and the command that it is for.
pub fn sshpass(line: &Line) -> Option<(&str, &str)> {
    let after = line.text.split_once("sshpass ")?.1.trim_start().strip_prefix("-p")?.trim_start();
    let end = after.find(char::is_whitespace).unwrap_or(after.len());
    let (value, rest) = after.split_at(end);
    let value = value.trim_matches(['"', '\'']);
    let variable = value.starts_with('$') && line.source;
    (!value.is_empty() && !variable && !is_stand_in(value)).then_some((value, rest))
}
