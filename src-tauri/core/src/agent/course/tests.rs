//! Every transition from every phase.

use moorline_model::announcement::{Accepted, RuntimeId};
use moorline_model::session::Link;
use moorline_ssh_files::Place;

use super::*;
use crate::agent::phase::KeyQuestion::{Approved, Over, Waits, Writing};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn key(n: u8) -> HostKey {
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend([n; 32]);
    HostKey::from_blob(&blob).unwrap()
}

fn adoption() -> Adoption {
    let place = Place { host: "h".parse().unwrap(), port: "1".parse().unwrap() };
    let accepted = Accepted {
        kid: "AAAAAAAAAAAA".parse().unwrap(),
        runtime: RuntimeId::of([1; 16]),
        born: NOW,
        seq: 1,
        at: NOW,
    };
    let (name, user) = ("colab".parse().unwrap(), "root".parse().unwrap());
    Adoption { name, link: Link::Direct(place), user, keys: Vec::new(), accepted }
}

/// A phase in one word.
fn word(phase: &Phase) -> &'static str {
    match phase {
        Phase::Waiting { found: None } => "waiting",
        Phase::Waiting { found: Some(_) } => "found",
        Phase::Paused => "paused",
        Phase::Connecting => "connecting",
        Phase::Online { .. } => "online",
        Phase::Suspect { pinning: None, .. } => "suspect",
        Phase::Suspect { pinning: Some(_), .. } => "pinning",
        Phase::Down { cause: Cause::Ended, .. } => "ended",
        Phase::Down { tell_at: Some(_), .. } => "dropped",
        Phase::Down { .. } => "down",
        Phase::NewHostKey { question: Waits, .. } => "waits",
        Phase::NewHostKey { question: Approved, .. } => "approved",
        Phase::NewHostKey { question: Writing, .. } => "writing",
        Phase::NewHostKey { question: Over, .. } => "over",
        Phase::AuthFailed { .. } => "refused",
    }
}

fn phases() -> Vec<Phase> {
    let since = at(-100);
    let suspect = |pinning| Phase::Suspect { since, tell_at: Some(at(9)), pinning };
    let down = |cause, tell_at| Phase::Down { since, cause, tell_at };
    let question = |question| Phase::NewHostKey { since, key: key(1), question };
    vec![
        Phase::Waiting { found: None },
        Phase::Paused,
        Phase::Connecting,
        Phase::Online { since, vitals: Some(Vitals::default()) },
        suspect(None),
        suspect(Some(key(1))),
        down(Cause::TunnelDown, None),
        down(Cause::TunnelDown, Some(at(9))),
        down(Cause::Ended, None),
        question(Waits),
        question(Approved),
        question(Writing),
        question(Over),
        Phase::AuthFailed { since },
    ]
}

type Step = (&'static str, fn(&mut Course), [&'static str; 14]);

