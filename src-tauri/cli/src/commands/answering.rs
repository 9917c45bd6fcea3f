//! The command line's part of a conversation: its options answer some questions, the person at the terminal the others.

use anyhow::bail;
use moorline_core::repoint::adding::TypedSecret;
use moorline_core::repoint::adding::matters::{
    Answer, KeyQuestion, LoginQuestion, NoComparison, Question, Summary, Taken,
};
use moorline_core::repoint::adding::view::Say;
use moorline_model::next_step::NextStep;
use moorline_model::secret_kind::SecretKind;
use moorline_model::session::RelayTarget;
use moorline_ssh_files::Alias;
use zeroize::Zeroizing;

use super::adding::Adding;
use crate::ask::{Terminal, ask_secret, confirm};
use crate::steps;

/// What the person says to a question about the session of this name, once it has one.
///
/// # Errors
/// They say no, or there is nobody to ask: the sentence says which option would answer it.
pub fn answer(
    adding: &Adding<'_>,
    name: Option<&Alias>,
    question: &Question,
    terminal: &mut Option<Terminal>,
) -> anyhow::Result<Say> {
    Ok(Say::Answer(match question {
        Question::Where { has_password, why } => return where_it_leads(*has_password, why, terminal),
        Question::WhichEndpoint { found } => which(found, terminal)?,
        Question::WhosePort { port, .. } => {
            let question = format!(
                "The text names port {port} of 127.0.0.1 and no relay; is that a port on this computer?"
            );
            agreed(adding, &question, terminal)?;
            Answer::ThisComputer
        }
        Question::NameTaken { name, by, .. } => name_taken(adding, name, by, terminal)?,
        Question::GoAhead(summary) => go_ahead(adding, summary, terminal)?,
        Question::StillAnswers { at, to, unsure } => {
            let who = name.map_or("the runtime", Alias::as_str);
            let why = match unsure {
                None => format!("{who} answers where it is ({at})"),
                Some(why) => format!("whether {who} still answers where it is ({at}) cannot be told ({why})"),
            };
            agreed(adding, &format!("{why}; re-point it to {to}?"), terminal)?;
            Answer::Leave
        }
        Question::Key(key) => self::key(adding, key, terminal)?,
        Question::Login(login) => self::login(adding, login, terminal),
        Question::RelayLogin { relay, refused } => {
            relay_login(adding, name, relay, *refused, terminal.is_some())?
        }
        // One that cannot be reached just now is added all the same, and said.
        Question::Unreachable { .. } => Answer::AddAnyway,
    }))
}

/// Where nobody can be asked, it is added all the same: the password can only be stored for a session that is there.
fn relay_login(
    adding: &Adding<'_>,
    name: Option<&Alias>,
    relay: &RelayTarget,
    refused: bool,
    can_ask: bool,
) -> anyhow::Result<Answer> {
    if !can_ask {
        let step = NextStep::StoreSecret { session: name.cloned(), kind: SecretKind::RelayPassword };
        adding.printer.note(format!(
            "{relay} wants a password, which nobody can be asked for here; store it with `{}`, or load your key into an ssh agent",
            steps::command(&step)
        ));
        return Ok(Answer::AddAnyway);
    }
    if refused {
        adding.printer.note(format!("{relay} refused that"));
    }
    let Some(password) = ask_secret(&format!("Password of {relay}:")) else { bail!("nothing was changed") };
    Ok(Answer::RelayPassword(TypedSecret::new(password)))
}

fn agreed(adding: &Adding<'_>, question: &str, terminal: &mut Option<Terminal>) -> anyhow::Result<()> {
    if adding.yes {
        return Ok(());
    }
    if adding.dry_run {
        adding.printer.note(format!("this would be asked: {question}"));
        return Ok(());
    }
    confirm(terminal, question)
}

fn where_it_leads(
    has_password: bool,
    why: &[String],
    terminal: &mut Option<Terminal>,
) -> anyhow::Result<Say> {
    let why = why.first().map_or(
        "nothing in the text says where to connect; paste what the cell printed, or a host and port",
        String::as_str,
    );
    match terminal {
        Some(terminal) if has_password => {
            let question = "There is a password. Now paste the cell itself, or say where it leads (HOST:PORT), then Enter:";
            let text = Zeroizing::new(terminal.ask_lines(question).unwrap_or_default());
            if text.trim().is_empty() {
                bail!("nothing was changed");
            }
            Ok(Say::Text(TypedSecret::from(text.as_str())))
        }
        _ if has_password => bail!(
            "the text holds a password, and nothing says where it leads; give the cell's own text, too, or a line such as `ssh -p PORT root@HOST`"
        ),
        _ => bail!("{why}"),
    }
}

fn which(found: &[String], terminal: &mut Option<Terminal>) -> anyhow::Result<Answer> {
    let Some(terminal) = terminal else {
        bail!("{} endpoints: {}; paste only the newer", found.len(), found.join(", "))
    };
    let listed = found.iter().enumerate().map(|(number, one)| format!("{}  {one}\n", number + 1));
    let question = format!("{}Which one? [1-{}]", listed.collect::<String>(), found.len());
    let answer = terminal.ask_lines(&question).unwrap_or_default();
    match answer.parse::<usize>().ok().and_then(|number| number.checked_sub(1)) {
        Some(number) if number < found.len() => Ok(Answer::Endpoint(number)),
        _ => bail!("{answer:?} is none of the numbers; nothing was changed"),
    }
}

