//! The keeper beside the kernel, when its machine makes it hard: it stays, there is one of it, and it tells the truth.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use moorline_tests::Ntfy;
use moorline_tests::cells::{AUTHTOKEN, KEY, Person, json_at, read, run_parts};
use moorline_tests::notebook::NotebookRuntime;
use moorline_tests::processes::until;

/// The keepers that run, as the runtime numbers them.
fn keepers(runtime: &mut NotebookRuntime) -> Vec<String> {
    let run = runtime.run_cell(
        "import os
def runs_keeper(pid):
    try:
        return b'/keeper.py\\0' in open(f'/proc/{pid}/cmdline', 'rb').read()
    except OSError:
        return False
print('keepers:', *filter(runs_keeper, filter(str.isdigit, os.listdir('/proc'))))",
    );
    let found = run.works("processes can be listed");
    found.line("keepers:").split_whitespace().map(str::to_owned).collect()
}

/// A setting of the cell, changed in its notebook.
fn with_setting(notebook: &str, name: &str, from: &str, to: &str) -> String {
    let changed = notebook.replace(&format!("\\\"{name}\\\": {from}"), &format!("\\\"{name}\\\": {to}"));
    assert_ne!(changed, notebook, "there is such a setting");
    changed
}

fn kill_tunnel(runtime: &mut NotebookRuntime) {
    let run = runtime
        .run_cell("import subprocess\nsubprocess.run(['pkill', '-f', 'cloudflared tunnel'], check=True)");
    run.works("the tunnel is killed");
}

#[test]
fn a_full_disk_ends_no_keeper_and_keeps_no_news_back() {
    let (person, ntfy) = (Person::new(), Ntfy::start());
    person.begins(&["--link", "cloudflare"]);
    person.configures(&format!("ntfy_server = \"{}\"\n", ntfy.url()), "");
    let often = with_setting(&person.notebook(), "beat", "600", "1");
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    runtime.run_notebook(&often).works("the cell runs");
    let status = runtime.file("colab", "status.json");
    let before = json_at(&status);
    let (pid, port) = (before["pid"].clone(), person.tunnels()[0].1);

    // No byte can be written to any file, as where no block is free.
    let limit = |to: &str| {
        format!(
            "import resource\nresource.prlimit({pid}, resource.RLIMIT_FSIZE, ({to}, resource.RLIM_INFINITY))"
        )
    };
    runtime.run_cell(&limit("0")).works("the disk is full");
    let news = ntfy.published().len();
    until("beats to be heard all the same", || ntfy.published().len() >= news + 3);
    kill_tunnel(&mut runtime);
    let unsaid = json_at(&status);
    runtime.run_cell(&limit("resource.RLIM_INFINITY")).works("there is room again");
    until("a new tunnel to be announced", || {
        let now = json_at(&status);
        now["endpoint"].is_object() && now["endpoint"] != before["endpoint"] && now["sent"]["ntfy"].is_null()
    });
    assert_eq!(unsaid["endpoint"], before["endpoint"], "nothing could be written meanwhile");
    assert_eq!(json_at(&status)["pid"], pid, "by the keeper that was there");
    person.logs_in(port, "true").works("the runtime is reachable");
    let log = runtime.file("colab", "keeper.log");
    until("it to be said that it is over", || {
        read(&log).contains("mind_status: works again, after OSError: ")
    });
    assert!(read(&log).matches("mind_status: ").count() <= 2, "its begin and its end: {}", read(&log));

    let numbers = "import base64, json, sys
said = [json.loads(base64.urlsafe_b64decode(line.split('.')[2] + '==')) for line in sys.argv[1:]]
print(all(one['seq'] < two['seq'] for one, two in zip(said, said[1:])))";
    let lines = ntfy.published();
    let arguments: Vec<&str> = ["-c", numbers].into_iter().chain(lines.iter().map(String::as_str)).collect();
    let rising = person.stage.run(person.stage.python(), &arguments).works("each is an announcement").stdout;
    assert_eq!(rising, "True\n", "each has a higher number: {lines:?}");
}

