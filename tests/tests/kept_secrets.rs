//! A kept password reaches nobody but the one it was given for, whatever is done, killed or refused in between.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test stops at what it did not expect")]

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use moorline_tests::recording::{Offer, Recorder};
use moorline_tests::{Announcer, Desktop, Outcome, Recording, Stage};
use serde_json::{Value, json};

/// How many random sequences are played where `MOORLINE_SEQUENCES` names no other number.
const SEQUENCES: u64 = 20;

/// How many steps a sequence has.
const STEPS: usize = 8;

/// The calls at which a command may be killed, and the highest number of the call.
const DEADLY: [(&str, u64); 6] =
    [("rename", 6), ("fsync", 8), ("write", 12), ("sendmsg", 12), ("unlink", 4), ("openat", 90)];

const ADD: [&str; 5] = ["add", "colab", "--from", "-", "--yes"];

fn offered(recording: &mut Recording, port: u16) -> Vec<String> {
    let here = |offer: &Offer| offer.port == port;
    recording.offers().into_iter().filter(here).map(|offer| offer.password).collect()
}

fn paste(stage: &Stage, at: &Recorder, password: &str) -> Outcome {
    stage.hide(password);
    let text = format!("ssh -p {} root@127.0.0.1\npassword: {password}\n", at.port);
    stage.moorline_reads(&[&ADD[..], &["--fingerprint", &at.print]].concat(), &text)
}

#[test]
fn a_password_follows_to_a_new_key_only_where_the_person_compared_it() {
    let stage = Stage::new();
    let _desktop = Desktop::start(&stage);
    let mut recording = Recording::start(&stage);
    let first = recording.open();
    let password = "right-for-the-first-machine";
    paste(&stage, &first, password).works("it is added");
    assert_eq!(offered(&mut recording, first.port), [password], "it is pasted for that");
    stage.moorline(&["repair", "colab"]).works("the pinned key answers");
    assert_eq!(offered(&mut recording, first.port).len(), 2, "the kept one is offered to the same machine");

    let second = recording.replace(first.port);
    let blindly = stage.moorline(&["repair", "colab", "--trust-first-use"]).works("the key is taken");
    blindly.says("was given for direct 127.0.0.1").says(&first.print);
    assert_eq!(offered(&mut recording, first.port).len(), 2, "another machine, which nobody compared");

    let third = recording.replace(first.port);
    paste(&stage, &third, "right-for-the-third-machine").works("the person pastes anew");
    let fourth = recording.replace(first.port);
    let arguments = ["repair", "colab", "--fingerprint", &fourth.print];
    stage.moorline(&arguments).works("the person compared it");
    let taken = recording.offers().pop().expect("some were offered");
    assert_eq!((&taken.print, &*taken.password), (&fourth.print, "right-for-the-third-machine"));
    assert!(recording.offers().iter().all(|offer| offer.print != second.print), "nothing went to the second");
}

#[test]
fn a_password_that_was_given_early_waits_for_a_key_of_its_own_address() {
    let stage = Stage::new();
    let _desktop = Desktop::start(&stage);
    let mut recording = Recording::start(&stage);
    let (here, there) = (recording.open(), recording.open());
    recording.close(here.port);
    let password = "right-but-early-by-a-minute";
    stage.hide(password);
    let text = format!("ssh -p {} root@127.0.0.1\npassword: {password}\n", here.port);
    stage.moorline_reads(&ADD, &text).works("it is added unseen");
    let elsewhere = format!("ssh -p {} root@127.0.0.1\n", there.port);
    let arguments = [&ADD[..], &["--fingerprint", &there.print]].concat();
    let moved = stage.moorline_reads(&arguments, &elsewhere).works("it leads elsewhere");
    moved.says("before a host key was known");
    assert_eq!(recording.offers(), [], "it was given for another address");
    let here = recording.replace(here.port);
    let arguments = [&ADD[..], &["--fingerprint", &here.print]].concat();
    stage.moorline_reads(&arguments, &text.replace("password: ", "# ").replace(password, "")).works("back");
    stage.moorline(&["repair", "colab"]).works("the key is settled for this address");
    assert_eq!(offered(&mut recording, here.port), [password]);
}

