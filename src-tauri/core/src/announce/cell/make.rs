//! Making a session that has had no runtime yet, with the cell that will bring it one.
//!
//! Whatever can fail is tried before anything is written. What cannot be tried (the relay is changed last) leaves a
//! whole session, and the same wish goes on from there.

use std::time::Duration;

use moorline_model::channel_settings::ChannelSettings;
use moorline_model::clock;
use moorline_model::session::{Link, Session};
use moorline_ssh_files::{Alias, Place, UserName};
use serde::{Deserialize, Serialize};

use super::gather::{Listen, cell_of, listen_to};
use super::plan::{CellPlan, MakeCellError};
use super::text::{Cell, CellChannels, CellLink, RelayWay};
use super::wish::CellWish;
use crate::repoint::adding::clipboard::SECRET_STAYS;
use crate::repoint::name_taken::{Claim, claim};
use crate::repoint::session_key::begin as begin_session;
use crate::ssh::context::Tools;
use crate::ssh::reach::relay_ssh;
use crate::ssh::relay_identity::relay_place;
use crate::ssh::relay_setup::{Prepared, prepare_session};
use crate::store::config_toml::SessionsFile;
use crate::store::pins_json::{Pins, SessionPins};
use crate::store::session_keys;

/// Logging in to a relay may need a hand on a key.
const RELAY_LIMIT: Duration = Duration::from_secs(60);

/// A session that is there, and what its cell is made of.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The session.
    pub session: Session,
    /// Whether it was made just now.
    pub is_new: bool,
    /// How its announcements come.
    pub channels: ChannelSettings,
    /// Its relay as a runtime sees it.
    pub relay: Option<RelayWay>,
}

/// A cell that was made, as a face shows it. The cell and its secret are copied, not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct CellMade {
    /// The session.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub session: Alias,
    /// The name under which the session key belongs into the notebook's secrets.
    pub secret_name: String,
    /// The name of another secret that the notebook needs, which the person has from elsewhere.
    pub other_secret: Option<String>,
    /// For how many seconds the secret, once copied, stays in the clipboard.
    pub secret_stays: u64,
}

/// Makes what was wished for: the session, its channels, and where it goes through a relay, the line that lets its
/// runtimes in there. The same wish again changes nothing. Blocks as the keyring does.
///
/// # Errors
/// Nothing was written; or, where the error is [`MakeCellError::Prepare`], only the relay is missing.
pub async fn make(tools: &Tools, wish: &CellWish) -> Result<CellMade, MakeCellError> {
    let begun = begin(tools, &wish.plan()?).await?;
    if matches!(begun.session.link, Link::Relay(_)) {
        prepare_relay(tools, &begun.session).await?;
    }
    Ok(CellMade::of(&begun.cell(tools)?))
}

/// Makes the session if it is not there yet, and sets its channels. Blocks as the keyring does.
///
/// # Errors
/// Everything that can be refused is refused before anything is written.
pub async fn begin(tools: &Tools, plan: &CellPlan) -> Result<Begun, MakeCellError> {
    let name = &plan.name;
    let file = SessionsFile::load(&tools.dirs.sessions_file())?;
    let known = file.get(name);
    let session = if let Some(known) = known {
        refuse_another_way(tools, plan, known)?;
        known.clone()
    } else {
        refuse_claimed(tools, name)?;
        planned(plan)
    };
    let was = file.channels(name);
    if !plan.listen.is_empty() {
        plan.listen.on(name, was.clone(), &file.remembered(name).cell)?;
    }
    let relay = way_to_relay(tools, &session).await?;
    let is_new = known.is_none();
    if is_new {
        begin_session(tools, &session, clock::now()).await?;
    }
    let channels = if plan.listen.is_empty() { was } else { listen_to(tools, name, &plan.listen)? };
    Ok(Begun { session, is_new, channels, relay })
}

