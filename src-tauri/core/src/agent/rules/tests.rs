//! Each transition.

mod colab;
mod first_runtime;
mod keys;
mod login;
mod property;
mod returns;
mod silence;
mod standing;
mod together;

use moorline_model::cause::{Loss, Obstacle};
use moorline_model::editor::Editor;
use moorline_model::health::{Health, Light};
use moorline_model::remembered::Remembered;
use moorline_model::session::{Link, NotebookUrl, RelayLink, Session};
use moorline_model::settings::NoticeKind;
use moorline_model::trust::Trust;
use moorline_model::vitals::{Usage, Vitals};
use moorline_ssh_files::{Alias, HostKey, Place};

use super::super::followed::Told;
use super::super::message::{KeyInstall, Loaded};
use super::super::notice::{Notice, NoticeAction};
use super::*;
use crate::store::told_json::Recalled;
use crate::watch::order::Sight;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn name(text: &str) -> Alias {
    text.parse().unwrap()
}

fn key(n: u8) -> HostKey {
    let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    blob.extend([n; 32]);
    HostKey::from_blob(&blob).unwrap()
}

fn session(text: &str) -> Session {
    let place = Place { host: "h".parse().unwrap(), port: "1".parse().unwrap() };
    Session {
        name: name(text),
        link: Link::Direct(place),
        user: "root".parse().unwrap(),
        folder: None,
        identity_file: None,
    }
}

/// A state under test that keeps the time and sorts what comes out.
struct Play {
    state: State,
    second: i64,
    kept: Vec<Effect>,
}

impl Play {
    fn new(names: &[&str]) -> Self {
        let mut play = Self { state: State::default(), second: 0, kept: Vec::new() };
        let all = names.iter().map(|n| Loaded::new(session(n), vec![(key(1), Trust::Approved)])).collect();
        let effects = play.send(Msg::Loaded(all));
        assert_eq!(effects.len(), names.len(), "each session is watched: {effects:?}");
        play
    }

    /// What follows, but for what is kept over a restart: that stands in [`Play::kept`].
    fn send(&mut self, msg: Msg) -> Vec<Effect> {
        let effects = update(&mut self.state, msg, at(self.second));
        let (kept, effects) =
            effects.into_iter().partition(|e| matches!(e, Effect::File(FileJob::RememberTold(..))));
        self.kept.extend(kept);
        effects
    }

    /// What an agent that starts anew knows of a session.
    fn recalled(&self, who: &str) -> Recalled {
        let of = |effect: &Effect| match effect {
            Effect::File(FileJob::RememberTold(name, recalled)) if name.as_str() == who => {
                Some(recalled.clone())
            }
            _ => None,
        };
        self.kept.iter().rev().find_map(of).unwrap_or_default()
    }

    fn saw(&mut self, who: &str, sight: Sight) -> Vec<Effect> {
        self.send(Msg::Saw(name(who), sight))
    }

    fn after(&mut self, seconds: i64) -> Vec<Effect> {
        self.second += seconds;
        self.send(Msg::Tick)
    }

    fn health(&self, who: &str) -> Health {
        self.state.sessions[&name(who)].course.phase().health()
    }

    /// Brings a session online for the first time: healed, recognised, nothing told.
    fn online(&mut self, who: &str) {
        self.saw(who, Sight::Dialling);
        let healed = self.saw(who, Sight::Online);
        assert!(matches!(healed[..], [Effect::File(FileJob::Settle { key: None, .. })]), "{healed:?}");
        self.send(Msg::Settled(name(who), Ok(())));
        let told = notices(&self.saw(who, Sight::Vitals(vitals("boot-1"))));
        assert!(told.is_empty(), "a first time online is no news: {told:?}");
    }
}

fn vitals(boot: &str) -> Vitals {
    Vitals { machine: Some(boot.to_owned()), booted: Some(at(0)), ..Vitals::default() }
}

fn notices(effects: &[Effect]) -> Vec<Notice> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Notify(notice) => Some(notice.clone()),
            _ => None,
        })
        .collect()
}

fn only(effects: &[Effect]) -> Notice {
    let all = notices(effects);
    let [one] = &all[..] else { panic!("one notification: {effects:?}") };
    one.clone()
}

