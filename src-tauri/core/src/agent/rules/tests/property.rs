//! What no sequence of messages may do.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn any_sight() -> impl Strategy<Value = Sight> {
    prop_oneof![
        1 => Just(Sight::Dialling),
        4 => Just(Sight::Online),
        2 => Just(closed()),
        2 => Just(REFUSED),
        1 => Just(Sight::Failed(Obstacle::OwnNetwork)),
        1 => Just(Sight::Failed(Obstacle::Silent)),
        1 => Just(Sight::Failed(Obstacle::Login)),
        1 => (2..4u8, any::<bool>()).prop_map(|(n, channel)| new_key(n, channel)),
        2 => (1..3u8).prop_map(|boot| Sight::Vitals(vitals(&format!("boot-{boot}")))),
    ]
}

fn any_install() -> impl Strategy<Value = KeyInstall> {
    prop_oneof![
        2 => Just(KeyInstall::Done),
        1 => Just(KeyInstall::NoPassword),
        1 => Just(KeyInstall::VaultShut),
        1 => Just(KeyInstall::NotTried("locked".to_owned())),
        1 => Just(KeyInstall::Failed("no".to_owned())),
    ]
}

fn any_msg() -> impl Strategy<Value = Msg> {
    let who = prop_oneof![Just("a"), Just("b"), Just("c")];
    prop_oneof![
        8 => (who.clone(), any_sight()).prop_map(|(who, sight)| Msg::Saw(name(who), sight)),
        4 => Just(Msg::Tick),
        3 => (who.clone(), any::<bool>()).prop_map(|(who, good)| {
            Msg::Settled(name(who), if good { Ok(()) } else { Err("no".to_owned()) })
        }),
        2 => (who.clone(), any_install()).prop_map(|(who, outcome)| Msg::KeyInstalled(name(who), outcome)),
        1 => who.clone().prop_map(|who| Msg::VaultOpened(name(who))),
        1 => Just(Msg::Woke),
        1 => Just(Msg::NetworkChanged),
        1 => who.clone().prop_map(|who| Msg::Asked(Request::Repair(name(who)))),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, on)| {
            Msg::Asked(if on { Request::Pause(name(who)) } else { Request::Resume(name(who)) })
        }),
        1 => (0..2u16).prop_map(|minutes| Msg::Asked(Request::Snooze(minutes))),
        1 => (who, 2..4u8).prop_map(|(who, n)| Msg::Asked(Request::Approve(name(who), key(n).fingerprint()))),
    ]
}

/// What an onlooker knows of one session.
#[derive(Default)]
struct Onlooker {
    /// Files were written since the last failure.
    written: bool,
    /// The kind and title of the last notification, until something changes that it spoke of.
    last: Option<(NoticeKind, String)>,
    /// Something was told that a return would take back.
    owed: bool,
    /// A different machine was seen.
    another: bool,
    boot: Option<String>,
    /// What the last dial came to.
    obstacle: Option<Obstacle>,
}

/// The notifications that stand, by slot.
#[derive(Default)]
struct Desk(BTreeMap<String, Notice>);

impl Desk {
    fn follow(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Notify(notice) => drop(self.0.insert(notice.slot.clone(), notice.clone())),
                Effect::Unnotify(slot) => drop(self.0.remove(slot)),
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4 * ProptestConfig::default().cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// No sequence of messages, of several sessions and through sleep and changes of the network, notifies twice for
    /// one change, says "back" before the files are written or when nothing was told, or calls it a drop that this
    /// computer has no network.
    #[test]
    fn nobody_is_told_twice_or_too_early(steps in prop::collection::vec((any_msg(), 0..8i64), 1..60)) {
        let mut play = Play::new(&["a", "b", "c"]);
        let mut seen: BTreeMap<Alias, Onlooker> = BTreeMap::new();
        let mut screen = Desk::default();
        for (msg, pause) in steps {
            play.second += pause;
            let mut settles = false;
            match &msg {
                Msg::Saw(who, sight) => {
                    let onlooker = seen.entry(who.clone()).or_default();
                    match sight {
                        Sight::Lost(_) => onlooker.written = false,
                        Sight::Failed(obstacle) => {
                            onlooker.written = false;
                            onlooker.obstacle = Some(obstacle.clone());
                        }
                        Sight::Vitals(vitals) => {
                            onlooker.another |= onlooker.boot.is_some() && onlooker.boot != vitals.machine;
                            if matches!(play.health(who.as_str()), Health::Online { .. }) {
                                onlooker.boot.clone_from(&vitals.machine);
                            }
                        }
                        _ => {}
                    }
                    if let Sight::Failed(Obstacle::Key { .. }) = sight {
                        onlooker.another = true;
                    }
                }
                Msg::Settled(who, Ok(())) => {
                    seen.entry(who.clone()).or_default().written = true;
                    settles = true;
                }
                _ => {}
            }
            if let Msg::Asked(Request::Pause(who)) = &msg {
                seen.insert(who.clone(), Onlooker::default());
            }
            let effects = play.send(msg);
            for effect in &effects {
                if let Effect::Unnotify(slot) = effect
                    && let Some(onlooker) = slot.parse().ok().and_then(|who: Alias| seen.get_mut(&who))
                {
                    (onlooker.last, onlooker.owed) = (None, false);
                }
            }
            for notice in notices(&effects) {
                for who in &notice.sessions {
                    let onlooker = seen.entry(who.clone()).or_default();
                    match notice.kind {
                        NoticeKind::Back => {
                            prop_assert!(onlooker.written || settles, "back before the files: {notice:?}");
                            prop_assert!(onlooker.owed || onlooker.another, "back from nothing: {notice:?}");
                            onlooker.owed = false;
                            onlooker.another = false;
                        }
                        NoticeKind::Dropped => {
                            let again = matches!(&onlooker.last, Some((NoticeKind::Dropped, _)));
                            prop_assert!(!again, "dropped twice: {notice:?}");
                            let offline = onlooker.obstacle == Some(Obstacle::OwnNetwork);
                            prop_assert!(!offline, "no network, no drop: {notice:?}");
                            onlooker.owed = true;
                        }
                        NoticeKind::Needed => {
                            let said = (notice.kind, notice.title.clone());
                            let void = notice.title.contains("another fingerprint");
                            let new_print = notice.title.contains("for the first time");
                            prop_assert!(
                                void || new_print || onlooker.last.as_ref() != Some(&said),
                                "told twice: {notice:?}"
                            );
                            onlooker.owed = true;
                        }
                        NoticeKind::Lifetime | NoticeKind::Disk | NoticeKind::Idle | NoticeKind::Units => {}
                    }
                    onlooker.last = Some((notice.kind, notice.title.clone()));
                }
            }
            screen.follow(&effects);
            for (who, followed) in &play.state.sessions {
                let settled = followed.told == Told::Nothing && !followed.course.is_returning();
                let online = followed.course.is_online();
                let stands = screen.0.get(who.as_str()).filter(|notice| notice.kind != NoticeKind::Back);
                prop_assert!(!(online && settled && stands.is_some()), "it stands, and is not true: {stands:?}");
            }
            let of_several = screen.0.get("all").filter(|notice| notice.kind == NoticeKind::Dropped);
            let any_down = of_several.is_none_or(|notice| {
                notice.sessions.iter().any(|who| matches!(play.state.sessions[who].told, Told::Dropped(_)))
            });
            prop_assert!(any_down, "none of them is down: {of_several:?}");
        }
    }
}
