//! The setup cell in a real Jupyter kernel, with a real sshd behind it.
#![cfg(target_os = "linux")]

use axum::Router;
use moorline_tests::cells::{AUTHTOKEN, KEY, Person, json_at, read, run_parts};
use moorline_tests::keys::KeyPair;
use moorline_tests::machine::free_port;
use moorline_tests::notebook::NotebookRuntime;
use moorline_tests::person::passwd_entry;
use moorline_tests::processes::until;
use moorline_tests::{Internet, Relay};
use serde_json::Value;

/// Runs Python with the parts of the cell that derive and announce.
fn with_parts(program: &str) -> String {
    run_parts(&["keys", "files", "wire"], program).works("the parts are Python").stdout
}

#[test]
fn what_the_cell_derives_is_what_the_desktop_derives() {
    let said = with_parts(&format!(
        "key, generation = read_session_key(' {KEY}\\n')
print(plain64(derive(key, generation, 'key-id', 9)))
print(derive(key, generation, 'announcement-mac', 32).hex())
print(plain64(derive(key, generation, 'ntfy-topic', 18)))
print(derive(key, generation, 'host-key', 32).hex())
print(derive(key, 2, 'relay-key', 32).hex())
body = dict(v=1, kind='up', runtime='AAECAwQFBgcICQoLDA0ODw', born=1795000000, seq=1, at=1795000001,
            endpoints=[dict(link='ngrok', host='0.tcp.eu.ngrok.io', port=15873)], user='root',
            info=dict(gpu='Tesla T4', release='release-colab'))
print(seal(derive(key, generation, 'announcement-mac', 32), '--OZ09tBwwt2', body))
"
    ));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines[..5],
        [
            "--OZ09tBwwt2",
            "595b6bef08ba6953cd7e9669ff6c99139b3374184bdfbc1b335b57428d778ebb",
            "815Srx6Gd7KTLGkPqH9X5ICG",
            "91c2fa8ce5632220e17ba9bebe866d260a775ea1760a86d2fb1820da206affd3",
            "9c596733fd98ca39e0356ff55151554864305615c011b62f6b7277d02ecfe2e3",
        ]
    );
    assert_eq!(lines[5], include_str!("../fixtures/announcement.txt").trim_end());
}

#[test]
fn an_announcement_that_is_too_long_goes_without_its_extras() {
    let said = with_parts(
        "body = dict(v=1, kind='up', endpoints=[], info=dict(gpu='x' * 2000))
line = seal(bytes(32), '--OZ09tBwwt2', body)
print(len(line) <= 2048, 'info' in base64.urlsafe_b64decode(line.split('.')[2] + '==').decode())
",
    );
    assert_eq!(said, "True False\n");
    let long = "seal(bytes(32), '--OZ09tBwwt2', dict(v=1, kind='up', host_keys=['x' * 2000]))";
    run_parts(&["wire"], long).fails("without them it is too long still").says("has at most 2048 bytes");
}

#[test]
fn a_runtime_keeps_who_it_is_and_counts_its_announcements() {
    let said = with_parts(
        "path = os.path.expanduser('~/runtime.json')
first, second = next_of_runtime(path, 7), next_of_runtime(path, 9)
print(first['seq'], second['seq'], first['runtime'] == second['runtime'], second['born'], len(first['runtime']))
open(path, 'w').write('{\"runtime\":')
print(next_of_runtime(path, 11)['born'])
",
    );
    assert_eq!(said, "1 2 True 7 22\n11\n", "and one whose file was cut off is a new one");
}

#[test]
fn a_count_that_cannot_be_kept_goes_on_and_never_begins_again_lower() {
    let said = with_parts(
        "path = os.path.expanduser('~/runtime.json')
kept = next_of_runtime(path, 1000)
nowhere = os.path.expanduser('~/nowhere/runtime.json')
last = next_of_runtime(nowhere, 1001, kept)
print(last['seq'], last['runtime'] == kept['runtime'])
print(next_of_runtime(nowhere, 1600, last)['seq'], next_of_runtime(path, 1601)['seq'])
for odd in ['[1]', '{\"runtime\": \"x\", \"born\": \"y\", \"seq\": 1}', '7']:
    open(path, 'w').write(odd)
    print(next_of_runtime(path, 5)['seq'])
",
    );
    assert_eq!(said, "2 True\n600 601\n1\n1\n1\n", "by the runtime's age, and whatever lies in its file");
}