const REFUSED: Sight = Sight::Failed(Obstacle::Refused);

fn closed() -> Sight {
    Sight::Lost(Loss::Closed)
}

fn new_key(n: u8, channel: bool) -> Sight {
    Sight::Failed(Obstacle::Key { key: key(n), channel })
}

fn refused_login() -> Sight {
    Sight::Failed(Obstacle::Login)
}

fn installed(outcome: KeyInstall) -> Msg {
    Msg::KeyInstalled(name("colab"), outcome)
}

#[test]
fn what_cannot_be_mended_while_our_own_files_are_unreadable_is_mended_afterwards() {
    let mut play = Play::new(&["colab"]);
    play.saw("colab", Sight::Dialling);
    play.saw("colab", Sight::Online);
    let told = only(&play.send(Msg::Unmended(name("colab"), "line 3 is wrong".to_owned())));
    assert_eq!(told.slot, notices::UNREADABLE);
    assert!(play.send(Msg::Unreadable("line 3 is wrong".to_owned())).is_empty(), "told once");
    let all = vec![Loaded::new(session("colab"), vec![(key(1), Trust::Approved)])];
    let effects = play.send(Msg::Loaded(all.clone()));
    let over = Effect::Unnotify(notices::UNREADABLE.to_owned());
    assert_eq!(effects, [over, Effect::File(FileJob::Settle { session: session("colab"), key: None })]);
    assert!(play.send(Msg::Loaded(all)).is_empty(), "once");
}

#[test]
fn the_icon_follows_at_once_and_the_drop_is_told_after_a_failed_redial() {
    let mut play = Play::new(&["colab"]);
    assert_eq!(play.state.snapshot().light, Light::Idle);
    play.online("colab");
    assert_eq!(play.state.snapshot().light, Light::Online);
    assert!(play.saw("colab", closed()).is_empty());
    assert_eq!(play.state.snapshot().light, Light::Attention, "at once");
    assert!(play.saw("colab", REFUSED).is_empty(), "others may join");
    assert_eq!(play.state.snapshot().light, Light::Offline);
    let notice = only(&play.after(1));
    assert_eq!(notice.kind, NoticeKind::Dropped);
    assert_eq!(notice.title, "colab dropped: no SSH server is at its address, the machine may still run");
    assert!(play.after(60).is_empty(), "once");
    assert!(play.saw("colab", Sight::Failed(Obstacle::Silent)).is_empty(), "another cause is no new drop");
}

#[test]
fn a_tunnel_is_spoken_of_only_where_the_link_names_one() {
    let mut play = Play::new(&["colab"]);
    let words = |play: &mut Play, link: Link, obstacle: Obstacle| {
        if let Some(followed) = play.state.sessions.get_mut(&name("colab")) {
            followed.session.link = link;
        }
        play.online("colab");
        play.saw("colab", closed());
        play.saw("colab", Sight::Failed(obstacle));
        super::super::wording::state(&play.health("colab"))
    };
    let place = || Place { host: "h".parse().unwrap(), port: "1".parse().unwrap() };
    for obstacle in [Obstacle::Refused, Obstacle::NameUnknown, Obstacle::NotSsh] {
        let direct = words(&mut play, Link::Direct(place()), obstacle.clone());
        assert_eq!(direct, "down: no SSH server is at its address, the machine may still run");
        let ngrok = words(&mut play, Link::Ngrok(place()), obstacle);
        assert_eq!(ngrok, "down: its tunnel is gone, the machine may still run");
    }
    let direct = words(&mut play, Link::Direct(place()), Obstacle::ClosedAtOnce);
    assert_eq!(direct, "down: its address answers, sshd does not");
    let ngrok = words(&mut play, Link::Ngrok(place()), Obstacle::ClosedAtOnce);
    assert_eq!(ngrok, "down: the tunnel answers, sshd behind it does not");
}