/// What each transition makes of each phase, in the order of [`phases`]; a dot stands for no change.
const TABLE: &[Step] = &[
    (
        "from",
        |_| (),
        [
            "waiting",
            "paused",
            "connecting",
            "online",
            "suspect",
            "pinning",
            "down",
            "dropped",
            "ended",
            "waits",
            "approved",
            "writing",
            "over",
            "refused",
        ],
    ),
    ("pause", Course::pause, ["paused"; 14]),
    (
        "resume",
        |course| {
            let _ = course.resume();
        },
        [".", "waiting", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", "."],
    ),
    ("wait", Course::wait, but_paused("waiting")),
    (
        "find_nothing",
        |course| {
            let _ = course.find_nothing(&Cause::TunnelDown);
        },
        ["found", ".", "found", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", "."],
    ),
    ("dial", Course::dial, ["connecting", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", ".", "."]),
    (
        "connect",
        |course| {
            let _ = course.connect(NOW);
        },
        but_paused("online"),
    ),
    (
        "lose",
        |course| course.lose(NOW),
        [
            "suspect", ".", "suspect", "suspect", "suspect", "pinning", "suspect", "suspect", "suspect",
            "suspect", "suspect", "pinning", "suspect", "suspect",
        ],
    ),
    (
        "doubt",
        |course| course.doubt(NOW),
        [
            "suspect", ".", "suspect", "suspect", "suspect", "pinning", "suspect", "suspect", "suspect",
            "suspect", "suspect", "pinning", "suspect", "suspect",
        ],
    ),
    ("vouch", |course| course.vouch(key(2), Return::new(None, NOW), NOW), but_paused("pinning")),
    (
        "ask",
        |course| {
            let _ = course.ask(key(2), NOW);
        },
        but_paused("waits"),
    ),
    (
        "approve",
        |course| {
            let _ = course.approve(key(1).fingerprint());
        },
        [".", ".", ".", ".", ".", ".", ".", ".", ".", "approved", "approved", ".", ".", "."],
    ),
    (
        "approve another",
        |course| {
            let _ = course.approve(key(2).fingerprint());
        },
        [".", ".", ".", ".", ".", ".", ".", ".", ".", "waits", "waits", ".", ".", "."],
    ),
    (
        "write_approved",
        |course| course.write_approved(Return::new(None, NOW)),
        [".", ".", ".", ".", ".", ".", ".", ".", ".", "writing", ".", ".", ".", "."],
    ),
    (
        "pinned",
        |course| drop(course.pinned()),
        [".", ".", ".", ".", ".", "suspect", ".", ".", ".", ".", ".", "over", ".", "."],
    ),
    (
        "question_over",
        Course::question_over,
        [".", ".", ".", ".", ".", "suspect", ".", ".", ".", "over", "over", "over", "over", "."],
    ),
    (
        "fail",
        |course| {
            let _ = course.fail(Cause::NoServer, true, at(1), NOW);
        },
        [
            "dropped", ".", "dropped", "dropped", "dropped", "dropped", "dropped", "dropped", "dropped",
            "dropped", "dropped", "dropped", "dropped", "dropped",
        ],
    ),
    (
        "fail untellably",
        |course| {
            let _ = course.fail(Cause::LocalOffline, true, at(1), NOW);
        },
        but_paused("down"),
    ),
    ("end", Course::end, [".", ".", ".", ".", ".", ".", "ended", "ended", "ended", ".", ".", ".", ".", "."]),
    ("need_login", |course| course.need_login(NOW), but_paused("refused")),
    ("read", |course| course.read(Vitals::default()), ["."; 14]),
    (
        "refuse_login",
        Course::refuse_login,
        [".", ".", ".", ".", ".", ".", ".", "down", ".", ".", ".", ".", ".", "."],
    ),
    (
        "drop_told",
        Course::drop_told,
        [".", ".", ".", ".", ".", ".", ".", "down", ".", ".", ".", ".", ".", "."],
    ),
    ("return_late", |course| course.return_late(None, NOW), ["."; 14]),
    (
        "adopt",
        |course| course.adopt(adoption(), Return::new(None, NOW)),
        [".", ".", ".", ".", ".", ".", ".", "down", ".", ".", ".", ".", ".", "."],
    ),
    ("adopted", |course| drop(course.adopted()), ["."; 14]),
];

const fn but_paused(all: &'static str) -> [&'static str; 14] {
    let mut row = [all; 14];
    row[1] = ".";
    row
}

#[test]
fn each_transition_leads_where_the_table_says_and_nowhere_else() {
    for (name, transition, row) in TABLE {
        for (phase, expected) in phases().into_iter().zip(row) {
            let before = Course { phase, was_online: true, ..Course::default() };
            let mut course = before.clone();
            transition(&mut course);
            let from = word(&before.phase);
            let expected = if *expected == "." { from } else { expected };
            assert_eq!(word(&course.phase), expected, "{name} from {from}");
            if before.is_paused() && course.is_paused() && *name != "pause" {
                assert_eq!(course, before, "{name}: what is paused stays as it is");
            }
            let outage = |course: &Course| course.phase.since(NOW);
            if *name != "lose" && outage(&course) != NOW {
                assert_eq!(
                    outage(&course),
                    outage(&before),
                    "{name} from {from}: an outage began when it began"
                );
            }
        }
    }
}

#[test]
fn a_return_lasts_only_where_the_files_or_the_connection_are_on_their_way() {
    let keeps = |transition: fn(&mut Course), adopting: bool| {
        let mut course = Course { returning: Some(Return::new(None, NOW)), ..Course::default() };
        course.phase = Phase::Suspect { since: NOW, tell_at: None, pinning: Some(key(1)) };
        course.adopting = adopting.then(adoption);
        transition(&mut course);
        course.is_returning()
    };
    let lose: fn(&mut Course) = |course| course.lose(NOW);
    let fail: fn(&mut Course) = |course| {
        let _ = course.fail(Cause::NoServer, true, at(1), NOW);
    };
    for transition in [lose, fail] {
        assert!(!keeps(transition, false));
        assert!(keeps(transition, true), "the way that breaks is the one that is left");
    }
    let never: [fn(&mut Course); 3] = [
        Course::pause,
        |course| {
            let _ = course.ask(key(2), NOW);
        },
        |course| course.need_login(NOW),
    ];
    assert!(never.into_iter().all(|transition| !keeps(transition, true)));
    assert!(keeps(Course::refuse_login, false), "it goes on once the login works");
    assert!(keeps(
        |course| {
            let _ = course.connect(NOW);
        },
        false
    ));
}

#[test]
fn only_the_key_that_is_written_is_pinned() {
    let mut course = Course::default();
    course.vouch(key(1), Return::new(None, NOW), NOW);
    assert_eq!(course.ask(key(2), NOW), None);
    // The files of the first key are written, and another one is being asked about.
    course.adopt(adoption(), Return::new(None, NOW));
    assert_eq!(course.pinned(), None, "nobody approved it");
    assert_eq!(course.approve(key(3).fingerprint()), Approval::Another(key(2).fingerprint()));
    assert_eq!(course.approve(key(2).fingerprint()), Approval::Same);
    assert_eq!(course.pinned(), None, "nor is it known yet whether it still shows");
    assert_eq!(course.ask(key(2), NOW), Some(key(2).fingerprint()));
    course.write_approved(Return::new(None, NOW));
    assert_eq!(course.pinned(), Some(key(2)));
    assert_eq!(course.approve(key(2).fingerprint()), Approval::Nothing);
}

#[test]
fn a_drop_is_told_of_what_was_online_and_once() {
    let fail = |course: &mut Course, untold| course.fail(Cause::NoServer, untold, at(5), NOW);
    let mut course = Course::default();
    fail(&mut course, true);
    assert_eq!(course.phase.tell_at(), None, "it never was online");
    course.connect(NOW);
    fail(&mut course, false);
    assert_eq!(course.phase.tell_at(), None, "it is told already");
    fail(&mut course, true);
    course.fail(Cause::TunnelDown, true, at(8), NOW);
    assert_eq!(course.phase.tell_at(), Some(at(5)), "another cause is no new drop");
    course.fail(Cause::LocalOffline, true, at(8), NOW);
    assert_eq!(course.phase.tell_at(), None, "nobody can know");
    course.ask(key(1), NOW);
    course.approve(key(1).fingerprint());
    assert!(fail(&mut course, true), "the approval had no answer");
    assert!(!fail(&mut course, true), "which is said once");
}