#[test]
fn a_notebook_makes_its_runtime_reachable_and_running_it_again_is_harmless() {
    let person = Person::new();
    let notebook = person.begins(&["--link", "cloudflare"]);
    assert!(!notebook.contains(KEY) && notebook.contains("SSH shells"), "no secret, but the terms");
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    std::fs::write(runtime.machine().keys().join("fail"), "").expect("the first try is to fail");
    let first = runtime.run_notebook(&notebook).works("the cell runs");
    let (host, port) = person.tunnels().pop().expect("a tunnel was opened, if not at once");
    assert!(
        first.said.contains("Not yet: the tunnel ended: failed to unmarshal quick Tunnel"),
        "{}",
        first.said
    );
    assert!(first.line("colab is up, by cloudflare ").starts_with(&host), "{}", first.said);
    first.line("ml1.");
    first.line("Open it in VS Code: vscode://vscode-remote/ssh-remote+colab/content");
    person.logs_in(port, "true").works("the derived host key is served, and the login key is let in");

    let status = runtime.file("colab", "status.json");
    let identity = json_at(&runtime.file("colab", "runtime.json"));
    let before = json_at(&status);
    let sshd = read(&runtime.file("colab", "sshd.pid"));
    runtime.run_notebook(&notebook).works("the cell runs again");
    let after = json_at(&runtime.file("colab", "runtime.json"));
    assert_eq!(after["runtime"], identity["runtime"], "it is the same runtime");
    assert!(after["seq"].as_u64() > identity["seq"].as_u64(), "and it announced itself again");
    assert_eq!(json_at(&status)["pid"], before["pid"], "by the keeper that was there");
    assert_eq!(read(&runtime.file("colab", "sshd.pid")), sshd, "and the sshd that was there");
    assert_eq!(person.tunnels().len(), 1, "through the tunnel that was there");

    runtime.restart_kernel();
    person.logs_in(port, "true").works("a new kernel cuts nobody off");
    let leak = person.stage.secrets().find_below(&runtime.machine().disk());
    assert!(leak.is_empty(), "the session key is on no disk: {leak:?}");
}

#[test]
fn a_named_tunnel_gets_its_token_from_the_secrets_and_a_key_may_come_from_the_environment() {
    let person = Person::new();
    person.begins(&["--link", "cloudflare", "--host", "ssh.example.org"]);
    let port = free_port();
    let config = person.stage.text(".config/moorline/config.toml");
    let cell = format!("{config}\n[session.colab.cell]\nsshd_port = {port}\n");
    person.stage.put(".config/moorline/config.toml", cell);
    let token = format!("ssh.example.org:{port}");
    let mut runtime = person.with_cloudflared(&[("TUNNEL_TOKEN", &token)]);
    let variable = format!("import os\nos.environ['MOORLINE_COLAB'] = '{KEY}'");
    runtime.run_cell(&variable).works("the key is in the environment");
    let run = runtime.run_notebook(&person.notebook()).works("the cell runs");
    assert!(
        run.said.contains("Secrets panel does not give MOORLINE_COLAB (SecretNotFoundError)"),
        "{}",
        run.said
    );
    run.line("colab is up, by cloudflare ssh.example.org as ");
    assert_eq!(person.tunnels(), [("ssh.example.org".to_owned(), port)]);
    person.logs_in(port, "true").works("at the port that the tunnel was told of");
}

#[test]
fn a_missing_agent_is_fetched_from_its_maker_and_refused_if_it_is_another_file() {
    let person = Person::new();
    let notebook = person.begins(&["--link", "cloudflare"]);
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    let agent = runtime.machine().programs().join("cloudflared");
    let content = std::fs::read(&agent).expect("the stand-in");
    let checksum =
        person.stage.run("sha256sum", &[&agent.display().to_string()]).works("coreutils are there").stdout;
    let checksum = checksum.split_once(' ').expect("a checksum and a name").0;
    std::fs::remove_file(&agent).expect("nobody has installed it yet");
    let internet = Internet::apart(&runtime.machine().keys().join("internet.pem"));
    internet.host("github.com", Router::new().fallback(move || std::future::ready(content.clone())));
    let environment = format!(
        "import os\nos.environ['HTTPS_PROXY'] = '{}'\nos.environ['SSL_CERT_FILE'] = '{}'",
        internet.proxy(),
        internet.certificates().display()
    );
    runtime.run_cell(&environment).works("the way out is in the environment");
    let refused = runtime.run_notebook(&notebook);
    assert!(!refused.ok && refused.said.contains("its checksum differs"), "{}", refused.said);
    assert!(!runtime.file("colab", "cloudflared").exists(), "and nothing was installed");
    let pinned = "fcfb02b575a52ca1af2e3267af4e1517bcdeb30ac48c834c69abaed3c0576ad2";
    assert!(notebook.contains(pinned), "the checksum is in the cell");
    runtime.run_notebook(&notebook.replace(pinned, checksum)).works("the very file is taken");
    person.logs_in(person.tunnels()[0].1, "true").works("its tunnel leads to sshd");
}

