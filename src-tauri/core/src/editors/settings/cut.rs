//! Taking one entry out of a settings file. The syntax tree's own removal takes comments behind the entry along, so this
//! cuts the text at the places that the parser reports.

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::tokens::Token;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, parse_to_ast};

use super::format::{NO_LIST, SettingsError, WHAT_VS_CODE_TAKES, not_settings, unreadable};

/// `text` without `entry` of the object `setting`, or without the whole setting if nothing else is in it, not even a
/// comment. `None` if the entry is not there.
pub(super) fn without_entry(text: &str, setting: &str, entry: &str) -> Result<Option<String>, SettingsError> {
    let collect = CollectOptions { comments: CommentCollectionStrategy::Off, tokens: true };
    let parsed = parse_to_ast(text, &collect, &WHAT_VS_CODE_TAKES).map_err(|error| unreadable(&error))?;
    let commas: Vec<usize> = parsed
        .tokens
        .unwrap_or_default()
        .iter()
        .filter(|token| matches!(token.token, Token::Comma))
        .map(|token| token.range.start)
        .collect();
    let settings = match parsed.value {
        None => return Ok(None),
        Some(Value::Object(settings)) => settings,
        Some(_) => return Err(not_settings()),
    };
    let Some(outer) = last_of(&settings, setting) else { return Ok(None) };
    let Some(Value::Object(list)) = settings.properties.get(outer).map(|property| &property.value) else {
        return Err(NO_LIST);
    };
    let Some(inner) = last_of(list, entry) else { return Ok(None) };
    let left = cut(text, list, inner, &commas);
    let emptied = list.range.start..list.range.end - (text.len() - left.len());
    let is_empty = left
        .get(emptied)
        .is_some_and(|list| list.trim_start_matches('{').trim_end_matches('}').trim().is_empty());
    Ok(Some(if is_empty { cut(text, &settings, outer, &commas) } else { left }))
}

fn last_of(object: &Object<'_>, name: &str) -> Option<usize> {
    object.properties.iter().rposition(|property| property.name.as_str() == name)
}

/// Cuts a property and the comma that is one too many without it, and its lines if nothing else stands on them.
fn cut(text: &str, object: &Object<'_>, index: usize, commas: &[usize]) -> String {
    let at = |index: Option<usize>| index.and_then(|index| object.properties.get(index));
    let Some(property) = at(Some(index)) else { return text.to_owned() };
    let (start, end) = (property.start(), property.end());
    let until = at(index.checked_add(1)).map_or(object.range.end, ObjectProp::start);
    let from = at(index.checked_sub(1)).map_or(object.range.start, ObjectProp::end);
    let between = |from: usize, to: usize| commas.iter().copied().find(|comma| (from..to).contains(comma));
    let comma = between(end, until).or_else(|| between(from, start));

    let blank = |c: char| c == ' ' || c == '\t';
    let head = text.get(..start).unwrap_or_default();
    let indented = head.trim_end_matches(blank);
    // A comma right behind goes with the property; one behind a comment goes by itself.
    let near = |comma: &usize| text.get(end..*comma).is_some_and(|gap| gap.chars().all(blank));
    let close = comma.filter(|comma| *comma >= end).filter(near).map_or(end, |comma| comma + 1);
    let tail = text.get(close..).unwrap_or_default().trim_start_matches(blank);
    let newline = ["\r\n", "\n"].into_iter().find_map(|newline| tail.strip_prefix(newline));
    let starts_line = indented.is_empty() || indented.ends_with('\n');
    let (kept_head, kept_tail) = match newline {
        Some(rest) if starts_line => (indented, rest),
        None if starts_line => (head, tail),
        _ => (indented, text.get(close..).unwrap_or_default()),
    };
    let without = |part: &str, offset: usize| match comma.and_then(|comma| comma.checked_sub(offset)) {
        Some(at) if at < part.len() => {
            format!("{}{}", part.get(..at).unwrap_or_default(), part.get(at + 1..).unwrap_or_default())
        }
        _ => part.to_owned(),
    };
    without(kept_head, 0) + &without(kept_tail, text.len() - kept_tail.len())
}