#[test]
fn this_computer_s_own_network_is_no_drop() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.saw("colab", Sight::Lost(Loss::Silent));
    assert!(play.saw("colab", Sight::Failed(Obstacle::OwnNetwork)).is_empty());
    assert!(play.after(3600).is_empty());
    assert_eq!(play.state.snapshot().light, Light::Attention);
    play.saw("colab", REFUSED);
    assert_eq!(only(&play.after(1)).kind, NoticeKind::Dropped, "it dropped while we were away");
}

#[test]
fn after_waking_up_a_failure_says_nothing_for_a_while() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    assert!(play.send(Msg::Woke).is_empty(), "the watchers take their turns by themselves");
    play.saw("colab", Sight::Lost(Loss::Silent));
    play.saw("colab", Sight::Failed(Obstacle::NameUnknown));
    assert!(play.after(10).is_empty());
    play.saw("colab", Sight::Online);
    play.send(Msg::Settled(name("colab"), Ok(())));
    play.saw("colab", Sight::Vitals(vitals("boot-1")));
    assert!(notices(&play.after(60)).is_empty(), "the network was back in time");
    play.send(Msg::Woke);
    play.saw("colab", Sight::Lost(Loss::Silent));
    play.saw("colab", REFUSED);
    assert_eq!(only(&play.after(30)).kind, NoticeKind::Dropped, "but a real drop is told");
}

#[test]
fn what_never_was_online_does_not_drop() {
    let mut play = Play::new(&["colab"]);
    play.saw("colab", Sight::Dialling);
    assert_eq!(play.health("colab"), Health::Connecting);
    play.saw("colab", REFUSED);
    assert!(play.after(60).is_empty());
    assert_eq!(play.state.snapshot().light, Light::Offline, "the icon tells all the same");
}

#[test]
fn what_was_remembered_is_known_again() {
    let mut play = Play::new(&[]);
    let url: NotebookUrl = "https://colab.research.google.com/drive/1".parse().unwrap();
    let remembered = Remembered {
        notebook: Some(url.clone()),
        last_editor: Some(Editor::Zed),
        last_folder: Some("/content/x".parse().unwrap()),
        paused: true,
        ..Remembered::default()
    };
    let all = vec![Loaded { remembered, ..Loaded::new(session("colab"), Vec::new()) }];
    assert!(play.send(Msg::Loaded(all)).is_empty(), "paused: nothing is watched");
    assert_eq!(play.health("colab"), Health::Paused);
    let view = play.state.snapshot().sessions.remove(0);
    assert!(view.has_notebook && view.last_editor == Some(Editor::Zed));
    let pressed = Msg::Asked(Request::Pressed(NoticeAction::OpenNotebook(name("colab"))));
    assert_eq!(play.send(pressed), [Effect::OpenNotebook { name: name("colab"), url }]);
}

#[test]
fn files_that_cannot_be_read_are_told_once_and_change_nothing() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    let notice = only(&play.send(Msg::Unreadable("config.toml, line 3: no".to_owned())));
    assert_eq!(notice.body, "config.toml, line 3: no");
    assert!(play.send(Msg::Unreadable("config.toml, line 3: no".to_owned())).is_empty());
    assert_eq!(play.state.snapshot().light, Light::Online);
    let same = Loaded::new(session("colab"), vec![(key(1), Trust::Approved)]);
    assert_eq!(play.send(Msg::Loaded(vec![same])), [Effect::Unnotify(notice.slot)]);
}

#[test]
fn a_colab_runtime_tells_no_start_so_what_is_said_is_the_most_it_may_have_left() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    let followed = &play.state.sessions[&name("colab")];
    let known = Loaded::new(followed.session.clone(), followed.pinned.clone());
    play.saw("colab", Sight::Vitals(Vitals { booted: None, ..vitals("boot-1") }));
    play.second = 11 * 3600;
    assert!(play.after(0).is_empty(), "nothing is known of its age");
    let effects = play.send(Msg::Loaded(vec![Loaded { first_seen: Some(at(0)), ..known }]));
    assert_eq!(only(&effects).title, "colab: at most 60 min of 12 h left");
    assert!(play.after(60).is_empty(), "once");
}