#[test]
fn a_tunnel_that_dies_is_opened_anew_and_announced_with_its_new_name() {
    let person = Person::new();
    let notebook = person.begins(&["--link", "cloudflare"]);
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    runtime.run_notebook(&notebook).works("the cell runs");
    let before = json_at(&runtime.file("colab", "status.json"));
    let stop = runtime.run_cell("import subprocess\nsubprocess.run(['pkill', '-f', 'cloudflared tunnel'])");
    stop.works("the tunnel is killed");
    let status = runtime.file("colab", "status.json");
    until("a new tunnel to be announced", || {
        let now = json_at(&status);
        now["endpoint"].is_object() && now["endpoint"] != before["endpoint"] && now["line"] != before["line"]
    });
    let (host, port) = person.tunnels().pop().expect("there is a tunnel");
    assert_eq!(json_at(&status)["endpoint"]["host"], host.as_str());
    person.logs_in(port, "true").works("sshd was never touched");
}

#[test]
fn an_edited_cell_replaces_the_keeper_and_drops_nobody() {
    let person = Person::new();
    let notebook = person.begins(&["--link", "cloudflare"]);
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    runtime.run_notebook(&notebook).works("the cell runs");
    let port = person.tunnels()[0].1;
    let sshd = read(&runtime.file("colab", "sshd.pid"));
    let before = json_at(&runtime.file("colab", "status.json"));
    let config = person.stage.text(".config/moorline/config.toml");
    let lines = "setup = [\"env > ~/env.txt\", \"echo \\\"it's\\\" >> ~/runs.txt\"]";
    person.stage.put(".config/moorline/config.toml", format!("{config}\n[session.colab.cell]\n{lines}\n"));
    let edited = person.notebook().replace("\\\"beat\\\": 600", "\\\"beat\\\": 601");
    for _ in 0..2 {
        runtime.run_notebook(&edited).works("the edited cell runs");
    }
    let disk = runtime.machine().disk();
    assert_eq!(read(&disk.join("runs.txt")), "it's\n", "the person's own lines ran once");
    let env = read(&disk.join("env.txt"));
    assert!(
        !env.contains("OF_THE_KERNEL_ALONE") && !env.contains("MOORLINE"),
        "in a clean environment:\n{env}"
    );
    let after = json_at(&runtime.file("colab", "status.json"));
    assert_ne!(after["pid"], before["pid"], "another keeper");
    assert_eq!(read(&runtime.file("colab", "sshd.pid")), sshd, "the same sshd");
    person.logs_in(port, "true").works("at the same port");
    let tunnel = person.tunnels().pop().expect("a tunnel").0;
    assert_eq!(after["endpoint"]["host"], tunnel.as_str(), "the old tunnel is gone with its keeper");
}

#[test]
fn an_ngrok_endpoint_carries_the_announcement_and_its_token_is_nowhere_else() {
    let person = Person::new();
    let notebook = person.begins(&["--link", "ngrok"]);
    let mut runtime = person.with_ngrok(&[("MOORLINE_COLAB", KEY)]);
    let refused = runtime.run_notebook(&notebook);
    assert!(!refused.ok && refused.said.contains("NGROK_AUTHTOKEN is missing"), "{}", refused.said);

    let mut runtime = person.with_ngrok(&[("MOORLINE_COLAB", KEY), ("NGROK_AUTHTOKEN", AUTHTOKEN)]);
    let run = runtime.run_notebook(&notebook).works("the cell runs");
    let noted = json_at(&runtime.machine().keys().join("endpoints"));
    let place = noted["url"].as_str().and_then(|url| url.strip_prefix("tcp://")).expect("an endpoint");
    run.line(&format!("colab is up, by ngrok {place} as "));
    assert!(noted["metadata"].as_str().is_some_and(|line| line.starts_with("ml1.--OZ09tBwwt2.")), "{noted}");
    let port = place.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("a port");
    person.logs_in(port, "true").works("through the endpoint");
    let mut token = moorline_tests::secrets::Secrets::default();
    token.add(AUTHTOKEN);
    let leak = token.find_below(&runtime.machine().disk());
    assert!(leak.is_empty(), "the authtoken is on no disk: {leak:?}");
}

