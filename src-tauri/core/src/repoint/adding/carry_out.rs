//! Writing down what a conversation decided, and trying it.

use std::time::Duration;

use moorline_model::session::Session;
use moorline_ssh_files::{FileChange, Report};
use similar::TextDiff;

use super::matters::{Access, Reason};
use super::step::Decided;
use super::view::{Outcome, WrittenFile};
use crate::repoint::change::SettleError;
use crate::repoint::{unchecked_entries, write};
use crate::ssh::SystemSsh;
use crate::ssh::check_plain_ssh::OwnLogin;
use crate::ssh::context::Tools;
use crate::ssh::kept_secrets::{self, Kept};
use crate::store::pins_json::Pins;
use crate::store::vault::VaultError;

/// For plain ssh, with whatever the person's config adds to it.
const OWN_SSH: Duration = Duration::from_secs(15);

/// Writes it: what is new in the keyring, the pins and sessions, the ssh files.
///
/// # Errors
/// Nothing was written.
pub async fn write(tools: &Tools, decided: &Decided) -> Result<Outcome, Reason> {
    let refuse = |error: SettleError| match error {
        SettleError::Overtaken(_) => Reason::Overtaken(error.to_string()),
        other => Reason::NotWritable(other.to_string()),
    };
    let early = keep_early(tools, decided);
    let report = match write::settle(tools, &decided.change).await {
        Ok(report) => report,
        Err(error) => {
            if let (true, Some((key, _))) = (early, decided.change.keys.first())
                && let Err(error) = kept_secrets::drop_password(tools, &decided.change.session, key)
            {
                tracing::warn!(%error, "a password that is not used is left in the keyring");
            }
            return Err(refuse(error));
        }
    };
    // Last: until then the person's entry stands below ours, which ssh takes first.
    let commented = decided.take_over.as_ref().map(|name| unchecked_entries::comment_out(tools, name));
    let report = match commented {
        Some(Ok(commented)) => Report { config: report.config.then(commented), ..report },
        Some(Err(error)) => {
            let mut remarks = report.remarks;
            remarks.push(format!("your own entry of that name is not commented out: {error}"));
            Report { remarks, ..report }
        }
        None => report,
    };
    let mut outcome = outcome(decided, &report);
    outcome.remarks.extend(what_was_done(decided));
    outcome.vault_problem = keep_password(tools, decided, early).err().map(|problem| problem.to_string());
    kept_secrets::drop_stale_relay_passwords(tools, &decided.change.session);
    let problem = outcome.vault_problem.as_ref();
    outcome.remarks.extend(problem.map(|problem| format!("the password is not kept: {problem}")));
    Ok(outcome)
}

/// What would be written; nothing is.
///
/// # Errors
/// It could not be.
pub async fn foresee(tools: &Tools, decided: &Decided) -> Result<Outcome, Reason> {
    let report = write::preview(tools, &decided.change).await;
    let report = report.map_err(|error| Reason::NotWritable(error.to_string()))?;
    let mut outcome = outcome(decided, &report);
    let why = decided.unreachable.as_ref();
    outcome.remarks.extend(why.map(|why| format!("{} cannot be reached just now: {why}", outcome.name)));
    Ok(outcome)
}

/// Whether plain ssh logs in now; `None` where nothing is to be expected of it or where it would ask the person. The
/// sentence says what it says.
pub async fn try_ssh(
    ssh: &SystemSsh,
    session: &Session,
    access: Option<&Access>,
) -> (Option<bool>, Option<String>) {
    let works = matches!(access, Some(Access::Works | Access::Installed | Access::OwnKey));
    if !works || ssh.asks_person() {
        return (None, None);
    }
    let name = &session.name;
    let said = match ssh.logs_in(name, OWN_SSH).await {
        Ok(OwnLogin::Works) => return (Some(true), None),
        Ok(OwnLogin::Fails(said)) if said.is_empty() => "it says nothing".to_owned(),
        Ok(OwnLogin::Fails(said)) => said,
        Err(error) => error.to_string(),
    };
    let remark = if session.identity_file.is_some() {
        format!("`ssh {name}` does not log in without asking you something: {said}")
    } else {
        format!(
            "the login works, but your own `ssh {name}` does not: {said}; look for an option for every host in your ssh config (the check of this computer names the usual ones)"
        )
    };
    (Some(false), Some(remark))
}

