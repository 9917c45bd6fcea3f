//! Leading a conversation about a session to its end: what was read is said, questions are answered, the outcome is told.

use std::process::ExitCode;

use anyhow::{anyhow, bail};
use moorline_core::repoint::adding::matters::{Answer, Reason};
use moorline_core::repoint::adding::view::{AddingView, Looking, Outcome, Say, Stage, Understood};
use moorline_core::repoint::adding::{TypedSecret, Wish};
use moorline_model::colab_runtime::EndpointId;
use moorline_model::next_step::NextStep;
use moorline_model::trust::Trust;
use serde_json::json;

use super::adding::Adding;
use super::answering;
use super::conversing::Partner;
use crate::ask::Terminal;
use crate::printer::Waiting;
use crate::steps;

/// What Colab's FAQ says of such use.
const TERMS: &str = "Colab's terms: runtimes of accounts without a positive compute-unit balance may be ended for being used over SSH";

/// A line for the notebook names this computer's login key, which is made for it and stays: "nothing was changed" alone
/// would not be true then.
fn with_key_made(error: &anyhow::Error) -> anyhow::Error {
    anyhow!("{error:#}; only this computer's login key was made, and stays for the next time")
}

/// What a session is made from.
pub enum Given {
    /// What was pasted.
    Text(TypedSecret),
    /// A runtime of one's Google account.
    Runtime(EndpointId),
}

impl Adding<'_> {
    /// Leads the conversation to its end.
    ///
    /// # Errors
    /// It was refused, or somebody said no; nothing was changed but that a login key may have been made.
    pub async fn run(&self, given: Given, wish: Wish) -> anyhow::Result<ExitCode> {
        let mut terminal = Terminal::open(self.printer.is_json());
        let (mut partner, first) = Partner::begin(self.tools, wish, terminal.is_some()).await?;
        let id = first.id.clone();
        let had_key = self.tools.dirs.login_key().exists();
        let led = self.lead(&mut partner, first, given, &mut terminal).await;
        // However it went: what was pasted is not left with the agent.
        partner.end(id).await;
        let made_key = !had_key && self.tools.dirs.login_key().exists();
        self.conclude(&led.map_err(|error| if made_key { with_key_made(&error) } else { error })?);
        Ok(ExitCode::SUCCESS)
    }

    async fn lead(
        &self,
        partner: &mut Partner,
        first: AddingView,
        given: Given,
        terminal: &mut Option<Terminal>,
    ) -> anyhow::Result<Outcome> {
        let say = match given {
            Given::Text(text) => Say::Text(text),
            Given::Runtime(runtime) => Say::Answer(Answer::GoogleRuntime(runtime)),
        };
        let mut view = first;
        // An answer is to a question, and the first one is asked once the files were read.
        while say.is_answer() && matches!(view.stage, Stage::Looks { .. }) {
            view = partner.next(&view).await?;
        }
        view = partner.say(&view, say).await?;
        let mut said = false;
        let mut waiting: Option<(Looking, Waiting)> = None;
        loop {
            if !said && let (Some(read), true) = (&view.read, is_settled(&view.stage)) {
                self.say_what_was_read(&view, read);
                said = true;
            }
            match &view.stage {
                Stage::Looks { at } => {
                    if waiting.as_ref().is_none_or(|(shown, _)| shown != at) {
                        waiting = Some((*at, self.printer.waiting(looking(*at))));
                    }
                    view = partner.next(&view).await?;
                }
                Stage::Asks { question } => {
                    waiting = None;
                    let name = view.draft.as_ref().map(|draft| &draft.name);
                    let answer = answering::answer(self, name, question, terminal)?;
                    view = partner.say(&view, answer).await?;
                }
                Stage::Refuses { sentence, why, .. } => match step(why) {
                    Some(step) => bail!("{sentence} ({}); nothing was changed", steps::command(&step)),
                    None => bail!("{sentence}; nothing was changed"),
                },
                Stage::Done { outcome } => {
                    return Ok(outcome.clone());
                }
            }
        }
    }

    fn say_what_was_read(&self, view: &AddingView, read: &Understood) {
        let mut found = String::from("read: ");
        if let Some(draft) = &view.draft {
            found = format!("{found}{} {}, user {}", draft.link, draft.endpoint, draft.user);
            if let Some(folder) = &draft.folder {
                found = format!("{found}, folder {folder}");
            }
        }
        for (is_there, what) in
            [(read.password, "a password"), (read.fingerprint, "the host key's fingerprint")]
        {
            if is_there {
                found = format!("{found}, {what}");
            }
        }
        self.printer.done(found);
        for remark in read.doubts.iter().chain(&read.notices) {
            self.printer.note(remark);
        }
        if view.draft.as_ref().is_some_and(|draft| draft.link == "colab") {
            self.printer.note(TERMS);
        }
    }

    fn conclude(&self, outcome: &Outcome) {
        let (printer, name) = (self.printer, &outcome.name);
        if self.dry_run {
            printer.diff(&outcome.diff);
            for remark in &outcome.remarks {
                printer.note(remark);
            }
            printer.line("Nothing was changed (--dry-run).");
            printer.json(&json!({ "dry_run": true, "files": files(outcome) }));
            return;
        }
        if outcome.announced {
            printer.done(format!("{name} announced itself at {}", outcome.endpoint));
        }
        if let Some((print, trust)) = &outcome.host_key {
            let learned = serde_json::from_value::<Trust>(json!(trust));
            printer.done(match learned {
                Ok(trust) => format!("host key {print}: {trust}"),
                Err(_) => format!("host key {print}"),
            });
        }
        for file in outcome.files.iter().filter(|file| file.changed) {
            printer.done(format!("wrote {}", file.path));
            if let Some(backup) = &file.backup {
                printer.detail(format!("the file as it was is kept at {backup}"));
            }
        }
        if self.diffs {
            printer.diff(&outcome.diff);
        }
        match outcome.login.as_str() {
            "key-installed" => printer.done("installed the login key with the password"),
            "key-works" => printer.done("the login key works"),
            _ => {}
        }
        for remark in &outcome.remarks {
            printer.note(remark);
        }
        let works = matches!(outcome.login.as_str(), "key-works" | "key-installed" | "own-key");
        if !outcome.reachable {
            printer.line(format!("When it runs: moorline repair {name}"));
        } else if works && outcome.ssh_works != Some(false) {
            printer.heading(format!("Ready: ssh {name}"));
        } else {
            printer.line(format!("Then: ssh {name}"));
        }
        printer.json(&json!({
            "session": name,
            "link": outcome.link,
            "endpoint": outcome.endpoint,
            "user": outcome.user,
            "reachable": outcome.reachable,
            "cause": outcome.cause,
            "host_key": outcome.host_key.as_ref().map(|(print, trust)| json!({
                "fingerprint": print, "trust": trust,
            })),
            "login": outcome.login,
            "ssh_works": outcome.ssh_works,
            "vault_problem": outcome.vault_problem,
            "files": files(outcome),
        }));
    }
}

