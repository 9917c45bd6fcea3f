//! `moorline add`: from pasted text to an alias that works.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use moorline_core::add::{Proposal, Wish, propose};
use moorline_core::claims::claim;
use moorline_core::clock;
use moorline_core::paste::{self, Doubt, Reading};
use moorline_core::reach::ReachError;
use moorline_core::settle::{self, Change};
use moorline_core::tools::Tools;
use moorline_core::trust::{Evidence, Trust};
use moorline_core::vault::{SecretKind, SecretName};
use moorline_ssh_files::{Alias, Fingerprint, HostKey, IdentityFile, Report};
use serde_json::json;

use super::login::{self, Login};
use super::reaching::{Reached, reach};
use super::{announced, key_question};
use crate::advice::with_command;
use crate::args::{AddArgs, TrustArgs};
use crate::ask::{Terminal, confirm};
use crate::printer::Printer;
use crate::{report, text_in};

/// A runtime that does not answer within this is added all the same.
const REACH_LIMIT: Duration = Duration::from_secs(8);

/// Runs the command.
pub fn run(args: &AddArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    let wish = Wish {
        name: args.name.clone(),
        relay: args.relay.clone(),
        mine_alone: args.relay_is_mine_alone,
        user: args.user.clone(),
        folder: args.folder.clone(),
        identity_file: args.identity.as_deref().map(identity_file).transpose()?,
    };
    let adding = Adding {
        tools: &tools,
        printer,
        yes: args.yes,
        dry_run: args.dry_run,
        diffs: false,
        trust: &args.trust,
    };
    let reading = if let Some(runtime) = &args.colab {
        super::colab::choose(&tools, runtime.as_ref(), printer)?
    } else {
        let text = text_in::read(args.from.as_deref(), printer)?;
        if let Some(announced) = announced::find(&tools, &text, args.name.as_ref())? {
            let outcome = super::block_on(announced.follow(&adding, &wish))?;
            if !args.dry_run {
                super::agent::reload(&tools);
            }
            return outcome;
        }
        let mut reading = paste::read(&text);
        super::colab::complete(&tools, &mut reading, printer);
        reading
    };
    let outcome = super::block_on(adding.run(&reading, &wish))?;
    if !args.dry_run {
        super::agent::reload(&tools);
    }
    outcome
}

fn identity_file(path: &Path) -> anyhow::Result<IdentityFile> {
    let whole = std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))?;
    if !whole.is_file() {
        bail!("there is no key at {}; name the private key's file", whole.display());
    }
    Ok(whole.as_path().try_into()?)
}

/// What `add` and `repair --from` share.
pub struct Adding<'a> {
    /// The places, vault and ssh.
    pub tools: &'a Tools,
    /// Where to say things.
    pub printer: &'a Printer,
    /// `--yes`
    pub yes: bool,
    /// `--dry-run`
    pub dry_run: bool,
    /// Show what was written as unified diffs.
    pub diffs: bool,
    /// What vouches for a key.
    pub trust: &'a TrustArgs,
}