/// What was done before a password was given says what may become of it.
struct Given {
    password: String,
    port: u16,
    /// The machines to which it may go.
    prints: BTreeSet<String>,
    /// No key was known: it may go to whichever the person settles.
    early: bool,
}

/// A person, two machines that change, and what may be offered to whom.
struct World {
    stage: Stage,
    desktop: Desktop,
    recording: Recording,
    voice: Announcer,
    said: u64,
    machines: Vec<Recorder>,
    given: Vec<Given>,
    random: u64,
    story: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Fault {
    None,
    Killed(&'static str, u64),
    NoKeyring,
    Locked,
}

impl World {
    fn begin(seed: u64) -> Self {
        let stage = Stage::new();
        let desktop = Desktop::start(&stage);
        let mut recording = Recording::start(&stage);
        let voice = Announcer::new(&stage);
        stage.hide(voice.key());
        let set = ["secret", "set", "colab", "session-key"];
        stage.moorline_reads(&set, voice.key()).works("a session key is there");
        let machines = vec![recording.open(), recording.open()];
        let (given, story) = (Vec::new(), Vec::new());
        Self { stage, desktop, recording, voice, said: 0, machines, given, random: seed, story }
    }

    /// Below `end` (splitmix64).
    fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn machine(&mut self) -> Recorder {
        let turn = usize::try_from(self.below(2)).expect("small");
        self.machines[turn].clone()
    }

    fn password(&mut self) -> String {
        let kind = if self.below(4) == 0 { "wrong" } else { "right" };
        let password = format!("{kind}-{:016x}", self.below(u64::MAX));
        self.stage.hide(&password);
        password
    }

    fn fault(&mut self) -> Fault {
        match self.below(10) {
            0..=3 => {
                let (call, most) = DEADLY[usize::try_from(self.below(6)).expect("small")];
                Fault::Killed(call, 1 + self.below(most))
            }
            4 => Fault::NoKeyring,
            5 => Fault::Locked,
            _ => Fault::None,
        }
    }

    /// Runs a command with something in its way; whether it got through.
    fn run(&mut self, arguments: &[&str], input: &str) -> bool {
        let fault = self.fault();
        let outcome = match &fault {
            Fault::None => self.stage.moorline_reads(arguments, input),
            Fault::Killed(call, nth) => {
                let (trace, inject) =
                    (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
                let strace = ["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject, "--", "moorline"];
                self.stage.run_with_input("strace", &[&strace[..], arguments].concat(), input)
            }
            Fault::NoKeyring => {
                let nowhere = ["DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent", "moorline"];
                self.stage.run_with_input("env", &[&nowhere[..], arguments].concat(), input)
            }
            Fault::Locked => {
                self.desktop.lock_keyring(&self.stage);
                let outcome = self.stage.moorline_reads(arguments, input);
                self.desktop.unlock_keyring(&self.stage);
                outcome
            }
        };
        self.story.push(format!("{fault:?}: {arguments:?} -> {:?}", outcome.code));
        outcome.succeeded()
    }

    /// Where the session leads by now.
    fn here(&self) -> Option<Recorder> {
        let config = self.stage.text(".config/moorline/config.toml");
        let port = config.lines().find_map(|line| line.strip_prefix("port = "))?.parse::<u16>().ok()?;
        self.machines.iter().find(|machine| machine.port == port).cloned()
    }

    /// The keys that are pinned by now.
    fn pinned(&self) -> Vec<String> {
        let pins = self.stage.text(".local/state/moorline/pins.json");
        let pins: Value = serde_json::from_str(&pins).unwrap_or_default();
        let keys = pins["sessions"]["colab"]["keys"].as_array().cloned().unwrap_or_default();
        keys.iter().filter_map(|pinned| pinned["key"].as_str().map(str::to_owned)).collect()
    }

    /// The person, or the session key, vouches for this machine.
    fn vouches(&mut self, machine: &Recorder) {
        for given in self.given.iter_mut().filter(|given| given.port == machine.port) {
            given.prints.insert(machine.print.clone());
        }
    }

    fn step(&mut self) {
        match self.below(9) {
            0 | 1 => {
                let (machine, password) = (self.machine(), self.password());
                let prints = BTreeSet::from([machine.print.clone()]);
                let given = Given { password: password.clone(), port: machine.port, prints, early: false };
                self.given.push(given);
                self.vouches(&machine);
                let text = format!("ssh -p {} root@127.0.0.1\npassword: {password}\n", machine.port);
                self.run(&[&ADD[..], &["--fingerprint", &machine.print]].concat(), &text);
            }
            2 => {
                let machine = self.machine();
                self.vouches(&machine);
                let text = format!("ssh -p {} root@127.0.0.1\n", machine.port);
                self.run(&[&ADD[..], &["--fingerprint", &machine.print]].concat(), &text);
            }
            3 => {
                let (machine, password) = (self.machine(), self.password());
                self.recording.close(machine.port);
                let given = Given {
                    password: password.clone(),
                    port: machine.port,
                    prints: BTreeSet::new(),
                    early: true,
                };
                self.given.push(given);
                let text = format!("ssh -p {} root@127.0.0.1\npassword: {password}\n", machine.port);
                self.run(&ADD, &text);
                self.comes_back(machine.port);
            }
            4 => {
                let machine = self.machine();
                self.comes_back(machine.port);
            }
            5 => {
                let Some(machine) = self.here() else { return };
                self.vouches(&machine);
                self.run(&["repair", "colab", "--fingerprint", &machine.print], "");
            }
            6 => {
                let Some(machine) = self.here() else { return };
                for given in self.given.iter_mut().filter(|given| given.port == machine.port && given.early) {
                    given.prints.insert(machine.print.clone());
                }
                if self.run(&["repair", "colab", "--trust-first-use", "--yes"], "") {
                    for given in self.given.iter_mut().filter(|given| given.port == machine.port) {
                        given.early = false;
                    }
                }
            }
            7 => {
                let machine = self.machine();
                self.vouches(&machine);
                let endpoint = json!([{ "link": "direct", "host": "127.0.0.1", "port": machine.port }]);
                self.said += 1;
                let mut body = self.voice.body(&endpoint, "root");
                (body["seq"], body["host_keys"]) = (json!(self.said), json!([machine.public]));
                let line = self.voice.seal(&body);
                self.run(&ADD, &line);
            }
            _ => {
                let (Some(machine), password) = (self.here(), self.password()) else { return };
                let pinned = self.pinned();
                let early = !pinned.contains(&machine.public);
                let prints = pinned.contains(&machine.public).then(|| machine.print.clone());
                let prints = prints.into_iter().collect();
                let given = Given { password: password.clone(), port: machine.port, prints, early };
                self.given.push(given);
                self.run(&["secret", "set", "colab"], &password);
            }
        }
        // Whatever is kept is offered to whoever answers, if it may be.
        self.run(&["repair", "colab"], "");
        self.nobody_heard_what_was_not_theirs();
    }

    fn comes_back(&mut self, port: u16) {
        let now = self.recording.replace(port);
        let place = self.machines.iter_mut().find(|machine| machine.port == port).expect("one of the two");
        *place = now;
        self.story.push(format!("another machine at {port}"));
    }

    fn nobody_heard_what_was_not_theirs(&mut self) {
        for Offer { port, print, password } in self.recording.offers() {
            let theirs = self.given.iter().any(|given| {
                given.password == password && given.port == port && given.prints.contains(&print)
            });
            assert!(theirs, "{port} ({print}) was offered {password}:\n{}", self.story.join("\n"));
        }
    }
}

#[test]
fn no_sequence_of_events_leads_a_password_elsewhere() {
    let sequences =
        std::env::var("MOORLINE_SEQUENCES").map_or(SEQUENCES, |text| text.parse().expect("a number"));
    let by_clock = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is right");
        u64::from(now.subsec_nanos())
    };
    let first =
        std::env::var("MOORLINE_SEED").map_or_else(|_| by_clock(), |text| text.parse().expect("a number"));
    let mut heard = 0;
    for seed in first..first + sequences {
        println!("MOORLINE_SEED={seed} MOORLINE_SEQUENCES=1");
        let mut world = World::begin(seed);
        for _ in 0..STEPS {
            world.step();
        }
        let (offers, story) = (world.recording.offers().len(), world.story.join("\n"));
        println!("passwords offered: {offers}; what happened:\n{story}");
        heard += offers;
    }
    assert!(sequences < 5 || heard > 0, "passwords are offered at all");
}
