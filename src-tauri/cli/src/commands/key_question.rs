//! The compare view of the command line: what to do with the key that answers.

use std::time::Duration;

use anyhow::bail;
use moorline_core::ssh::context::Tools;
use moorline_core::ssh::reach::{Expected, named_key, route};
use moorline_core::store::pins_json::{Pins, SessionPins};
use moorline_model::session::Session;
use moorline_model::trust::{Evidence, Trust, Verdict, channel_may_replace, judge};
use moorline_ssh_files::HostKey;

use super::adding::Adding;
use super::reaching::{Reached, patient};
use crate::ask::Terminal;

/// What to run in the notebook to see the runtime's own fingerprints.
const HOW_TO_COMPARE: &str = "!for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done";

/// For asking the runtime for its other keys.
const LIMIT: Duration = Duration::from_secs(15);

/// A key to pin, and why.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Exactly the key that was shown.
    pub key: HostKey,
    /// How it was vouched for.
    pub trust: Trust,
}

/// What the key that answers is held against: what the person named now or, failing that, when the runtime could not
/// be reached; and what is pinned.
///
/// With `moved`, the session is on its way to another address, of which nothing was expected.
pub fn expected(tools: &Tools, session: &Session, named: &Evidence, moved: bool) -> anyhow::Result<Expected> {
    let pins = Pins::load(&tools.dirs.pins_file())?;
    let mut expected = Expected { named: named.clone(), pinned: Vec::new() };
    if let Some(pins) = pins.get(&session.name) {
        expected.pinned = pins.keys.iter().map(|pinned| pinned.key.clone()).collect();
        if !named.names_a_key() && !moved {
            expected.named.fingerprints.extend(pins.expected.iter().copied());
        }
    }
    Ok(expected)
}

/// Decides about the key that answers, asking the person where the rules demand it.
///
/// # Errors
/// The key is not accepted: nothing may be changed or sent.
pub async fn settle_key(
    adding: &Adding<'_>,
    session: &Session,
    expected: &Expected,
    reached: &Reached,
    terminal: &mut Option<Terminal>,
) -> anyhow::Result<Answer> {
    let (printer, seen) = (adding.printer, &reached.seen);
    let pins = Pins::load(&adding.tools.dirs.pins_file())?;
    let none = SessionPins::default();
    let pinned = pins.get(&session.name).unwrap_or(&none);
    let channel = seen.channel && channel_may_replace(pinned.keys.iter().map(|pinned| pinned.trust));
    let evidence = Evidence { channel, ..expected.named.clone() };
    if let Some(why) = &seen.channel_failed {
        printer.note(format!("the relay does not prove whose port it is: {why}"));
    }
    let print = seen.key.fingerprint();
    match judge(&seen.key, &expected.pinned, &evidence) {
        Verdict::Known => {
            printer.done(format!("the pinned key answers: {print}"));
            // Pinning it once more records the endpoint that it was seen at.
            let trust =
                pinned.keys.iter().find(|old| old.key == seen.key).map_or(Trust::FirstUse, |old| old.trust);
            Ok(Answer { key: seen.key.clone(), trust })
        }
        Verdict::Accept(trust) => {
            printer.done(format!("host key {print}: {trust}"));
            Ok(Answer { key: seen.key.clone(), trust })
        }
        Verdict::Contradicted => bail!(
            "{} at {} shows {print}, but you named {}; nothing was changed or sent: it is another machine, or an older text",
            session.name,
            session.link,
            fingerprints(&evidence)
        ),
        Verdict::Ask if adding.trust.trust_first_use => {
            printer.note(format!("host key {print}: taken without comparing, as you said"));
            Ok(Answer { key: seen.key.clone(), trust: Trust::FirstUse })
        }
        Verdict::Ask => ask(adding, session, reached, pinned, terminal).await,
    }
}

fn fingerprints(evidence: &Evidence) -> String {
    let of_keys = evidence.keys.iter().map(HostKey::fingerprint);
    let all: Vec<String> =
        evidence.fingerprints.iter().copied().chain(of_keys).map(|f| f.to_string()).collect();
    all.join(" or ")
}

async fn ask(
    adding: &Adding<'_>,
    session: &Session,
    reached: &Reached,
    pinned: &SessionPins,
    terminal: &mut Option<Terminal>,
) -> anyhow::Result<Answer> {
    let (printer, seen) = (adding.printer, &reached.seen);
    let (name, print) = (&session.name, seen.key.fingerprint());
    let Some(terminal) = terminal else {
        let pinned = pinned.keys.iter().map(|old| format!("; pinned is {}", old.key.fingerprint()));
        let pinned = pinned.collect::<String>();
        bail!(
            "{name} shows a host key that nobody vouched for ({print}{pinned}); compare it with what `{HOW_TO_COMPARE}` prints in the notebook, then say --fingerprint {print} (or --trust-first-use to go without comparing); nothing was changed or sent"
        );
    };
    printer.heading(format!("{name} shows a key that nobody vouched for."));
    for old in &pinned.keys {
        let (kind, print) = (old.key.algorithm().as_str(), old.key.fingerprint());
        printer.line(format!("  before  {kind} {print} ({}, {})", old.trust, old.learned));
    }
    printer.line(format!("  now     {} {print}", seen.key.algorithm().as_str()));
    printer.line(
        "A restarted runtime has a new key; so would somebody in between. To compare, run in the notebook:",
    );
    printer.line(format!("  {HOW_TO_COMPARE}"));
    let question = "Type `yes` if it shows the same, or paste what it printed; anything else stops:";
    let answer = terminal.ask_lines(question).unwrap_or_default();
    if answer.trim().eq_ignore_ascii_case("yes") {
        return Ok(Answer { key: seen.key.clone(), trust: Trust::Approved });
    }
    let told = moorline_paste::compare_answer(&answer).fingerprints;
    if told.contains(&print) {
        printer.done("it is the same");
        return Ok(Answer { key: seen.key.clone(), trust: Trust::Pasted });
    }
    if told.is_empty() {
        bail!("the key was not accepted; nothing was changed or sent");
    }
    let named = Evidence { fingerprints: told, ..Evidence::default() };
    let route = route(adding.tools, &reached.ssh, session)?;
    let limit = patient(LIMIT, &reached.ssh);
    if let Some(key) = named_key(&route, &named, seen.key.algorithm(), limit).await {
        printer
            .done(format!("the runtime also holds the key that the notebook shows: {}", key.fingerprint()));
        return Ok(Answer { key, trust: Trust::Pasted });
    }
    bail!(
        "the notebook's key is another one than the key that answers at {}; nothing was changed or sent: the endpoint leads elsewhere",
        session.link
    )
}
