//! Changing the TOML so that only what must change does.

use moorline_model::remembered::Remembered;
use moorline_model::session::{Link, Session};
use moorline_ssh_files::{Alias, UserName};
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::error::VERSION;

pub(super) fn upsert(doc: &mut DocumentMut, session: &Session) {
    if doc.as_table().is_empty() {
        doc.insert("version", toml_edit::value(VERSION));
    }
    let sessions = doc.as_table_mut().entry("session").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let inline = sessions.is_value();
    // The reader has refused a file in which these are no tables.
    let Some(sessions) = sessions.as_table_like_mut() else { return };
    let name = session.name.as_str();
    let new = !sessions.contains_key(name);
    if new {
        let table = if inline { InlineTable::new().into() } else { Item::Table(Table::new()) };
        sessions.insert(name, table);
    }
    let Some(table) = sessions.get_mut(name).and_then(Item::as_table_like_mut) else { return };
    for (key, wanted) in fields(session) {
        match wanted {
            Some(wanted) if new || !is_default(key, &wanted) || table.contains_key(key) => {
                set(table, key, wanted);
            }
            Some(_) => {}
            None => drop(table.remove(key)),
        }
    }
}

/// Writes what is remembered into the session's table, which exists.
pub(super) fn remember(doc: &mut DocumentMut, name: &Alias, remembered: &Remembered) {
    let sessions = doc.get_mut("session").and_then(Item::as_table_like_mut);
    let table = sessions.and_then(|s| s.get_mut(name.as_str())).and_then(Item::as_table_like_mut);
    let Some(table) = table else { return };
    let text = |value: &str| Some(Value::from(value));
    for (key, wanted) in [
        ("notebook", remembered.notebook.as_ref().and_then(|url| text(url.as_str()))),
        ("last_editor", remembered.last_editor.and_then(|editor| text(editor.as_str()))),
        ("last_folder", remembered.last_folder.as_ref().and_then(|folder| text(folder.as_str()))),
        ("paused", remembered.paused.then(|| Value::from(true))),
    ] {
        match wanted {
            Some(wanted) => set(table, key, wanted),
            None => drop(table.remove(key)),
        }
    }
}

pub(super) fn remove(doc: &mut DocumentMut, name: &Alias) {
    let sessions = doc.get_mut("session").and_then(Item::as_table_like_mut);
    let Some(Item::Table(removed)) = sessions.and_then(|s| s.remove(name.as_str())) else { return };
    let above = removed.decor().prefix().and_then(|p| p.as_str()).unwrap_or_default();
    // What a blank line separates from the session was not written about it.
    let Some(end) = above.rfind("\n\n").map(|at| at + 2) else { return };
    let kept = &above[..end];
    if kept.trim().is_empty() {
        return;
    }
    let after = removed.position().unwrap_or_default();
    let next = next_position(doc.as_table(), after);
    if let Some(next) = next.and_then(|at| table_at(doc.as_table_mut(), at)) {
        let own = next.decor().prefix().and_then(|p| p.as_str()).unwrap_or_default();
        let joined = format!("{kept}{}", own.strip_prefix('\n').unwrap_or(own));
        next.decor_mut().set_prefix(joined);
    } else {
        let joined = format!("{kept}{}", doc.trailing().as_str().unwrap_or_default());
        doc.set_trailing(joined);
    }
}

/// The keys that a session owns, in the order in which a new table has them; `None` where the key must go.
fn fields(session: &Session) -> [(&'static str, Option<Value>); 9] {
    let text = |value: &str| Some(Value::from(value));
    let (mut host, mut port, mut relay, mut mine_alone, mut runtime) = (None, None, None, None, None);
    match &session.link {
        Link::Direct(place) | Link::Ngrok(place) => {
            host = text(place.host.as_str());
            port = Some(place.port);
        }
        Link::Cloudflare(name) => host = text(name.as_str()),
        Link::Relay(link) => {
            relay = text(&link.relay.to_string());
            port = Some(link.port);
            mine_alone = link.mine_alone.then(|| Value::from(true));
        }
        Link::Colab(link) => runtime = text(link.runtime.as_str()),
    }
    [
        ("link", text(session.link.kind())),
        ("host", host),
        ("relay", relay),
        ("runtime", runtime),
        ("port", port.map(|port| Value::from(i64::from(port.get())))),
        ("relay_is_mine_alone", mine_alone),
        ("user", text(session.user.as_str())),
        ("folder", session.folder.as_ref().and_then(|folder| text(folder.as_str()))),
        ("identity_file", session.identity_file.as_ref().and_then(|file| text(file.as_str()))),
    ]
}

/// Whether the reader would take this value from a file that does not say it.
fn is_default(key: &str, value: &Value) -> bool {
    key == "user" && value.as_str() == Some(UserName::root().as_str())
}

/// Sets a value, keeping the comment and spacing around the old one; an equal one keeps its spelling too.
pub(super) fn set(table: &mut dyn TableLike, key: &str, mut wanted: Value) {
    let old = table.get(key).and_then(Item::as_value);
    if let Some(old) = old {
        if same(old, &wanted) {
            return;
        }
        *wanted.decor_mut() = old.decor().clone();
    }
    match table.get_mut(key) {
        Some(item) => *item = Item::Value(wanted),
        None => drop(table.insert(key, Item::Value(wanted))),
    }
}

fn same(old: &Value, wanted: &Value) -> bool {
    match (old, wanted) {
        (Value::String(a), Value::String(b)) => a.value() == b.value(),
        (Value::Integer(a), Value::Integer(b)) => a.value() == b.value(),
        (Value::Boolean(a), Value::Boolean(b)) => a.value() == b.value(),
        _ => false,
    }
}

fn next_position(table: &Table, after: isize) -> Option<isize> {
    let mut best = None;
    for (_, item) in table {
        let inner: Vec<&Table> = match item {
            Item::Table(inner) => vec![inner],
            Item::ArrayOfTables(array) => array.iter().collect(),
            _ => continue,
        };
        for inner in inner {
            let own = inner.position().filter(|at| *at > after && !inner.is_implicit() && !inner.is_dotted());
            best = [best, own, next_position(inner, after)].into_iter().flatten().min();
        }
    }
    best
}

fn table_at(table: &mut Table, position: isize) -> Option<&mut Table> {
    for (_, item) in table.iter_mut() {
        let inner: Vec<&mut Table> = match item {
            Item::Table(inner) => vec![inner],
            Item::ArrayOfTables(array) => array.iter_mut().collect(),
            _ => continue,
        };
        for inner in inner {
            if inner.position() == Some(position) && !inner.is_implicit() && !inner.is_dotted() {
                return Some(inner);
            }
            if let Some(found) = table_at(inner, position) {
                return Some(found);
            }
        }
    }
    None
}
