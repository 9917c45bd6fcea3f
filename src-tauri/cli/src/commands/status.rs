//! `moorline status`: the sessions and what is known of them.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use moorline_core::agent::wording;
use moorline_core::ssh::context::Tools;
use moorline_core::ssh::reach::{Expected, reach, relay_ssh};
use moorline_core::store::pins_json::{Pins, SessionPins};
use moorline_model::channel_settings::ChannelKind;
use moorline_model::session::{Link, Session};
use moorline_ssh_files::{Alias, HostKey};
use serde_json::{Value, json};

use crate::advice::with_command;
use crate::printer::Printer;

const LIMIT: Duration = Duration::from_secs(8);

/// `moorline status`
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Only this session.
    pub name: Option<Alias>,
    /// Knock at each endpoint, and say what answers.
    #[arg(long)]
    pub check: bool,
}

/// Runs the command.
pub fn run(args: &StatusArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    let file = super::sessions(&tools)?;
    let chosen: Vec<Session> = match &args.name {
        Some(name) => vec![super::session(&tools, Some(name))?],
        None => file.sessions().values().cloned().collect(),
    };
    let pins = Pins::load(&tools.dirs.pins_file())?;
    if let Some(remark) = pins.remark() {
        printer.note(remark);
    }
    if chosen.is_empty() {
        printer.line("No sessions yet. Run `moorline add` and paste what your notebook's cell printed,");
        printer.line("or see how it works without a runtime: moorline demo");
    }
    let snapshot = super::agent::snapshot(&tools, printer)?;
    let mut all = Vec::new();
    let mut healthy = true;
    for session in &chosen {
        let none = SessionPins::default();
        let pin = pins.get(&session.name).unwrap_or(&none);
        show(session, pin, printer);
        let mut entry = describe(session, pin);
        if file.channels(&session.name).lacks_folder() {
            let name = &session.name;
            printer.note(format!(
                "its folder channel is not there, since nobody said which folder; say it with moorline cell {name} --folder PATH --runtime-folder PATH"
            ));
            entry["missing_channels"] = json!([ChannelKind::Folder]);
        }
        let seen = snapshot.iter().flat_map(|all| &all.sessions).find(|seen| seen.name == session.name);
        if let Some(seen) = seen {
            let vitals = wording::vitals(seen).map(|vitals| format!(" · {vitals}")).unwrap_or_default();
            printer.line(format!("  {:<9} {}{vitals}", "health", seen.state));
            entry["state"] = json!(seen.state);
            if seen.rival.is_some() {
                let name = &session.name;
                printer.note(format!("{}; to follow it: moorline repair {name} --take-over", wording::RIVAL));
            }
            entry["rival"] = json!(seen.rival);
            entry["health"] = json!(seen.health);
            entry["vitals"] = json!(seen.vitals);
        } else if session.link.leads_nowhere() {
            printer.line(format!("  {:<9} {}", "health", wording::NO_RUNTIME_YET));
            entry["state"] = json!(wording::NO_RUNTIME_YET);
        }
        if args.check {
            let answer = check(&tools, session, pin, printer)?;
            healthy &= answer.good;
            if let Some(left) = matches!(session.link, Link::Ngrok(_))
                .then(|| super::ngrok::left_behind(&tools, session))
                .flatten()
            {
                printer.note(&left);
                entry["ngrok"] = json!(left);
            }
            entry["check"] = json!({ "answers": answer.good, "detail": answer.detail });
        }
        all.push(entry);
    }
    printer.json(&json!({ "sessions": all, "agent": snapshot.is_some() }));
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(session: &Session, pin: &SessionPins, printer: &Printer) {
    printer.heading(&session.name);
    let mut rows = vec![
        ("link", format!("{} {}", session.link.kind(), session.link)),
        ("user", session.user.to_string()),
    ];
    rows.extend(session.folder.iter().map(|folder| ("folder", folder.to_string())));
    for pinned in &pin.keys {
        let print = pinned.key.fingerprint();
        rows.push((
            "host key",
            format!("{} {print} ({}, {})", pinned.key.algorithm().as_str(), pinned.trust, pinned.learned),
        ));
    }
    if pin.keys.is_empty() {
        rows.push(("host key", format!("none yet; `moorline repair {}` fetches it", session.name)));
    }
    for (label, value) in rows {
        printer.line(format!("  {label:<9} {value}"));
    }
}

fn describe(session: &Session, pin: &SessionPins) -> Value {
    let keys: Vec<Value> = pin
        .keys
        .iter()
        .map(|pinned| {
            json!({
                "type": pinned.key.algorithm().as_str(),
                "fingerprint": pinned.key.fingerprint(),
                "trust": pinned.trust,
                "learned": pinned.learned.to_string(),
            })
        })
        .collect();
    json!({
        "name": session.name,
        "link": session.link.kind(),
        "endpoint": session.link.to_string(),
        "user": session.user,
        "folder": session.folder.as_ref().map(ToString::to_string),
        "host_keys": keys,
    })
}

struct Check {
    good: bool,
    detail: String,
}

fn check(tools: &Tools, session: &Session, pin: &SessionPins, printer: &Printer) -> anyhow::Result<Check> {
    if session.link.leads_nowhere() {
        return Ok(Check { good: false, detail: wording::NO_RUNTIME_YET.to_owned() });
    }
    let waiting = printer.waiting(format!("knocking at {}", session.link));
    let pinned = pin.keys.iter().map(|pinned| pinned.key.clone()).collect();
    let expected = Expected { pinned, ..Expected::default() };
    let ssh = relay_ssh(tools, session);
    let seen = super::block_on(reach(tools, &ssh, session, &expected, LIMIT))?;
    drop(waiting);
    let known = |key: &HostKey| pin.holds(key);
    let check = match seen {
        Ok(seen) if known(&seen.key) => Check { good: true, detail: "the pinned key answers".to_owned() },
        Ok(seen) => Check {
            good: false,
            detail: format!(
                "a key answers that is not pinned ({}); run `moorline repair {}`",
                seen.key.fingerprint(),
                session.name
            ),
        },
        Err(error) => {
            let step = error.next_step().map(|step| step.of(&session.name));
            Check { good: false, detail: with_command(error, step) }
        }
    };
    let text = format!("  {:<9} {}", "now", check.detail);
    if check.good {
        printer.line(text);
    } else {
        printer.problem(text.trim_start());
    }
    Ok(check)
}
