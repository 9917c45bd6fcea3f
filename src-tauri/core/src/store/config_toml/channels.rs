//! `channels`, `ntfy_server` and `announce_folder` of a session.

use std::collections::BTreeMap;
use std::path::PathBuf;

use moorline_model::channel_settings::{ChannelKind, ChannelSettings, Server};
use moorline_ssh_files::Alias;
use toml_edit::{Array, DocumentMut, Item, TableLike, Value};

use super::edit::set;
use super::fault::{Fault, start};

const KEYS: [&str; 3] = ["channels", "ntfy_server", "announce_folder"];

/// What every session says of its channels; sessions that say nothing are left out.
pub(super) fn read(root: &dyn TableLike) -> Result<BTreeMap<Alias, ChannelSettings>, Fault> {
    let mut all = BTreeMap::new();
    let Some(sessions) = root.get("session").and_then(Item::as_table_like) else { return Ok(all) };
    for (name, item) in sessions.iter() {
        // Names and tables that are none were refused when the sessions were read.
        let (Ok(alias), Some(table)) = (name.parse(), item.as_table_like()) else { continue };
        let said = of_session(name, table)?;
        if said != ChannelSettings::default() {
            all.insert(alias, said);
        }
    }
    Ok(all)
}

/// Writes them into the session's table, which exists.
pub(super) fn write(doc: &mut DocumentMut, name: &Alias, settings: &ChannelSettings) {
    let sessions = doc.get_mut("session").and_then(Item::as_table_like_mut);
    let table = sessions.and_then(|s| s.get_mut(name.as_str())).and_then(Item::as_table_like_mut);
    let Some(table) = table else { return };
    let words: Array = settings.channels.iter().map(|kind| kind.word()).collect();
    let server = settings.ntfy_server.to_string();
    let folder = settings.folder.as_ref().and_then(|folder| folder.to_str());
    let wanted = [
        (!words.is_empty()).then(|| Value::from(words)),
        (settings.ntfy_server != Server::default()).then(|| Value::from(server)),
        folder.map(Value::from),
    ];
    for (key, wanted) in KEYS.into_iter().zip(wanted) {
        match wanted {
            Some(wanted) => set(table, key, wanted),
            None => drop(table.remove(key)),
        }
    }
}

fn of_session(name: &str, table: &dyn TableLike) -> Result<ChannelSettings, Fault> {
    let fault = |item: &Item, what: &str| Fault {
        offset: start(item.span()),
        what: format!("session {name}: {what}"),
    };
    let mut said = ChannelSettings::default();
    if let Some(item) = table.get("channels") {
        let wrong = "channels must be a list of ntfy, relay, ngrok and folder, each in quotes";
        for word in item.as_array().ok_or_else(|| fault(item, wrong))? {
            let kind = word.as_str().and_then(ChannelKind::of_word).ok_or_else(|| fault(item, wrong))?;
            if !said.channels.contains(&kind) {
                said.channels.push(kind);
            }
        }
    }
    if let Some(item) = table.get("ntfy_server") {
        let text = item.as_str().ok_or_else(|| fault(item, "ntfy_server must be a text in quotes"))?;
        said.ntfy_server = text.parse().map_err(|error| fault(item, &format!("ntfy_server: {error}")))?;
    }
    if let Some(item) = table.get("announce_folder") {
        let folder = item.as_str().map(PathBuf::from).filter(|folder| folder.is_absolute());
        let wrong = "announce_folder must be an absolute path in quotes";
        said.folder = Some(folder.ok_or_else(|| fault(item, wrong))?);
    }
    Ok(said)
}
