//! A session's `cell` table: what its setup cell does besides.

use std::fmt::Display;
use std::str::FromStr;

use toml_edit::{Item, TableLike};

use super::read::{Fault, start};
use crate::cell::CellOptions;

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

fn text<T: FromStr<Err: Display>>(item: &Item, key: &str) -> Result<T, String> {
    let text = item.as_str().ok_or_else(|| format!("{key} must be a text in quotes"))?;
    text.parse().map_err(|error| format!("{key}: {error}"))
}