#[test]
fn a_second_run_uses_the_keeper_that_is_still_starting() {
    let person = Person::new();
    let notebook = person.begins(&["--link", "cloudflare"]);
    let waits = "    while not os.path.exists('go'): time.sleep(0.05)\\n\",\n    \"    Keeper(json.load";
    let slow = notebook.replace("    Keeper(json.load", waits);
    assert_ne!(slow, notebook, "a keeper that takes its time to start");
    let stopped = slow.replace("self.keeper.tend(plan)", "self.keeper.tend(plan); raise KeyboardInterrupt");
    let go = "__import__('threading').Timer(0.5, open, [self.home.path('go'), 'w']).start()";
    let again = slow.replace("self.keeper.tend(plan)", &format!("{go}; self.keeper.tend(plan)"));
    assert!(stopped != slow && again != slow, "the cell has such a line");
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    let run = runtime.run_notebook(&stopped);
    assert!(!run.ok && run.said.contains("KeyboardInterrupt"), "somebody stops the cell: {}", run.said);
    assert!(!runtime.file("colab", "status.json").exists(), "and the keeper has said nothing yet");
    let first = keepers(&mut runtime);
    let run = runtime.run_notebook(&again).works("the cell is run again");
    run.line("colab is up, by cloudflare ");
    assert_eq!(
        (first.len(), keepers(&mut runtime)),
        (1, first),
        "the one keeper is the one that was started first"
    );
    assert_eq!(person.tunnels().len(), 1);
}

#[test]
fn another_process_with_a_keeper_s_old_number_is_left_alone() {
    let person = Person::new();
    let notebook = person.begins(&["--link", "cloudflare"]);
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    runtime.run_notebook(&notebook).works("the cell runs");
    let status = runtime.file("colab", "status.json");
    let other = runtime
        .run_cell("import subprocess\nother = subprocess.Popen(['sleep', '1000'])\nprint('pid', other.pid)");
    let other: u64 = other.line("pid ").parse().expect("a number");
    let alive = "print('ended', other.poll())";

    // A keeper runs, and the number that was noted is another's.
    let first = keepers(&mut runtime);
    let mut noted = json_at(&status);
    noted["pid"] = other.into();
    std::fs::write(&status, noted.to_string()).expect("an old status");
    let edited = with_setting(&notebook, "beat", "600", "601");
    runtime.run_notebook(&edited).works("an edited cell runs").line("colab is up, by cloudflare ");
    runtime.run_cell(alive).line("ended None");
    let second = keepers(&mut runtime);
    assert_eq!((first.len(), second.len()), (1, 1), "one made room for the other");
    assert_ne!(first, second);

    // None runs: it was killed, and took its tunnel with it.
    runtime.run_cell(&format!("import os\nos.kill({}, 9)", second[0])).works("it is killed");
    let mut noted = json_at(&status);
    noted["pid"] = other.into();
    std::fs::write(&status, noted.to_string()).expect("an old status");
    runtime.run_notebook(&edited).works("the cell runs again").line("colab is up, by cloudflare ");
    runtime.run_cell(alive).line("ended None");
    assert_eq!(keepers(&mut runtime).len(), 1);
}

#[test]
fn a_channel_that_does_not_answer_holds_up_no_other() {
    let person = Person::new();
    person.begins(&["--link", "cloudflare"]);
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let asked = Arc::new(AtomicUsize::new(0));
    let address = silent.local_addr().expect("its address");
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in silent.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            held.push(stream);
        }
    });
    let folder = person.stage.home().join("Drive");
    person.configures(
        &format!("ntfy_server = \"http://{address}\"\nannounce_folder = \"{}\"\n", folder.display()),
        &format!("[session.colab.cell]\nfolder = \"{}\"\n", folder.display()),
    );
    let both = ["cell", "colab", "--notebook", "--channel", "ntfy", "--channel", "folder"];
    let notebook = person.stage.moorline(&both).works("both are chosen").stdout;
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    let run = runtime.run_notebook(&with_setting(&notebook, "beat", "600", "1")).works("the cell runs");
    run.line("Announced by folder.");
    run.line("Not announced by ntfy, still trying: ");
    let (file, before) = (folder.join("moorline---OZ09tBwwt2.txt"), asked.load(Ordering::SeqCst));
    let mut heard = BTreeSet::new();
    until("beats to come by the folder", || {
        heard.insert(read(&file));
        heard.len() > 5
    });
    let meanwhile = asked.load(Ordering::SeqCst) - before;
    assert!(meanwhile < 3, "ntfy was asked {meanwhile} times for five beats: it has its own pace");
}