#[test]
fn the_end_of_life_and_a_full_disk_are_warned_of_in_time_and_once() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    play.second = 11 * 3600 - 60;
    assert!(play.after(0).is_empty());
    let notice = only(&play.after(60));
    assert_eq!(
        (notice.kind, notice.title.as_str()),
        (NoticeKind::Lifetime, "colab: about 60 min of 12 h left")
    );
    assert!(play.after(60).is_empty());
    let notice = only(&play.after(44 * 60));
    assert_eq!(notice.title, "colab: about 15 min of 12 h left");
    assert!(play.after(600).is_empty());

    let full = |used| Vitals { disk: Some(Usage { used, total: 100 }), booted: None, ..vitals("boot-1") };
    assert_eq!(only(&play.saw("colab", Sight::Vitals(full(90)))).title, "colab: the disk is 90 % full");
    assert!(play.saw("colab", Sight::Vitals(full(95))).is_empty());
    assert!(play.saw("colab", Sight::Vitals(full(86))).is_empty(), "not low enough to start over");
    assert!(play.saw("colab", Sight::Vitals(full(90))).is_empty());
    play.saw("colab", Sight::Vitals(full(84)));
    only(&play.saw("colab", Sight::Vitals(full(90))));
}

#[test]
fn a_paused_session_is_left_alone_until_it_is_resumed() {
    let mut play = Play::new(&["colab"]);
    play.online("colab");
    let effects = play.send(Msg::Asked(Request::Pause(name("colab"))));
    let remembered = Effect::File(FileJob::RememberPause(name("colab"), true));
    assert_eq!(effects, [Effect::Unwatch(name("colab")), remembered]);
    assert!(play.saw("colab", closed()).is_empty() && play.saw("colab", REFUSED).is_empty());
    assert!(play.after(60).is_empty());
    assert_eq!(play.state.snapshot().light, Light::Idle);
    assert!(play.send(Msg::NetworkChanged).is_empty(), "nothing to dial");
    let effects = play.send(Msg::Asked(Request::Resume(name("colab"))));
    assert!(
        matches!(effects[..], [Effect::Watch(_), Effect::File(FileJob::RememberPause(_, false))]),
        "{effects:?}"
    );
}

#[test]
fn sessions_come_move_and_go() {
    let mut play = Play::new(&["a"]);
    play.online("a");
    let mut moved = session("a");
    moved.link = Link::Relay(RelayLink {
        relay: "me@r".parse().unwrap(),
        port: "7423".parse().unwrap(),
        mine_alone: false,
    });
    let pinned = vec![(key(1), Trust::Approved)];
    let same = Loaded::new(session("a"), pinned.clone());
    assert!(play.send(Msg::Loaded(vec![same])).is_empty(), "nothing changed");
    let effects = play
        .send(Msg::Loaded(vec![Loaded::new(moved, pinned.clone()), Loaded::new(session("b"), Vec::new())]));
    assert!(matches!(effects[..], [Effect::Watch(_), Effect::Watch(_)]), "{effects:?}");
    let effects = play.send(Msg::Loaded(vec![Loaded::new(session("b"), Vec::new())]));
    assert_eq!(effects, [Effect::Unwatch(name("a")), Effect::Unlisten(name("a"))]);
    assert!(play.saw("a", closed()).is_empty(), "a watcher's last words");
}

#[test]
fn an_editor_is_remembered_and_a_terminal_is_not() {
    let mut play = Play::new(&["colab"]);
    let ask = |editor, folder: Option<&str>| {
        let folder = folder.map(|folder| folder.parse().unwrap());
        Msg::Asked(Request::Open { name: name("colab"), editor, folder })
    };
    let effects = play.send(ask(Some(Editor::PyCharm), Some("/content/x")));
    assert!(matches!(
        effects[..],
        [Effect::File(FileJob::RememberUsed { .. }), Effect::Open { editor: Editor::PyCharm, .. }]
    ));
    play.send(ask(Some(Editor::Terminal), None));
    let effects = play.send(Msg::Asked(Request::Pressed(NoticeAction::OpenEditor(name("colab")))));
    let Some(Effect::Open { editor, folder, .. }) = effects.last() else { panic!("{effects:?}") };
    assert_eq!((*editor, folder.as_ref().unwrap().as_str()), (Editor::PyCharm, "/content/x"));
}
