//! The setup cell elsewhere than on Colab, what it mounts, its heartbeat and goodbye, and how the announce line finds a
//! tunnel that somebody else opened.
#![cfg(target_os = "linux")]

use std::path::Path;

use moorline_tests::cells::{KEY, Person, json_at, read};
use moorline_tests::edge::{CloudflareEdge, Failure};
use moorline_tests::notebook::Host;
use moorline_tests::{Internet, Ntfy, Stage, Watching};
use serde_json::{Value, json};

#[test]
fn kaggle_s_secrets_are_read_by_kaggle_s_own_client() {
    let person = Person::new();
    let notebook = person.begins(&["--link", "cloudflare"]);
    let mut runtime = person.with_cloudflared_on(Host::Kaggle, &[("MOORLINE_COLAB", KEY)]);
    let run = runtime.run_notebook(&notebook).works("the cell runs on Kaggle");
    run.line("colab is up, by cloudflare ");
    assert!(!run.said.contains("Colab"), "nothing is said of Colab: {}", run.said);
    person.logs_in(person.tunnels()[0].1, "true").works("it is the session's runtime");

    let mut runtime = person.with_cloudflared_on(Host::Kaggle, &[]);
    runtime.run_cell(&format!("import os\nos.environ['MOORLINE_COLAB'] = '{KEY}'")).works("it is set");
    let run = runtime.run_notebook(&notebook).works("the environment does, too");
    assert!(run.said.contains("Kaggle's secrets do not give MOORLINE_COLAB (BackendError)"), "{}", run.said);
}

#[test]
fn in_plain_jupyter_the_key_is_typed_at_a_prompt_that_does_not_show_it() {
    let person = Person::new();
    person.begins(&["--link", "cloudflare"]);
    person.configures("", "[session.colab.cell]\ndrive = true\n");
    let mut runtime = person.with_cloudflared_on(Host::Jupyter, &[]);
    let other = KEY.replace("mlk1-1", "mlk1-2");
    let refused = runtime.run_notebook_typing(&person.notebook(), &[&other]);
    assert!(
        !refused.ok && refused.said.contains("another session's key, or an older one"),
        "{}",
        refused.said
    );
    let run = runtime.run_notebook_typing(&person.notebook(), &[KEY]).works("the cell runs");
    assert!(run.said.contains("MOORLINE_COLAB (put it into the Secrets panel"), "it asks: {}", run.said);
    assert!(
        !run.said.contains(KEY) && !refused.said.contains(&other),
        "what is typed is not shown: {}",
        run.said
    );
    assert!(run.said.contains("Drive can be mounted on Colab only"), "{}", run.said);
    person.logs_in(person.tunnels()[0].1, "true").works("it is the session's runtime");
}

#[test]
fn on_colab_drive_is_mounted_where_that_is_wanted() {
    let person = Person::new();
    let without = person.begins(&["--link", "cloudflare"]);
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    runtime.run_notebook(&without).works("the cell runs");
    let mounts = runtime.machine().disk().join("drive-mounts");
    assert_eq!(read(&mounts), "", "nobody asked for it");
    person.configures("", "[session.colab.cell]\ndrive = true\n");
    runtime.run_notebook(&person.notebook()).works("the cell runs");
    assert_eq!(read(&mounts), "/content/drive\n");
}

#[test]
fn a_runtime_beats_while_it_lives_and_says_goodbye() {
    let (person, ntfy) = (Person::new(), Ntfy::start());
    let internet = Internet::start(&person.stage);
    let edge = CloudflareEdge::quick(&internet, &person.noted_tunnels());
    person.begins(&["--link", "cloudflare"]);
    person.configures(&format!("ntfy_server = \"{}\"\n", ntfy.url()), "");
    let often = person.notebook().replace("\\\"beat\\\": 600", "\\\"beat\\\": 1");
    assert_ne!(often, person.notebook(), "the heart beats every ten minutes by itself");
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    let mut watching = Watching::start(&person.stage);
    runtime.run_notebook(&often).works("the cell runs");
    watching.health("colab", "online");
    for _ in 0..3 {
        watching.event("a beat", |event| event["event"] == "announcement" && event["ok"] == true);
    }
    let told = watching.told();
    assert!(told.is_empty(), "a beat is no news for people: {told:?}");
    let status = runtime.file("colab", "status.json");
    assert_eq!(json_at(&status)["announced"], "beat");

    let pid = json_at(&status)["pid"].clone();
    // The tunnel ends with its keeper.
    edge.fail(Failure::TunnelGone);
    runtime.run_cell(&format!("import os, signal\nos.kill({pid}, signal.SIGTERM)")).works("its keeper ends");
    watching.event("the goodbye", |event| event["health"]["cause"]["kind"] == "ended");
    let dropped = watching.notice("dropped");
    assert!(dropped["title"].as_str().is_some_and(|title| title.starts_with("colab dropped: ")), "{dropped}");
}

