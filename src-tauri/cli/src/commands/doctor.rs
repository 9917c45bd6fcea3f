//! `moorline doctor`: what could be in the way, and what to do about it.

use std::process::ExitCode;
use std::time::SystemTime;

use moorline_core::doctor::{self, Check, Sources, Verdict};
use moorline_core::editors::SearchEnv;
use moorline_core::net::google::Credentials;
use moorline_core::ssh::context::Tools;
use moorline_core::store::pins_json::{self, Pins, SessionPins};
use moorline_core::store::vault::SecretName;
use moorline_model::secret_kind::SecretKind;
use moorline_model::session::{Link, Session};
use moorline_ssh_files::{Alias, config};
use serde_json::{Value, json};

use crate::advice;
use crate::printer::Printer;

/// Runs the command; 1 if something is wrong.
pub fn run(printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    let waiting = printer.waiting("looking around");
    let checks = examine(&tools)?;
    drop(waiting);
    for check in &checks {
        let text = format!("{}: {}", check.title, check.detail);
        match check.verdict {
            Verdict::Ok => printer.done(text),
            Verdict::Advice => printer.note(text),
            Verdict::Problem => printer.problem(text),
        }
        if let Some(next) = &check.next {
            printer.detail(advice::of_doctor(next));
        }
    }
    let problems = checks.iter().filter(|check| check.verdict == Verdict::Problem).count();
    match problems {
        0 => printer.heading("Nothing is in the way."),
        1 => printer.heading("1 problem; what to do stands under it."),
        n => printer.heading(format!("{n} problems; what to do stands under each.")),
    }
    let described: Vec<Value> = checks.iter().map(describe).collect();
    printer.json(&json!({ "problems": problems, "checks": described }));
    Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn describe(check: &Check) -> Value {
    json!({
        "id": check.id,
        "title": check.title,
        "verdict": check.verdict,
        "detail": check.detail,
        "next_step": check.next.as_ref().map(advice::of_doctor),
    })
}

fn examine(tools: &Tools) -> anyhow::Result<Vec<Check>> {
    let sessions = super::sessions(tools)?;
    let names: Vec<Alias> = sessions.sessions().keys().cloned().collect();
    let lacks = |name: &&Alias| sessions.channels(name).lacks_folder();
    let folderless: Vec<Alias> = names.iter().filter(lacks).cloned().collect();
    // Pins that cannot be read are told of elsewhere.
    let pins = Pins::load(&tools.dirs.pins_file()).ok();
    let none = SessionPins::default();
    let pin = |session: &Session| pins.as_ref().and_then(|pins| pins.get(&session.name)).unwrap_or(&none);
    let runs_ours = |session: &Session| pins_json::runs_our_proxy(session, pin(session));
    let proxied = sessions.sessions().values().any(runs_ours);
    let google = sessions.sessions().values().any(|session| matches!(session.link, Link::Colab(_)));
    let proxy_program = tools.dirs.proxy_program();
    let search = SearchEnv::from_process(&tools.dirs.home, false);
    // Any name will do: what matters is whether the keyring answers.
    let keyring = tools.vault.get(&SecretName::account(SecretKind::NgrokApiKey));
    let found = doctor::gather(&Sources {
        home: &tools.dirs.home,
        ssh_dir: &tools.dirs.ssh,
        state_dir: &tools.dirs.state,
        search: &search,
        sessions: &names,
        folderless: &folderless,
        proxy_program: proxied.then_some(proxy_program.as_path()),
        google: google.then(|| sign_in(tools)),
        keyring: keyring.map(drop).map_err(|error| error.to_string()),
        check_config: &|bytes| config::check(bytes).map_err(|error| error.to_string()),
        vars: std::env::vars_os().collect(),
        now: SystemTime::now(),
    });
    Ok(doctor::examine(&found))
}

/// The place of the sign-in that is tried first. Google is not asked.
fn sign_in(tools: &Tools) -> Result<String, String> {
    let all = Credentials::all(&tools.dirs, &*tools.vault).map_err(|error| error.to_string())?;
    Ok(all.first().map(|found| found.place.clone()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use moorline_core::doctor::Next;

    use super::*;

    #[test]
    fn checks_read_well_for_machines() {
        let check = |verdict, next| Check {
            id: "entries",
            title: "Entries of sessions".to_owned(),
            verdict,
            detail: "There are no sessions yet.".to_owned(),
            next,
        };
        let problem = describe(&check(Verdict::Problem, Some(Next::REPAIR)));
        assert_eq!((&problem["id"], &problem["verdict"]), (&json!("entries"), &json!("problem")));
        assert_eq!(problem["next_step"], "moorline repair");
        assert!(describe(&check(Verdict::Ok, None))["next_step"].is_null());
    }
}