#[test]
fn the_announce_line_tells_of_a_runtime_that_another_cell_made() {
    let person = Person::new();
    person.begins(&["--link", "ngrok"]);
    let line = person.stage.moorline(&["cell", "colab", "--announce-only"]).works("there is a line").stdout;
    let mut runtime = NotebookRuntime::start(&[("MOORLINE_COLAB", KEY)]);
    let keys = runtime.machine().programs().join("etc-ssh");
    std::fs::create_dir(&keys).expect("a folder for host keys");
    let host_key = KeyPair::generate(&keys.join("ssh_host_ed25519_key"), "ed25519");
    let keys = keys.display();
    let mount =
        format!("import subprocess\nsubprocess.run(['mount', '--bind', '{keys}', '/etc/ssh'], check=True)");
    runtime.run_cell(&mount).works("the runtime has host keys of its own");
    let own_cell = format!(
        "print('sshd started')\n{}",
        line.replace("\"endpoint\": \"\"", "\"endpoint\": \"0.tcp.eu.ngrok.io:15873\"")
    );
    let run = runtime.run_cell(&own_cell).works("the line stands at the end of a cell");
    let read_it = "import base64, json, sys
_, kid, body, mac = sys.argv[1].split('.')
print(json.dumps(json.loads(base64.urlsafe_b64decode(body + '=='))))";
    let announced = format!("ml1.{}", run.line("ml1."));
    let body =
        person.stage.run(person.stage.python(), &["-c", read_it, &announced]).works("it is an announcement");
    let body: Value = serde_json::from_str(&body.stdout).expect("JSON");
    assert_eq!(body["host_keys"], serde_json::json!([host_key.public()]), "{body}");
    assert_eq!(body["endpoints"][0]["link"], "ngrok", "{body}");
    assert_eq!((&body["kind"], &body["seq"]), (&"up".into(), &1.into()), "{body}");
}

#[test]
fn behind_a_relay_the_runtime_takes_its_port_and_leaves_its_announcement() {
    let person = Person::new();
    let relay = Relay::start();
    let entry = relay.befriend(&person.stage, "relay");
    person.stage.put(".ssh/config", entry);
    let port = free_port().to_string();
    let link = ["--link", "relay", "--relay", "relay", "--port", &port];
    person.begins(&link);
    let prepared = person.stage.moorline(&["cell", "colab", "--notebook", "--prepare-relay"]);
    let prepared = prepared.works("the relay lets the runtime in");
    assert!(prepared.stderr.contains("one port, one command"), "{prepared}");
    let keys = read(&relay.machine().disk().join(".ssh/authorized_keys"));
    assert!(keys.contains(&format!("permitlisten=\"127.0.0.1:{port}\"")), "{keys}");
    let mut runtime = NotebookRuntime::start(&[("MOORLINE_COLAB", KEY)]);
    let run = runtime.run_notebook(&prepared.stdout).works("the cell runs");
    run.line(&format!("colab is up, by relay {port} as "));
    run.line("Announced by relay.");
    let heard = read(&relay.machine().disk().join(".moorline/--OZ09tBwwt2"));
    assert_eq!(
        heard.lines().last(),
        Some(format!("ml1.{}", run.line("ml1.")).as_str()),
        "the file on the relay"
    );
    person.logs_in(port.parse().expect("a port"), "true").works("through the relay's port");

    // The machine is taken away, and another one comes while the relay may still hold the port for the first.
    runtime.reclaim();
    let run = runtime.run_notebook(&prepared.stdout).works("the cell runs on the next machine");
    run.line(&format!("colab is up, by relay {port} as "));
    person.logs_in(port.parse().expect("a port"), "true").works("under the same host key");
}

#[test]
fn what_the_kernel_asked_for_is_not_what_others_get() {
    let person = Person::new();
    let notebook = person.begins(&["--link", "cloudflare"]);
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", &KEY.replace("mlk1-1", "mlk1-2"))]);
    let refused = runtime.run_notebook(&notebook);
    assert!(
        !refused.ok && refused.said.contains("another session's key, or an older one"),
        "{}",
        refused.said
    );
    assert!(!refused.said.contains("AAECAwQF"), "a key is never repeated: {}", refused.said);
    assert!(person.tunnels().is_empty(), "and nothing was opened");
}

#[test]
fn sshd_takes_the_one_key_and_no_password() {
    let person = Person::new();
    let notebook = person.begins(&["--link", "cloudflare"]);
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    runtime.run_notebook(&notebook).works("the cell runs");
    let port = person.tunnels()[0].1;
    person.logs_in(port, "true").works("with the login key");
    let refused = person.stage.run(
        "ssh",
        &[
            "-F",
            "none",
            "-v",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "IdentityFile=none",
            "-p",
            &port.to_string(),
            "-l",
            &passwd_entry().0,
            "127.0.0.1",
            "true",
        ],
    );
    refused.fails("without it").says("Authentications that can continue: publickey\r");
}