/// Lets the runtimes of a session in on its relay, for its port and its announcements alone. Blocks as the keyring
/// does.
///
/// # Errors
/// The session has no relay, or it cannot be reached or changed.
pub async fn prepare_relay(tools: &Tools, session: &Session) -> Result<Prepared, MakeCellError> {
    let key = session_keys::create(&tools.dirs, &*tools.vault, &session.name)?;
    Ok(prepare_session(tools, &relay_ssh(tools, session), session, &key, RELAY_LIMIT).await?)
}

/// Where a session's runtime finds the relay, and the key it is to insist on there; `None` without a relay.
pub(super) async fn way_to_relay(
    tools: &Tools,
    session: &Session,
) -> Result<Option<RelayWay>, MakeCellError> {
    let Link::Relay(link) = &session.link else { return Ok(None) };
    let found = relay_place(&relay_ssh(tools, session), &link.relay, RELAY_LIMIT).await?;
    if found.behind_another {
        return Err(MakeCellError::BehindAnother(link.relay.clone()));
    }
    let Place { host, port } = found.place;
    Ok(Some(RelayWay { host, port, user: found.user, host_keys: vec![found.key] }))
}

impl Begun {
    /// Its cell. Blocks as the keyring does.
    ///
    /// # Errors
    /// A key that is needed cannot be read or made.
    pub fn cell(self, tools: &Tools) -> Result<Cell, MakeCellError> {
        let file = SessionsFile::load(&tools.dirs.sessions_file())?;
        let options = file.remembered(&self.session.name).cell;
        // The person's own file may name the channel without its folders.
        Listen::default().on(&self.session.name, self.channels.clone(), &options)?;
        let channels = CellChannels::of(&self.channels, &options);
        Ok(cell_of(tools, &self.session, options, channels, self.relay)?)
    }
}

impl CellMade {
    fn of(cell: &Cell) -> Self {
        Self {
            session: cell.session.clone(),
            secret_name: cell.secret.clone(),
            other_secret: cell.other_secret().map(str::to_owned),
            secret_stays: SECRET_STAYS.as_secs(),
        }
    }
}

/// A new session, of which nothing is written yet.
fn planned(plan: &CellPlan) -> Session {
    Session {
        name: plan.name.clone(),
        link: plan.link.clone(),
        user: plan.user.clone().unwrap_or_else(UserName::root),
        folder: None,
        identity_file: None,
    }
}

/// The very plan that made a session may be said again, also when a runtime has announced itself since.
fn refuse_another_way(tools: &Tools, plan: &CellPlan, known: &Session) -> Result<(), MakeCellError> {
    let same_place = plan.link.described() == known.link.described();
    let same_way = || plan.link.kind() == known.link.kind() && begun_by_a_cell(tools, plan, known);
    let same_user = plan.user.as_ref().is_none_or(|user| *user == known.user);
    if same_user && (same_place || same_way()) {
        return Ok(());
    }
    Err(MakeCellError::OtherWay { name: known.name.clone(), kind: known.link.kind() })
}

/// Whether the session's host key follows from its session key, and its cell opens the same way: then only the
/// passing place of a tunnel is another.
fn begun_by_a_cell(tools: &Tools, plan: &CellPlan, known: &Session) -> bool {
    let passing = matches!(plan.link, Link::Cloudflare(_) | Link::Ngrok(_));
    let pins = Pins::load(&tools.dirs.pins_file());
    let derived = pins.is_ok_and(|pins| pins.get(&known.name).is_some_and(SessionPins::derived));
    passing && derived && CellLink::of(&plan.link) == CellLink::of(&known.link)
}

fn refuse_claimed(tools: &Tools, name: &Alias) -> Result<(), MakeCellError> {
    let name = name.clone();
    match claim(&tools.dirs.ssh, &tools.dirs.home, &name) {
        Some(Claim::Entry { file, line } | Claim::Pattern { file, line }) => {
            Err(MakeCellError::InConfig { name, file, line })
        }
        Some(Claim::KnownHost) => Err(MakeCellError::InKnownHosts(name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