/// Where the announce line finds the tunnel of a machine on which these servers answer, or why it gives up. Each test has
/// a loopback of its own, since the ports are the makers'.
fn found(servers: &Value, given: &str) -> String {
    let stage = Stage::new();
    let parts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src-tauri/core/src/announce/cell");
    let announce = read(&parts.join("announce.py"));
    let (_, rest) = announce.split_once("def find_endpoint").unwrap_or_default();
    let (find, _) = rest.split_once("def host_keys").unwrap_or_default();
    let code = format!(
        "{}import base64, hmac, http.client, os, urllib.request\n{}\nsettings = {{'listen': None}}\ntime.sleep = lambda _: None\ndef find_endpoint{find}\n\
         print(json.dumps(find_endpoint(sys.argv[2])))\n",
        include_str!("../stand-ins/local_servers.py"),
        ["files.py", "wire.py"].map(|part| read(&parts.join(part))).concat(),
    );
    let python = stage.python().display().to_string();
    let up = "ip link set lo up && exec \"$@\"";
    let alone = ["--user", "--map-root-user", "--net", "sh", "-c", up, "sh", &python, "-c", &code];
    let outcome = stage.run("unshare", &[&alone[..], &[&servers.to_string(), given]].concat());
    if outcome.succeeded() { outcome.stdout.trim().to_owned() } else { outcome.stderr }
}

#[test]
fn the_announce_line_finds_the_tunnel_that_another_cell_opened() {
    let ngrok = r#"{"link": "ngrok", "host": "0.tcp.eu.ngrok.io", "port": 15873}"#;
    let (tcp, web) = ("tcp://0.tcp.eu.ngrok.io:15873", "https://x.ngrok.app");
    let new = json!({ "4040": { "/api/endpoints": { "endpoints": [{ "url": web }, { "url": tcp }] } } });
    assert_eq!(found(&new, ""), ngrok, "the agent of today");
    let old = json!({ "4040": { "/api/tunnels": { "tunnels": [{ "public_url": tcp, "proto": "tcp" }] } } });
    assert_eq!(found(&old, ""), ngrok, "older agents");
    for port in ["20241", "20245"] {
        let quick = json!({ port: { "/quicktunnel": { "hostname": "a-b.trycloudflare.com" } } });
        assert_eq!(found(&quick, ""), r#"{"link": "cloudflare", "host": "a-b.trycloudflare.com"}"#, "{port}");
    }
    let useless = json!({
        "4040": { "/api/endpoints": { "endpoints": [{ "url": web }, { "url": "tcp://h:1;id" }] } },
        "20241": { "/quicktunnel": { "hostname": "" } },
    });
    let others = json!({
        "4040": { "/api/endpoints": ["x"], "/api/tunnels": { "tunnels": { "a": 1 } } },
        "20241": { "/quicktunnel": 7 },
        "20242": { "/quicktunnel": { "hostname": ["x"] } },
        "20243": { "/quicktunnel": "SSH-2.0-OpenSSH_9.2p1\r\n" },
        "20244": { "/quicktunnel": "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{" },
        "20245": { "/quicktunnel": { "hostname": "a b" } },
    });
    for servers in [useless, others] {
        let why = found(&servers, "");
        assert!(why.contains("Neither ngrok nor a quick tunnel runs here"), "{why}");
    }
}

#[test]
fn the_announce_line_takes_the_endpoint_that_it_is_given() {
    let nothing = json!({});
    for (given, link) in [
        ("0.tcp.eu.ngrok.io:15873", json!({ "link": "ngrok", "host": "0.tcp.eu.ngrok.io", "port": 15873 })),
        (
            "tcp://0.tcp.eu.ngrok.io:15873",
            json!({ "link": "ngrok", "host": "0.tcp.eu.ngrok.io", "port": 15873 }),
        ),
        ("bore.pub:7423", json!({ "link": "direct", "host": "bore.pub", "port": 7423 })),
        ("https://a-b.trycloudflare.com/", json!({ "link": "cloudflare", "host": "a-b.trycloudflare.com" })),
    ] {
        let said: Value = serde_json::from_str(&found(&nothing, given)).expect("an endpoint");
        assert_eq!(said, link, "{given}");
    }
}