impl Adding<'_> {
    /// Proposes, asks, reaches, settles, logs in.
    pub async fn run(&self, reading: &Reading, wish: &Wish) -> anyhow::Result<ExitCode> {
        let Self { tools, printer, .. } = *self;
        let mut terminal = Terminal::open(printer.is_json());
        let dirs = &tools.dirs;
        let claimed = |name: &Alias| claim(&dirs.ssh, &dirs.home, name);
        let mut proposal = propose(reading, wish, &super::sessions(tools)?, claimed)?;
        if let Some(fingerprint) = self.trust.fingerprint {
            proposal.evidence = only(fingerprint, &proposal.evidence)?;
        }
        self.say_what_was_read(reading, &proposal);
        self.confirm(&proposal, &mut terminal)?;

        let session = &proposal.session;
        let moved = proposal.was.as_ref().is_some_and(|was| was.link != session.link);
        let expected = key_question::expected(tools, session, &proposal.evidence, moved)?;
        let (keys, reached) =
            match reach(tools, session, &expected, REACH_LIMIT, terminal.as_ref(), printer).await {
                Ok(reached) => {
                    let answer =
                        key_question::settle_key(self, session, &expected, &reached, &mut terminal).await?;
                    (vec![(answer.key, answer.trust)], Ok(reached))
                }
                Err(error) => (pasted_keys(&proposal, moved || expected.pinned.is_empty()), Err(error)),
            };
        let expected = if keys.is_empty() { proposal.evidence.all_fingerprints() } else { Vec::new() };
        let change = Change {
            was: proposal.was.clone(),
            keys,
            expected,
            password_is_for_it: proposal.password.is_some(),
            ..Change::of(proposal.session.clone(), clock::now())
        };
        if self.dry_run {
            return self.show_only(&change).await;
        }
        let written = settle::settle(tools, &change).await?;
        self.say_what_was_written(&written);
        let login = match &reached {
            Ok(Reached { ssh, .. }) => {
                login::ensure(tools, ssh, &change.session, proposal.password.as_ref(), printer).await?
            }
            Err(_) => Login::NotTried,
        };
        // One that was refused replaces none that may be right.
        let vault_problem =
            if login == Login::PasswordRefused { None } else { self.keep_password(&proposal) };
        let ssh_works = match &reached {
            Ok(Reached { ssh, .. }) => login::ssh_agrees(ssh, &change.session, login, printer).await,
            Err(_) => None,
        };
        let standing = (login, ssh_works);
        self.conclude(&change, &written, reached.as_ref().err(), standing, vault_problem.as_deref());
        Ok(ExitCode::SUCCESS)
    }

    fn say_what_was_read(&self, reading: &Reading, proposal: &Proposal) {
        let session = &proposal.session;
        let mut found = format!("read: {} {}, user {}", session.link.kind(), session.link, session.user);
        if let Some(folder) = &session.folder {
            found = format!("{found}, folder {folder}");
        }
        for (is_there, what) in [
            (reading.password.is_some(), "a password"),
            (proposal.evidence.names_a_key(), "the host key's fingerprint"),
        ] {
            if is_there {
                found = format!("{found}, {what}");
            }
        }
        self.printer.done(found);
        // Which machine holds the port is answered by the session, or asked about.
        for doubt in reading.doubts.iter().filter(|doubt| !matches!(doubt, Doubt::WhichRelay { .. })) {
            self.printer.note(doubt);
        }
        for notice in &reading.notices {
            self.printer.note(notice);
        }
    }

    /// The files that were written, with their diffs where they were asked for.
    pub fn say_what_was_written(&self, written: &Report) {
        report::print(written, self.printer);
        if self.diffs {
            report::print_diffs(written, self.printer);
        }
    }

    fn confirm(&self, proposal: &Proposal, terminal: &mut Option<Terminal>) -> anyhow::Result<()> {
        if self.yes || self.dry_run {
            return Ok(());
        }
        for question in &proposal.questions {
            confirm(terminal, question)?;
        }
        Ok(())
    }

    async fn show_only(&self, change: &Change) -> anyhow::Result<ExitCode> {
        let preview = settle::preview(self.tools, change).await?;
        report::print_preview(&preview, self.printer);
        self.printer.json(&json!({ "dry_run": true, "files": report::to_json(&preview) }));
        Ok(ExitCode::SUCCESS)
    }

    /// Puts a pasted password into the vault; the sentence says why it could not.
    fn keep_password(&self, proposal: &Proposal) -> Option<String> {
        let password = proposal.password.as_ref()?;
        let name = SecretName { session: Some(proposal.session.name.clone()), kind: SecretKind::Password };
        let problem = self.tools.vault.set(&name, password).err()?.to_string();
        self.printer.note(format!("the password is not kept: {problem}"));
        Some(problem)
    }

    fn conclude(
        &self,
        change: &Change,
        written: &Report,
        unreachable: Option<&ReachError>,
        (login, ssh_works): (Login, Option<bool>),
        vault_problem: Option<&str>,
    ) {
        let name = &change.session.name;
        if let Some(error) = unreachable {
            let why = format!("{name} was added, but cannot be reached just now: {error}");
            self.printer.note(with_command(why, error.next_step().map(|step| step.of(name))));
            self.printer.line(format!("When it runs: moorline repair {name}"));
        } else if login.works() && ssh_works != Some(false) {
            self.printer.heading(format!("Ready: ssh {name}"));
        } else {
            self.printer.line(format!("Then: ssh {name}"));
        }
        self.printer.json(&json!({
            "session": name,
            "link": change.session.link.kind(),
            "endpoint": change.session.link.to_string(),
            "user": change.session.user,
            "reachable": unreachable.is_none(),
            "cause": unreachable.map(ToString::to_string),
            "host_key": change.keys.first().map(|(key, trust)| json!({
                "fingerprint": key.fingerprint(), "trust": trust,
            })),
            "login": login.word(),
            "ssh_works": ssh_works,
            "vault_problem": vault_problem,
            "files": report::to_json(written),
        }));
    }
}

/// A whole key line in the text can be pinned without reaching anything: a wrong one only means that ssh refuses. It
/// replaces no key that is pinned for the same address: an older text would break an alias that works.
fn pasted_keys(proposal: &Proposal, nothing_to_lose: bool) -> Vec<(HostKey, Trust)> {
    let keys = proposal.evidence.keys.iter().filter(|_| nothing_to_lose);
    keys.map(|key| (key.clone(), Trust::Pasted)).collect()
}

/// `--fingerprint` means exactly that key; a text that names another one contradicts it.
fn only(fingerprint: Fingerprint, text: &Evidence) -> anyhow::Result<Evidence> {
    let keys: Vec<HostKey> =
        text.keys.iter().filter(|key| key.fingerprint() == fingerprint).cloned().collect();
    let agrees = !text.names_a_key() || !keys.is_empty() || text.fingerprints.contains(&fingerprint);
    if !agrees {
        bail!(
            "the text names another host key than --fingerprint {fingerprint}; nothing was changed: find out which one is the runtime's"
        );
    }
    Ok(Evidence { keys, fingerprints: vec![fingerprint], ..Evidence::default() })
}