/// The change of both files as one unified diff.
pub fn diff(report: &Report) -> String {
    [&report.known_hosts, &report.config].into_iter().filter(|file| file.changed()).map(file_diff).collect()
}

/// Bytes that are no UTF-8 are shown as replacement characters.
pub fn file_diff(change: &FileChange) -> String {
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let (before, after) = (text(change.before.as_deref()), text(change.after()));
    let name = change.path.display().to_string();
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(2).header(&name, &name).to_string()
}

fn outcome(decided: &Decided, report: &Report) -> Outcome {
    let session = &decided.change.session;
    let file = |change: &FileChange| WrittenFile {
        path: change.path.to_string_lossy().into_owned(),
        changed: change.changed(),
        backup: change.backup.as_ref().map(|path| path.to_string_lossy().into_owned()),
    };
    Outcome {
        name: session.name.clone(),
        link: session.link.kind().to_owned(),
        endpoint: session.link.to_string(),
        user: session.user.to_string(),
        new: decided.change.was.is_none(),
        announced: decided.change.accepted.is_some(),
        reachable: decided.unreachable.is_none(),
        cause: decided.unreachable.clone(),
        vault_problem: None,
        host_key: decided
            .change
            .keys
            .first()
            .map(|(key, trust)| (key.fingerprint().to_string(), trust.word().to_owned())),
        login: login_word(decided.access.as_ref()).to_owned(),
        ssh_works: None,
        remarks: report.remarks.clone(),
        files: vec![file(&report.known_hosts), file(&report.config)],
        diff: diff(report),
    }
}

/// What a person may not expect of it, a sentence each.
fn what_was_done(decided: &Decided) -> impl Iterator<Item = String> {
    let taken_over = decided.take_over.as_ref().map(|name| {
        format!("your own entry `Host {name}` is commented out, and comes back when {name} is forgotten")
    });
    let name = &decided.change.session.name;
    let why = decided.unreachable.as_ref();
    let unreachable = why.map(|why| format!("{name} was added, but cannot be reached just now: {why}"));
    taken_over.into_iter().chain(unreachable)
}

/// For machines.
fn login_word(access: Option<&Access>) -> &'static str {
    match access {
        None | Some(Access::NotTried(_)) => "not-tried",
        Some(Access::Works) => "key-works",
        Some(Access::Installed) => "key-installed",
        Some(Access::OwnKey) => "own-key",
        Some(Access::WrongPassword(_)) => "password-refused",
        Some(Access::Missing | Access::Refused(_)) => "key-missing",
    }
}

/// Keeps a pasted password before the change that makes it right, where that replaces none for the same machine. Whether
/// it did.
fn keep_early(tools: &Tools, decided: &Decided) -> bool {
    let (Some(password), Some((key, _))) = (&decided.password, decided.change.keys.first()) else {
        return false;
    };
    let session = &decided.change.session;
    let there = kept_secrets::password_for(tools, session, std::slice::from_ref(key));
    let free = matches!(there, Ok(Kept::GivenFor(_) | Kept::None));
    free && kept_secrets::keep_password(tools, session, key, password).is_ok()
}

/// Keeps it for what was settled, and lets go of those that were given for anything else.
fn keep_password(tools: &Tools, decided: &Decided, early: bool) -> Result<(), VaultError> {
    let session = &decided.change.session;
    let Some(password) = &decided.password else { return Ok(()) };
    let was = decided.change.was.as_ref();
    let moved = was.is_none_or(|was| (&was.link, &was.user) != (&session.link, &session.user));
    let pinned = || Pins::load(&tools.dirs.pins_file()).ok()?.keys_of(&session.name).into_iter().next();
    let settled = decided.change.keys.first().map(|(key, _)| key.clone());
    let Some(key) = settled.or_else(|| if moved { None } else { pinned() }) else {
        kept_secrets::keep_password_without_key(tools, session, password)?;
        kept_secrets::drop_stale_without_key(tools, session);
        return Ok(());
    };
    if !early {
        kept_secrets::keep_password(tools, session, &key, password)?;
    }
    kept_secrets::drop_stale(tools, session, &key);
    Ok(())
}
