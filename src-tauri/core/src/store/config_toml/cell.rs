//! A session's `cell` table: what its setup cell does besides.

use std::fmt::Display;
use std::str::FromStr;

use moorline_model::cell_options::CellOptions;
use moorline_model::session::RemotePath;
use moorline_ssh_files::Alias;
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::edit::set;
use super::fault::{Fault, start};

/// Reads `[session.NAME.cell]` from the session's table.
pub(super) fn options(session: &str, table: &dyn TableLike) -> Result<CellOptions, Fault> {
    let Some(item) = table.get("cell") else { return Ok(CellOptions::default()) };
    let fault = |item: &Item, what: String| Fault {
        offset: start(item.span()),
        what: format!("session {session}, cell: {what}"),
    };
    let Some(table) = item.as_table_like() else {
        return Err(fault(item, format!("it must be a table, such as [session.{session}.cell]")));
    };
    let mut options = CellOptions::default();
    for (key, item) in table.iter() {
        match key {
            "git" => options.git = Some(text(item, "git").map_err(|what| fault(item, what))?),
            "folder" => options.folder = Some(text(item, "folder").map_err(|what| fault(item, what))?),
            "drive" => {
                let wrong = || fault(item, "drive must be true or false".to_owned());
                options.drive = item.as_bool().ok_or_else(wrong)?;
            }
            "sshd_port" => {
                let number = item.as_integer().and_then(|n| u16::try_from(n).ok());
                let port = number.and_then(|n| n.try_into().ok());
                let wrong = "sshd_port must be a number from 1 to 65535, without quotes".to_owned();
                options.sshd_port = Some(port.ok_or_else(|| fault(item, wrong))?);
            }
            "setup" => {
                let wrong = || fault(item, "setup must be a list of texts, one line each".to_owned());
                for line in item.as_array().ok_or_else(wrong)? {
                    let line = line.as_str().ok_or_else(wrong)?;
                    let line = line.parse().map_err(|error| fault(item, format!("setup: {error}")))?;
                    options.setup.push(line);
                }
            }
            // A newer version's.
            _ => {}
        }
    }
    Ok(options)
}

/// Writes the announcements' folder into the `cell` table of a session, which exists.
pub(super) fn write_folder(doc: &mut DocumentMut, name: &Alias, folder: &RemotePath) {
    let sessions = doc.get_mut("session").and_then(Item::as_table_like_mut);
    let Some(session) = sessions.and_then(|sessions| sessions.get_mut(name.as_str())) else { return };
    let inline = session.is_value();
    let Some(session) = session.as_table_like_mut() else { return };
    if !session.contains_key("cell") {
        let table = if inline { InlineTable::new().into() } else { Item::Table(Table::new()) };
        session.insert("cell", table);
    }
    let Some(cell) = session.get_mut("cell").and_then(Item::as_table_like_mut) else { return };
    set(cell, "folder", Value::from(folder.as_str()));
}

fn text<T: FromStr<Err: Display>>(item: &Item, key: &str) -> Result<T, String> {
    let text = item.as_str().ok_or_else(|| format!("{key} must be a text in quotes"))?;
    text.parse().map_err(|error| format!("{key}: {error}"))
}
