//! What the options alone answer where nobody can be asked, and how each refusal reads.

use std::path::Path;
use std::sync::Arc;

use moorline_core::repoint::adding::matters::{Reason, Remedy};
use moorline_core::ssh::context::Tools;
use moorline_core::ssh::{Prompts, SystemSsh};
use moorline_core::store::dirs::Dirs;
use moorline_core::store::vault::MemoryVault;
use moorline_ssh_files::Fingerprint;

use super::*;
use crate::printer::Printer;
use crate::trust_args::TrustArgs;

/// `moorline add` with some of its options.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command")]
struct Options {
    yes: bool,
    dry_run: bool,
    named: bool,
    trust_first_use: bool,
}

const NONE: Options = Options { yes: false, dry_run: false, named: false, trust_first_use: false };
const YES: Options = Options { yes: true, ..NONE };

/// What is answered without a terminal, or the sentence that ends the command.
fn said(options: Options, question: &Question) -> Result<Answer, String> {
    let home = Path::new("/nowhere");
    let ssh = SystemSsh { program: "ssh".into(), config: None, known_hosts: None, prompts: Prompts::Never };
    let tools =
        Tools { dirs: Dirs::under(home), vault: Box::new(MemoryVault::default()), ssh, askpass: None };
    let adding = Adding {
        tools: &Arc::new(tools),
        // Prints nothing but what is for machines.
        printer: &Printer::new(true),
        yes: options.yes,
        dry_run: options.dry_run,
        diffs: false,
        trust: &TrustArgs { fingerprint: None, trust_first_use: options.trust_first_use },
        named: options.named,
    };
    match answer(&adding, Some(&name()), question, &mut None) {
        Ok(Say::Answer(answer)) => Ok(answer),
        Ok(other) => panic!("no answer: {other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

/// The sentence; it must be one, and name each of these.
fn refuses(options: Options, question: &Question, named: &[&str]) {
    let sentence = said(options, question).expect_err("nobody can be asked");
    assert!(!sentence.contains('\n') && !sentence.ends_with('.'), "{sentence}");
    for part in named {
        assert!(sentence.contains(part), "{part:?} in: {sentence}");
    }
}

fn name() -> Alias {
    "colab".parse().unwrap()
}

fn print(letter: &str) -> Fingerprint {
    format!("SHA256:{}", letter.repeat(43)).parse().unwrap()
}

#[test]
fn where_it_leads_is_said_by_another_text() {
    let asked = |has_password, why: &[&str]| Question::Where {
        has_password,
        why: why.iter().map(ToString::to_string).collect(),
    };
    refuses(YES, &asked(false, &[]), &["where to connect"]);
    refuses(YES, &asked(false, &["that is a log", "and more"]), &["that is a log"]);
    refuses(YES, &asked(true, &["that is a log"]), &["a password", "ssh -p PORT root@HOST"]);
}

#[test]
fn one_of_several_endpoints_is_never_chosen_for_a_person() {
    let asked = Question::WhichEndpoint { found: vec!["h:1".to_owned(), "bore.pub:2".to_owned()] };
    refuses(YES, &asked, &["h:1", "bore.pub:2", "only the newer"]);
}

#[test]
fn a_port_of_this_computer_takes_a_yes() {
    let asked = Question::WhosePort { port: "7423".parse().unwrap(), relays: Vec::new() };
    refuses(NONE, &asked, &["7423", "--yes"]);
    assert!(matches!(said(YES, &asked), Ok(Answer::ThisComputer)));
    let only_looks = Options { dry_run: true, ..NONE };
    assert!(
        matches!(said(only_looks, &asked), Ok(Answer::ThisComputer)),
        "it is noted that it would be asked"
    );
}

#[test]
fn a_name_that_is_taken_is_replaced_by_the_person() {
    let asked = |by| Question::NameTaken { name: name(), by, free: "colab-2".parse().unwrap() };
    let named = |options| Options { named: true, ..options };
    let taken = |answer| matches!(answer, Ok(Answer::TakeName(taken)) if taken == name());
    for loose in [false, true] {
        let entry = asked(Taken::Entry { file: "config".into(), line: 12, loose });
        refuses(named(YES), &entry, &["line 12 of config", "`Host colab`", "`moorline add NAME`"]);
    }
    let others = [
        (asked(Taken::Pattern { file: "config".into(), line: 3 }), "Line 3 of config"),
        (asked(Taken::KnownHost), "known_hosts"),
        (asked(Taken::Session), "colab"),
    ];
    for (other, says) in others {
        refuses(YES, &other, &["moorline add NAME"]);
        refuses(named(NONE), &other, &[says, "--yes"]);
        assert!(taken(said(named(YES), &other)), "{other:?}");
    }
}

#[test]
fn what_was_understood_is_gone_ahead_with_but_for_what_could_surprise() {
    let asked = |name_from_text, moves_from: Option<&str>| {
        Question::GoAhead(Box::new(Summary {
            name: name(),
            name_from_text,
            link: "ngrok".to_owned(),
            endpoint: "0.tcp.ngrok.io:1111".to_owned(),
            user: "root".to_owned(),
            folder: None,
            moves_from: moves_from.map(str::to_owned),
            relay: None,
            has_password: false,
            has_fingerprint: false,
            doubts: Vec::new(),
            diff: String::new(),
        }))
    };
    let goes = |answer| matches!(answer, Ok(Answer::GoAhead { mine_alone: false }));
    assert!(goes(said(NONE, &asked(false, None))));
    refuses(NONE, &asked(true, None), &["calls the runtime colab", "--yes"]);
    refuses(NONE, &asked(false, Some("root@h:1 (direct)")), &["root@h:1", "0.tcp.ngrok.io:1111", "--yes"]);
    assert!(goes(said(YES, &asked(true, Some("root@h:1 (direct)")))));
}

#[test]
fn a_runtime_that_still_answers_is_left_with_a_yes() {
    let asked = |unsure: Option<&str>| Question::StillAnswers {
        at: "h:1".to_owned(),
        to: "h:2".to_owned(),
        unsure: unsure.map(str::to_owned),
    };
    refuses(NONE, &asked(None), &["answers where it is", "h:1", "re-point it to h:2", "--yes"]);
    refuses(NONE, &asked(Some("no network")), &["cannot be told (no network)", "--yes"]);
    assert!(matches!(said(YES, &asked(None)), Ok(Answer::Leave)));
}

#[test]
fn a_key_takes_its_fingerprint_and_never_a_yes() {
    let asked = Question::Key(Box::new(KeyQuestion {
        name: name(),
        endpoint: "h:1".to_owned(),
        kind: "ssh-ed25519".to_owned(),
        seen: print("A"),
        before: Vec::new(),
        line: "!show".to_owned(),
        line_lets_in: false,
        relay_proved_nothing: None,
        last_text: None,
    }));
    let option = format!("--fingerprint {}", print("A"));
    refuses(YES, &asked, &["nobody vouched for", "`!show`", &option, "--trust-first-use"]);
    let first_use = Options { trust_first_use: true, ..NONE };
    assert!(matches!(said(first_use, &asked), Ok(Answer::WithoutComparing(key)) if key == print("A")));
}

#[test]
fn what_can_be_made_good_later_is_added_all_the_same() {
    let login = Question::Login(Box::new(LoginQuestion {
        name: name(),
        user: "root".to_owned(),
        line: "!let in".to_owned(),
        problem: Some("refused".to_owned()),
    }));
    assert!(matches!(said(NONE, &login), Ok(Answer::LoginLater)));
    let relay = Question::RelayLogin { relay: "me@relay".parse().unwrap(), refused: false };
    assert!(matches!(said(NONE, &relay), Ok(Answer::AddAnyway)));
    let unreachable = Question::Unreachable { cause: "nobody answers".to_owned() };
    assert!(matches!(said(NONE, &unreachable), Ok(Answer::AddAnyway)));
}

#[test]
fn every_refusal_is_one_sentence_that_fits_any_face() {
    let text = || "the file is not yours".to_owned();
    let reasons = [
        Reason::Unusable(text()),
        Reason::Announcement(text()),
        Reason::UnknownGoogleRuntime,
        Reason::RelayIsSession("me@relay".parse().unwrap()),
        Reason::RelayNotNeeded("0.tcp.ngrok.io:1111".to_owned()),
        Reason::NoRelay,
        Reason::NotWritable(text()),
        Reason::NotTheNamedKey {
            name: name(),
            endpoint: "h:1".to_owned(),
            seen: print("A"),
            named: print("E").to_string(),
        },
        Reason::KeyChanged(print("A")),
        Reason::Overtaken(text()),
        Reason::Expired,
    ];
    for reason in &reasons {
        // A new one must be put into the list above.
        match reason {
            Reason::Unusable(_)
            | Reason::Announcement(_)
            | Reason::UnknownGoogleRuntime
            | Reason::RelayIsSession(_)
            | Reason::RelayNotNeeded(_)
            | Reason::NoRelay
            | Reason::NotWritable(_)
            | Reason::NotTheNamedKey { .. }
            | Reason::KeyChanged(_)
            | Reason::Overtaken(_)
            | Reason::Expired => {}
        }
        let sentence = reason.to_string();
        assert!(sentence.len() > 10 && sentence.starts_with(char::is_lowercase), "{sentence}");
        assert!(!sentence.contains(['\n', '`']) && !sentence.contains(". "), "one sentence: {sentence}");
        assert!(!sentence.ends_with(['.', ';', '!', '?']), "the face ends it: {sentence}");
        assert!(!sentence.contains("moorline ") && !sentence.contains(" --"), "no command: {sentence}");
        assert!(reason.remedies().contains(&Remedy::PasteAgain), "{sentence}");
    }
}
