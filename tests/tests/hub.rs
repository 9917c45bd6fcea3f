//! Several connections over one slot: the hub that `moorline-proxy` starts.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use moorline_tests::processes::until;
use moorline_tests::shared::{Session, Shared, a_lot_at_once, end_hubs, parent, processes_with};
use moorline_tests::{Outcome, Watching};
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn twenty_sessions_two_transfers_and_a_socks_proxy_share_one_connection() {
    let shared = Shared::begin();
    a_lot_at_once(|arguments| shared.ssh(arguments), &shared.story.runtime);
    assert_eq!(shared.slot.counts(), (1, 0), "one connection was made, and no other was tried");
    shared.the_hub();
}

#[test]
fn an_upstream_that_breaks_ends_all_and_the_next_one_connects() {
    let shared = Shared::begin();
    let mut sessions: Vec<Session> = (0..5).map(|_| shared.session()).collect();
    sessions.iter_mut().for_each(Session::is_ready);
    let hub = shared.the_hub();
    shared.slot.cut();
    sessions.into_iter().for_each(Session::ends_badly);
    shared.run(&["colab", "true"]).works("the next one connects");
    assert_eq!(shared.the_hub(), hub, "the same hub made a new connection");
    assert_eq!(shared.slot.counts(), (2, 0), "each connection was let in");
}