/// What the person can do on the command line about a refusal whose sentence does not say it.
fn step(why: &Reason) -> Option<NextStep> {
    matches!(why, Reason::UnknownGoogleRuntime).then_some(NextStep::ChooseRuntime)
}

/// Whether it is known where the session would lead, or that it cannot be.
fn is_settled(stage: &Stage) -> bool {
    match stage {
        Stage::Looks { at } => !matches!(at, Looking::Here | Looking::Google),
        Stage::Asks { question } => {
            use moorline_core::repoint::adding::matters::Question::{
                NameTaken, Where, WhichEndpoint, WhosePort,
            };
            !matches!(question, Where { .. } | WhichEndpoint { .. } | WhosePort { .. } | NameTaken { .. })
        }
        Stage::Refuses { .. } => false,
        Stage::Done { .. } => true,
    }
}

fn looking(at: Looking) -> &'static str {
    match at {
        Looking::Here => "looking at your ssh files",
        Looking::Google => "asking Google for your runtimes",
        Looking::OldRuntime => "looking whether the runtime still answers where it is",
        Looking::Runtime => "reaching the runtime",
        Looking::Access => "logging in",
        Looking::Writing => "writing",
        Looking::Ssh => "trying ssh",
    }
}

fn files(outcome: &Outcome) -> serde_json::Value {
    let file = |number: usize| {
        outcome
            .files
            .get(number)
            .map(|file| json!({ "path": file.path, "changed": file.changed, "backup": file.backup }))
    };
    json!({ "known_hosts": file(0), "config": file(1), "remarks": outcome.remarks })
}
