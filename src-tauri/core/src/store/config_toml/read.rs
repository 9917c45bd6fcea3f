//! From TOML to sessions, with the line of whatever is wrong.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use moorline_model::channel_settings::ChannelSettings;
use moorline_model::remembered::Remembered;
use moorline_model::session::{ColabLink, Link, RelayLink, Session};
use moorline_model::settings::Settings;
use moorline_ssh_files::{Alias, Place, Port, UserName};
use toml_edit::{Document, DocumentMut, Item, TableLike};

use super::error::{SessionsFileError, VERSION};
use super::fault::{Fault, start};
use super::{cell, channels, settings};

/// Everything that stands in the file.
pub(super) struct Parsed {
    pub doc: DocumentMut,
    pub sessions: BTreeMap<Alias, Session>,
    pub remembered: BTreeMap<Alias, Remembered>,
    pub channels: BTreeMap<Alias, ChannelSettings>,
    pub settings: Settings,
}

/// Reads `text`; `path` is for the error's sentence alone.
pub(super) fn parse(path: &Path, text: &str) -> Result<Parsed, SessionsFileError> {
    let at = |fault: Fault| SessionsFileError::Bad {
        path: path.to_owned(),
        line: text.as_bytes()[..fault.offset.min(text.len())].split(|b| *b == b'\n').count(),
        what: fault.what,
    };
    let doc = Document::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        at(Fault { offset, what: error.message().trim().replace('\n', ", ") })
    })?;
    if let Some(found) = version(doc.as_table()).map_err(at)? {
        return Err(SessionsFileError::Newer { path: path.to_owned(), found });
    }
    let all = sessions(doc.as_table()).map_err(at)?;
    let settings = settings::settings(doc.as_table()).map_err(at)?;
    let channels = channels::read(doc.as_table()).map_err(at)?;
    let (mut sessions, mut remembered) = (BTreeMap::new(), BTreeMap::new());
    for (session, kept) in all {
        remembered.insert(session.name.clone(), kept);
        sessions.insert(session.name.clone(), session);
    }
    Ok(Parsed { doc: doc.into_mut(), sessions, remembered, channels, settings })
}

/// A version that is newer than this program's.
fn version(root: &dyn TableLike) -> Result<Option<i64>, Fault> {
    let Some(item) = root.get("version") else { return Ok(None) };
    match item.as_integer() {
        Some(found) if found > VERSION => Ok(Some(found)),
        Some(VERSION) => Ok(None),
        _ => Err(Fault { offset: start(item.span()), what: format!("version must be {VERSION}") }),
    }
}

fn sessions(root: &dyn TableLike) -> Result<Vec<(Session, Remembered)>, Fault> {
    let Some(item) = root.get("session") else { return Ok(Vec::new()) };
    let Some(tables) = item.as_table_like() else {
        let what = "session must hold one table per session, such as [session.colab]".to_owned();
        return Err(Fault { offset: start(item.span()), what });
    };
    let mut found = Vec::new();
    for (name, item) in tables.iter() {
        let offset = start(tables.key(name).and_then(toml_edit::Key::span).or_else(|| item.span()));
        found.push(session(name, item, offset)?);
    }
    Ok(found)
}

fn session(name: &str, item: &Item, offset: usize) -> Result<(Session, Remembered), Fault> {
    let alias: Alias = name.parse().map_err(|error| Fault { offset, what: format!("{error}") })?;
    let Some(table) = item.as_table_like() else {
        return Err(Fault {
            offset,
            what: format!("session.{name} must be a table, such as [session.{name}]"),
        });
    };
    let fields = Fields { name, table, offset };
    let link = fields.text("link")?.ok_or_else(|| fields.missing_link())?;
    let link = match link.0 {
        "direct" => Link::Direct(fields.place()?),
        "ngrok" => Link::Ngrok(fields.place()?),
        "cloudflare" => Link::Cloudflare(fields.required("host")?),
        "relay" => Link::Relay(RelayLink {
            relay: fields.required("relay")?,
            port: fields.port()?,
            mine_alone: fields.flag("relay_is_mine_alone")?,
        }),
        "colab" => Link::Colab(ColabLink { runtime: fields.required("runtime")? }),
        other => {
            let what = format!("link is {other:?}, and must be direct, ngrok, cloudflare, relay or colab");
            return Err(fields.fault(link.1, &what));
        }
    };
    let user = fields.parsed("user")?.unwrap_or_else(UserName::root);
    let (folder, identity_file) = (fields.parsed("folder")?, fields.parsed("identity_file")?);
    let remembered = Remembered {
        notebook: fields.parsed("notebook")?,
        last_editor: fields.parsed("last_editor")?,
        last_folder: fields.parsed("last_folder")?,
        paused: fields.flag("paused")?,
        cell: cell::options(name, table)?,
    };
    Ok((Session { name: alias, link, user, folder, identity_file }, remembered))
}

/// One session's table, with what an error must name.
struct Fields<'a> {
    name: &'a str,
    table: &'a dyn TableLike,
    offset: usize,
}

impl<'a> Fields<'a> {
    fn fault(&self, offset: usize, what: &str) -> Fault {
        Fault { offset, what: format!("session {}: {what}", self.name) }
    }

    fn missing(&self, key: &str) -> Fault {
        self.fault(self.offset, &format!("{key} is missing"))
    }

    fn missing_link(&self) -> Fault {
        let mut inner = self.table.iter().filter(|(_, item)| item.is_table());
        match inner.next() {
            // `[session.gpu.box]` is a table `box` in a session `gpu`.
            Some((key, _)) => {
                let (name, what) = (self.name, "link is missing; a name with a dot needs quotes");
                self.fault(self.offset, &format!("{what}: [session.\"{name}.{key}\"]"))
            }
            None => self.missing("link"),
        }
    }

    fn text(&self, key: &str) -> Result<Option<(&'a str, usize)>, Fault> {
        let Some(item) = self.table.get(key) else { return Ok(None) };
        let offset = start(item.span());
        match item.as_str() {
            Some(text) => Ok(Some((text, offset))),
            None => Err(self.fault(offset, &format!("{key} must be a text in quotes"))),
        }
    }

    fn parsed<T: FromStr<Err: Display>>(&self, key: &str) -> Result<Option<T>, Fault> {
        let Some((text, offset)) = self.text(key)? else { return Ok(None) };
        text.parse().map(Some).map_err(|error| self.fault(offset, &format!("{key}: {error}")))
    }

    fn required<T: FromStr<Err: Display>>(&self, key: &str) -> Result<T, Fault> {
        self.parsed(key)?.ok_or_else(|| self.missing(key))
    }

    fn port(&self) -> Result<Port, Fault> {
        let item = self.table.get("port").ok_or_else(|| self.missing("port"))?;
        let number = item.as_integer().and_then(|n| u16::try_from(n).ok());
        number.and_then(|n| Port::try_from(n).ok()).ok_or_else(|| {
            self.fault(start(item.span()), "port must be a number from 1 to 65535, without quotes")
        })
    }

    fn place(&self) -> Result<Place, Fault> {
        Ok(Place { host: self.required("host")?, port: self.port()? })
    }

    fn flag(&self, key: &str) -> Result<bool, Fault> {
        let Some(item) = self.table.get(key) else { return Ok(false) };
        item.as_bool().ok_or_else(|| self.fault(start(item.span()), &format!("{key} must be true or false")))
    }
}