/// ssh as the person has it, which gives up after 15 s without a reason.
fn impatient(shared: &Shared) -> Outcome {
    let proxy = "ProxyCommand=moorline-proxy --shared colab";
    shared
        .stage()
        .run("ssh", &["-o", proxy, "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "colab", "true"])
}

#[test]
fn an_upstream_that_goes_silent_is_replaced_at_once() {
    let shared = Shared::begin();
    let mut session = shared.session();
    session.is_ready();
    let hub = shared.the_hub();
    shared.slot.hush();
    impatient(&shared).works("a new connection is made while ssh waits");
    session.ends_badly();
    assert_eq!(shared.the_hub(), hub, "the same hub made it");
    assert_eq!(shared.slot.counts().0, 2, "the silent one was cut, so that there is room for another");
    impatient(&shared).works("it is the one that is used");
    assert_eq!(shared.slot.counts().0, 2);
}

#[test]
fn silence_everywhere_is_named_before_ssh_gives_up() {
    let shared = Shared::with_many_slots();
    let mut session = shared.session();
    session.is_ready();
    let hub = shared.the_hub();
    shared.slot.hush_all(true);
    shared.slot.hush();
    impatient(&shared).fails("nothing answers").says("moorline: colab: ").says("stays silent for");
    shared.slot.hush_all(false);
    impatient(&shared).works("the next one connects");
    assert_eq!(shared.the_hub(), hub);
    session.ends_badly();
}

#[test]
fn a_silence_that_passes_costs_nobody_their_session() {
    let shared = Shared::with_many_slots();
    let mut session = shared.session();
    session.is_ready();
    shared.slot.hush_all(true);
    let silence = shared.slot.hush();
    impatient(&shared).fails("nothing answers");
    silence.ends();
    session.echoes("still here");
    let (made, _) = shared.slot.counts();
    impatient(&shared).works("it is used again");
    assert_eq!(shared.slot.counts().0, made, "no other one was made");
    session.ends_well();
}

#[test]
fn a_hub_that_is_stuck_is_named_with_what_ends_it() {
    let shared = Shared::begin();
    shared.run(&["colab", "true"]).works("there is a hub");
    let hub = shared.the_hub();
    kill_process(hub, Signal::STOP).expect("it can be stopped");
    let next = format!("kill -9 {}", hub.as_raw_nonzero());
    impatient(&shared).fails("it does not answer").says("the hub of colab does not answer").says(&next);
    let [program, arguments @ ..] = &next.split(' ').collect::<Vec<_>>()[..] else { unreachable!() };
    shared.stage().run(program, arguments).works("the next step");
    until("the slot to be free", || shared.slot.open() == 0);
    impatient(&shared).works("another one takes its place");
}

#[test]
fn a_hub_that_was_killed_leaves_nothing_in_the_way() {
    let shared = Shared::begin();
    let mut session = shared.session();
    session.is_ready();
    let hub = shared.the_hub();
    kill_process(hub, Signal::KILL).expect("the hub can be killed");
    session.ends_badly();
    let left =
        fs::read_dir(shared.stage().home().join(".local/state/moorline/hub")).expect("its place").flatten();
    assert!(
        left.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().ends_with(".sock")),
        "its socket is still there"
    );
    until("the slot to be free", || shared.slot.open() == 0);
    shared.run(&["colab", "true"]).works("another hub takes its place");
    assert_ne!(shared.the_hub(), hub);
}

#[test]
fn of_twenty_that_start_at_once_one_becomes_the_hub_and_sshd_is_not_flooded() {
    let shared = Shared::begin_with("MaxStartups 3\n");
    let mut sessions: Vec<Session> = (0..20).map(|_| shared.session()).collect();
    sessions.iter_mut().for_each(Session::is_ready);
    shared.the_hub();
    sessions.into_iter().for_each(Session::ends_well);
    assert_eq!(shared.slot.counts(), (1, 0), "one connection was made, and no other was tried");
}

#[test]
fn where_forwarding_is_forbidden_eight_share_and_the_ninth_is_told() {
    let shared = Shared::begin_with("AllowTcpForwarding no\n");
    let mut sessions: Vec<Session> = (0..8).map(|_| shared.session()).collect();
    sessions.iter_mut().for_each(Session::is_ready);
    let ninth = shared.run(&["colab", "true"]).fails("there is no room for a ninth");
    ninth.says("colab: its sshd forbids forwarding, so that at most 8 connections can share it; close one");
    sessions.pop().expect("there are eight").ends_well();
    until("the room to be free", || shared.run(&["colab", "true"]).succeeded());
    for session in &mut sessions {
        session.echoes("still here");
    }
    sessions.into_iter().for_each(Session::ends_well);
    assert_eq!(shared.slot.counts(), (1, 0), "one connection was made, and no other was tried");
}

#[test]
fn a_hub_that_nobody_needs_ends_and_gives_the_slot_back() {
    let shared = Shared::begin();
    shared.stage().set_env("MOORLINE_HUB_IDLE", "1");
    let mut session = shared.session();
    session.is_ready();
    thread::sleep(Duration::from_millis(1500));
    session.echoes("a hub with a client stays");
    session.ends_well();
    until("the hub to end", || shared.hubs().is_empty());
    until("the slot to be free", || shared.slot.open() == 0);
    shared.run(&["colab", "true"]).works("the next one starts another");
    shared.the_hub();
}

#[test]
fn forgetting_the_session_ends_its_hub() {
    let shared = Shared::begin();
    let mut session = shared.session();
    session.is_ready();
    shared.the_hub();
    shared.stage().moorline(&["forget", "colab", "--yes"]).works("it is forgotten");
    session.ends_badly();
    until("the hub to end", || shared.hubs().is_empty());
    until("the slot to be free", || shared.slot.open() == 0);
}

#[test]
fn all_who_wait_are_told_why_there_is_no_way() {
    let mut shared = Shared::begin();
    shared.story.runtime.restart_on_same_port();
    let fingerprint = shared.story.runtime.host_key().fingerprint();
    let start = |_| shared.ssh(&["colab", "true"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let waiting: Vec<Child> = (0..5).map(|nth| start(nth).expect("ssh runs")).collect();
    let end = |child: Child| child.wait_with_output().expect("ssh ends");
    let outcomes = waiting.into_iter().map(|child| Outcome::new("ssh colab true".to_owned(), &end(child)));
    for outcome in outcomes {
        let outcome = outcome.fails("another key is not accepted");
        outcome.says(&format!("colab shows another host key ({fingerprint})")).says("moorline repair colab");
    }
    shared.story.runtime.stop();
    shared.run(&["colab", "true"]).fails("nothing is there").says("moorline: colab: ");
}

#[test]
fn a_proxy_that_is_ended_takes_its_way_with_it() {
    let shared = Shared::begin();
    let mut hubs = Vec::new();
    for signal in [Signal::HUP, Signal::TERM, Signal::KILL] {
        let mut session = shared.session();
        session.is_ready();
        hubs.push(shared.the_hub());
        let ended = || {
            let log = shared.story.runtime.machine().log();
            log.matches("Connection closed by").count() + log.matches("Connection reset by").count()
        };
        let before = ended();
        let proxies = processes_with("--shared", "colab").into_iter();
        let proxy = proxies
            .filter_map(|id| Pid::from_raw(id.cast_signed()))
            .find(|id| parent(id.as_raw_nonzero().get()) == Some(session.child.id()));
        kill_process(proxy.expect("ssh has its proxy"), signal).expect("the proxy can be reached");
        session.ends_badly();
        until("sshd to hear of it", || ended() > before);
    }
    shared.run(&["colab", "true"]).works("the hub goes on");
    hubs.push(shared.the_hub());
    hubs.dedup();
    assert_eq!(hubs.len(), 1, "it outlives the proxy that started it");
}

#[test]
fn a_client_that_stops_reading_holds_nobody_up() {
    let shared = Shared::begin();
    let mut session = shared.session();
    session.is_ready();
    let mut greedy = Session::open(shared.ssh(&["colab", "echo ready; cat /dev/zero"]));
    greedy.is_ready();
    let stopped = Pid::from_raw(greedy.child.id().cast_signed()).expect("a process");
    kill_process(stopped, Signal::STOP).expect("ssh can be stopped");
    // Enough turns for all that is on the way to arrive.
    for turn in 0..200 {
        session.echoes(&format!("turn {turn}"));
    }
    shared.run(&["colab", "true"]).works("others come in");
    kill_process(stopped, Signal::CONT).expect("ssh goes on");
    let mut some = vec![1; 8 * 1024 * 1024];
    greedy.output.read_exact(&mut some).expect("what waited comes");
    assert!(some.iter().all(|byte| *byte == 0), "nothing was lost");
}

#[test]
fn two_transfers_do_not_starve_a_person_who_types() {
    let shared = Shared::begin();
    let mut session = shared.session();
    session.is_ready();
    let mut down = shared.ssh(&["colab", "cat /dev/zero"]);
    let mut up = shared.ssh(&["colab", "cat > /dev/null"]);
    down.stdin(Stdio::null()).stdout(File::create("/dev/null").expect("it is there"));
    up.stdin(File::open("/dev/zero").expect("it is there")).stdout(Stdio::null());
    let busy = [down.spawn().expect("ssh runs"), up.spawn().expect("ssh runs")];
    let mut times: Vec<Duration> = (0..40)
        .map(|turn| {
            thread::sleep(Duration::from_millis(50));
            session.echoes(&format!("turn {turn}"))
        })
        .collect();
    for mut transfer in busy {
        assert!(transfer.try_wait().expect("it can be asked").is_none(), "the transfers run all the time");
        transfer.kill().and_then(|()| transfer.wait()).expect("they can be ended");
    }
    times.sort_unstable();
    assert!(times[20] < Duration::from_secs(1), "the median of {times:?} is bearable");
}

#[test]
fn the_agent_s_end_is_not_the_hub_s() {
    let shared = Shared::begin();
    let mut session = shared.session();
    session.is_ready();
    let watching = Watching::start(shared.stage());
    shared.run(&["colab", "true"]).works("with an agent it is the same");
    watching.kill();
    session.echoes("still here");
    shared.the_hub();
}

#[test]
fn a_stranger_gets_no_way() {
    if !rustix::process::geteuid().is_root() {
        // Only root can play another user.
        return;
    }
    let shared = Shared::begin();
    shared.run(&["colab", "true"]).works("there is a hub");
    // The folder keeps strangers out already; the hub does so even when it does not.
    let home = shared.stage().home_inside().to_owned();
    let socket =
        shared.stage().run("sh", &["-c", &format!("ls {}/.local/state/moorline/hub/*.sock", home.display())]);
    let socket = socket.stdout.trim().to_owned();
    let ask = format!(
        "import os,socket\n\
         s=socket.socket(socket.AF_UNIX)\n\
         s.connect({socket:?})\n\
         try: s.sendall(b'{{\"hub\":1,\"want\":\"way\"}}\\n'); print('heard', s.recv(100))\n\
         except OSError: print(\"heard b''\")\n"
    );
    let open = "d=$1; while [ \"$d\" != / ]; do chmod o+rwx \"$d\"; d=$(dirname \"$d\"); done; chmod o+rwx \"$1\"/*.sock";
    let folder = Path::new(&socket).parent().expect("it lies in a folder").display().to_string();
    shared.stage().run("sh", &["-c", &format!("find {folder} -type s"), "sh"]).says(".sock");
    let modes = shared.stage().run("sh", &["-c", open, "sh", &folder]);
    modes.works("the folder is opened to all");
    let arguments = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "python3", "-c", &ask];
    shared.stage().run("setpriv", &arguments).works("a stranger reaches the socket").says("heard b''");
    let own = shared.stage().run("python3", &["-c", &ask]);
    own.works("the person does as well").says("open");
}

#[test]
fn a_stranger_in_the_hub_s_place_hears_nothing() {
    if !rustix::process::geteuid().is_root() {
        // Only root can play another user.
        return;
    }
    let shared = Shared::begin();
    shared.run(&["colab", "true"]).works("there is a hub");
    let places = shared.stage().home().join(".local/state/moorline/hub");
    let mut places = fs::read_dir(places).expect("its place").flatten().map(|entry| entry.path());
    let socket = places.find(|path| path.extension().is_some_and(|of| of == "sock")).expect("it is one");
    end_hubs(shared.stage());
    // Whoever listens is whom the system names to those who connect.
    let squat = "import os,socket,sys\n\
         s=socket.socket(socket.AF_UNIX)\n\
         s.bind(sys.argv[1])\n\
         os.setuid(65534)\n\
         s.listen()\n\
         print('ready', flush=True)\n\
         print(repr(s.accept()[0].recv(100)), flush=True)\n";
    let mut command = Command::new("python3");
    command.args(["-c", squat]).arg(&socket);
    let mut stranger = Session::open(command);
    stranger.is_ready();
    shared
        .run(&["colab", "true"])
        .fails("it is a stranger's")
        .says("hub is not yours; nothing was said to it");
    let mut heard = String::new();
    stranger.output.read_to_string(&mut heard).expect("it can be read");
    assert_eq!(heard, "b''\n", "it hears nothing");
}
