//! Taking off what terminals, notebooks, logs and mail programs put around a line.

use serde_json::Value;

const TAGS: [&str; 32] = [
    "a", "b", "br", "button", "center", "code", "details", "div", "em", "font", "h1", "h2", "h3", "h4", "h5",
    "hr", "i", "img", "input", "li", "ol", "p", "pre", "small", "span", "strong", "summary", "table", "td",
    "textarea", "tr", "ul",
];

/// The text without ANSI escape sequences (ECMA-48: CSI, OSC and two-character escapes).
pub fn without_colours(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            out.push(c);
            continue;
        }
        match chars.peek() {
            Some('[') => {
                chars.next();
                while let Some(next) = chars.next_if(|c| matches!(c, ' '..='?')) {
                    debug_assert!(next < '@', "parameters end before the final byte");
                }
                chars.next_if(|c| matches!(c, '@'..='~'));
            }
            Some(']') => {
                while let Some(next) = chars.next_if(|c| *c != '\n') {
                    if next == '\u{7}' || (next == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                        break;
                    }
                }
            }
            Some('('..=')') => {
                chars.next();
                chars.next_if(char::is_ascii_alphanumeric);
            }
            Some('='..='>' | 'c' | '7' | '8' | 'M') => {
                chars.next();
            }
            _ => {}
        }
    }
    out
}

/// Unwraps one line and hands on what it says: one text, or several for a JSON line.
pub fn unwrap(line: &str, push: &mut dyn FnMut(String)) {
    let line = spaced(line);
    let trimmed = unquoted(line.trim());
    if trimmed.starts_with('{')
        && let Ok(value) = serde_json::from_str::<Value>(trimmed)
    {
        return leaves(None, &value, push);
    }
    if let Some(inner) = notebook_string(trimmed) {
        return inner.lines().for_each(|part| push(plain(part)));
    }
    push(plain(trimmed));
}

/// One line of an `.ipynb` file: a JSON string in a list.
fn notebook_string(line: &str) -> Option<String> {
    let quoted = line.strip_suffix(',').unwrap_or(line);
    let whole = quoted.len() > 2 && quoted.starts_with('"') && quoted.ends_with('"');
    serde_json::from_str(quoted).ok().filter(|_| whole)
}

fn plain(line: &str) -> String {
    // Once more, because JSON may hide escapes from the first time.
    let line = without_tags(&without_colours(line));
    without_copy(unframed(&line)).to_owned()
}

/// Special blanks and box-drawing characters as blanks.
fn spaced(line: &str) -> String {
    let blank = |c| matches!(c, '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{3000}' | '\u{2500}'..='\u{257f}');
    line.chars().map(|c| if blank(c) { ' ' } else { c }).collect()
}

/// Without the marks of quoted mail and of a Python prompt.
fn unquoted(mut line: &str) -> &str {
    while let Some(rest) = line.strip_prefix('>') {
        line = rest.trim_start();
    }
    line
}

/// Without an ASCII frame's bars.
fn unframed(line: &str) -> &str {
    let line = line.trim();
    let line = line.strip_prefix("| ").unwrap_or(line);
    line.strip_suffix(" |").unwrap_or(line).trim()
}

/// Without the `Copy` of a notebook's copy button, which sticks to the code after it.
fn without_copy(line: &str) -> &str {
    let Some(rest) = line.strip_prefix("Copy") else { return line };
    let starts = ["ssh ", "Host ", "tcp://", "ssh://", "vscode://", "cloudflared ", "autossh "];
    let one_word = !rest.contains(char::is_whitespace);
    let host_like = [".trycloudflare.com", ".ngrok.io", ".pinggy.link"].iter().any(|s| rest.contains(s))
        || rest.contains('@');
    if starts.iter().any(|s| rest.starts_with(s)) || (one_word && host_like) { rest } else { line }
}

/// Without HTML tags, each a blank or the link it holds, and with the commonest entities resolved, if there were any tags.
fn without_tags(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    let mut any = false;
    while let Some(start) = rest.find('<') {
        let tail = &rest[start + 1..];
        let name: String = tail
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(12)
            .collect::<String>()
            .to_ascii_lowercase();
        out.push_str(&rest[..start]);
        let end =
            if TAGS.contains(&name.as_str()) { tail.bytes().take(300).position(|b| b == b'>') } else { None };
        if let Some(end) = end {
            any = true;
            out.push(' ');
            if let Some((_, link)) = tail[..end].split_once("href=\"") {
                out.push_str(link.split('"').next().unwrap_or_default());
                out.push(' ');
            }
            rest = &tail[end + 1..];
        } else {
            out.push('<');
            rest = tail;
        }
    }
    out.push_str(rest);
    if any {
        for (entity, plain) in
            [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        {
            out = out.replace(entity, plain);
        }
    }
    out
}

fn leaves(key: Option<&str>, value: &Value, push: &mut dyn FnMut(String)) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| leaves(Some(key), value, push)),
        Value::Array(items) => items.iter().for_each(|item| leaves(key, item, push)),
        Value::String(text) if text.contains(char::is_whitespace) => {
            text.split(['\n', '\r']).for_each(|part| push(plain(&spaced(part))));
        }
        Value::String(text) => push(plain(&spaced(&labelled(key, text)))),
        Value::Number(number) => push(labelled(key, &number.to_string())),
        Value::Null | Value::Bool(_) => {}
    }
}

fn labelled(key: Option<&str>, text: &str) -> String {
    key.map_or_else(|| text.to_owned(), |key| format!("{key}: {text}"))
}