#[test]
fn what_hangs_is_given_up_and_does_not_pile_up() {
    let said = run_parts(
        &["channel"],
        "gate, sent = threading.Event(), []
def send(line, patience):
    sent.append(line)
    gate.wait(20)
channel, clock = Channel('x', send), time.monotonic() + 1
channel.offer('up', 'a')
print(channel.mind(clock), channel.answered)
for _ in range(9):
    clock += 400
    print(channel.mind(clock), channel.answered, channel.problem, channel.owed, len(sent))
gate.set()
while channel.line:
    clock += 400
    channel.mind(clock)
    time.sleep(0.01)
print(channel.answered, channel.problem, channel.owed)
",
    );
    let lines = said.works("they are Python").stdout;
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines[0], "False False", "it was only begun");
    assert_eq!(lines[1], "True True it does not answer up 1", "it is given up");
    assert_eq!(lines[2], "False True it does not answer up 2", "the second attempt begins");
    assert!(lines[9].ends_with("it does not answer up 3"), "three hang, and no fourth is begun: {lines:?}");
    assert_eq!(lines[10], "True None None", "it is sent at last");
}

#[test]
fn a_tunnel_that_leads_nowhere_any_more_is_opened_anew() {
    let person = Person::new();
    let notebook = person.begins(&["--link", "cloudflare"]);
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    runtime.run_notebook(&with_setting(&notebook, "reading", "15", "0.1")).works("the cell runs");
    let status = runtime.file("colab", "status.json");
    let before = json_at(&status);
    // Its program runs on, and has lost its connections for good.
    let unready = runtime.machine().keys().join("fail.unready");
    std::fs::write(&unready, "").expect("it says so");
    until("the tunnel to be given up", || json_at(&status)["endpoint"].is_null());
    std::fs::remove_file(&unready).expect("the network is well");
    until("another one to be announced", || {
        let now = json_at(&status);
        now["endpoint"].is_object() && now["line"] != before["line"]
    });
    let (host, port) = person.tunnels().pop().expect("a tunnel");
    assert_ne!(before["endpoint"]["host"], host.as_str(), "under another name");
    assert_eq!(json_at(&status)["endpoint"]["host"], host.as_str());
    assert_eq!(json_at(&status)["pid"], before["pid"]);
    person.logs_in(port, "true").works("sshd was never touched");
}

#[test]
fn an_address_that_changes_is_announced_anew() {
    let person = Person::new();
    let notebook = person.begins(&["--link", "ngrok"]);
    let mut runtime = person.with_ngrok(&[("MOORLINE_COLAB", KEY), ("NGROK_AUTHTOKEN", AUTHTOKEN)]);
    runtime.run_notebook(&with_setting(&notebook, "reading", "15", "0.1")).works("the cell runs");
    let status = runtime.file("colab", "status.json");
    let before = json_at(&status);
    std::fs::write(runtime.machine().keys().join("endpoints.move"), "")
        .expect("ngrok gives it another address");
    until("that to be announced", || {
        let now = json_at(&status);
        now["endpoint"]["port"].is_u64()
            && now["endpoint"] != before["endpoint"]
            && now["line"] != before["line"]
    });
    let port = json_at(&status)["endpoint"]["port"].as_u64().and_then(|port| u16::try_from(port).ok());
    person.logs_in(port.expect("a port"), "true").works("it leads to the same sshd");
    assert_eq!(json_at(&status)["pid"], before["pid"]);
}