fn name_taken(
    adding: &Adding<'_>,
    name: &Alias,
    by: &Taken,
    terminal: &mut Option<Terminal>,
) -> anyhow::Result<Answer> {
    let named = adding.named;
    match by {
        Taken::Entry { file, line, loose: true } if terminal.is_some() => {
            let question = format!(
                "Line {line} of {} has `Host {name}`, which switches host key checking off; take it over (it is commented out, and `moorline forget {name}` brings it back)?",
                file.display()
            );
            confirm(terminal, &question)?;
            Ok(Answer::TakeOver(name.clone()))
        }
        Taken::Entry { file, line, .. } => bail!(
            "line {line} of {} already has `Host {name}`; choose another name (`moorline add NAME`), or remove that entry first",
            file.display()
        ),
        _ if !named => bail!(
            "the text calls the runtime {name}, which is a machine of yours already; choose a name: moorline add NAME"
        ),
        Taken::Pattern { file, line } => {
            let question = format!(
                "Line {line} of {} means {name} by a pattern; take the name for this runtime?",
                file.display()
            );
            agreed(adding, &question, terminal)?;
            Ok(Answer::TakeName(name.clone()))
        }
        Taken::KnownHost | Taken::Session => {
            let question =
                format!("known_hosts already holds a key under {name}; replace it by this runtime's?");
            agreed(adding, &question, terminal)?;
            Ok(Answer::TakeName(name.clone()))
        }
    }
}

fn go_ahead(
    adding: &Adding<'_>,
    summary: &Summary,
    terminal: &mut Option<Terminal>,
) -> anyhow::Result<Answer> {
    let Summary { name, user, endpoint, link, .. } = summary;
    if summary.name_from_text {
        agreed(adding, &format!("The text calls the runtime {name}; follow it under that name?"), terminal)?;
    }
    if let Some(from) = &summary.moves_from {
        let question = format!("{name} now leads to {from}; re-point it to {user}@{endpoint} ({link})?");
        agreed(adding, &question, terminal)?;
    }
    Ok(Answer::GoAhead { mine_alone: false })
}

fn key(adding: &Adding<'_>, key: &KeyQuestion, terminal: &mut Option<Terminal>) -> anyhow::Result<Answer> {
    let (printer, name, print) = (adding.printer, &key.name, key.seen);
    if let Some(why) = &key.relay_proved_nothing {
        printer.note(format!("the relay does not prove whose port it is: {why}"));
    }
    if adding.trust.trust_first_use {
        printer.note(format!("host key {print}: taken without comparing, as you said"));
        return Ok(Answer::WithoutComparing(print));
    }
    let Some(terminal) = terminal else {
        let before = key.before.iter().map(|old| format!("; pinned is {}", old.fingerprint));
        bail!(
            "{name} shows a host key that nobody vouched for ({print}{}); compare it with what `{}` prints in the notebook, then say --fingerprint {print} (or --trust-first-use to go without comparing); nothing was changed or sent",
            before.collect::<String>(),
            key.line
        );
    };
    match key.last_text {
        Some(NoComparison::NoFingerprint) => bail!("the key was not accepted; nothing was changed or sent"),
        Some(NoComparison::SeenByClient) => {
            printer.note("that is what a client saw, which proves nothing; run the line in the notebook");
        }
        None => {
            printer.heading(format!("{name} shows a key that nobody vouched for."));
            for old in &key.before {
                printer.line(format!("  before  {} ({})", old.fingerprint, old.learned));
            }
            printer.line(format!("  now     {} {print}", key.kind));
            printer.line(
                "A restarted runtime has a new key; so would somebody in between. To compare, run in the notebook:",
            );
            printer.line(format!("  {}", key.line));
            printer.line("The same line at the end of your cell makes its output enough the next time.");
        }
    }
    let question = "Type `yes` if it shows the same, or paste what it printed; anything else stops:";
    let answer = terminal.ask_lines(question).unwrap_or_default();
    if answer.trim().eq_ignore_ascii_case("yes") {
        return Ok(Answer::Approve(print));
    }
    if moorline_paste::compare_answer(&answer).fingerprints.contains(&print) {
        printer.done("it is the same");
    }
    Ok(Answer::Notebook(answer))
}

/// Where somebody sits at the terminal, they may type the password or run the line; else it is added without access, and
/// said.
fn login(adding: &Adding<'_>, login: &LoginQuestion, terminal: &mut Option<Terminal>) -> Answer {
    let (printer, name) = (adding.printer, &login.name);
    if let Some(problem) = &login.problem {
        printer.note(format!("the login key could not be installed: {problem}"));
    }
    printer.note(format!(
        "{name} does not know this computer's login key yet; run this in the notebook, or store the password with `moorline secret set {name}` and repair:"
    ));
    printer.line(format!("  {}", login.line));
    let Some(terminal) = terminal.as_mut().filter(|_| !adding.yes) else { return Answer::LoginLater };
    let question = "Press Enter when it has run, type `password` to type the runtime's, or anything else to do it later:";
    match terminal.ask_lines(question).as_deref().map(str::trim) {
        Some("") => Answer::LineWasRun,
        Some("password") => match ask_secret(&format!("Password of {}:", login.user)) {
            Some(password) => Answer::Password(TypedSecret::new(password)),
            None => Answer::LoginLater,
        },
        _ => Answer::LoginLater,
    }
}

#[cfg(test)]
mod tests;
