//! The harness itself: what the other tests stand on must be real.
#![cfg(target_os = "linux")]

use moorline_tests::clients::{self, Client};
use moorline_tests::faults::{Fault, strike, survey};
use moorline_tests::keys::KeyPair;
use moorline_tests::machine::{Machine, free_port};
use moorline_tests::relay::PUBLIC_ADDRESS;
use moorline_tests::tunnels::{Cloudflare, Ngrok};
use moorline_tests::{Desktop, Relay, Runtime, Stage};

/// A stage without `moorline`, whose tests are about the harness alone.
fn stage() -> Stage {
    Stage::with_program("/bin/true".as_ref())
}

/// Files as a person would write them by hand.
fn by_hand(stage: &Stage, runtime: &Runtime, way: &str, name_on_line: &str) {
    stage.put(".ssh/placeholder", "");
    let key = match stage.ssh_dir().join("id_test") {
        path if path.exists() => KeyPair { path },
        path => KeyPair::generate(&path, "ed25519"),
    };
    runtime.machine().authorise(&key.public());
    let user = runtime.user();
    stage.put(".ssh/config", format!("Host colab\n    User {user}\n    IdentityFile ~/.ssh/id_test\n    StrictHostKeyChecking yes\n{way}"));
    let pinned = format!("{name_on_line} {}\n", runtime.host_key().public());
    stage.put(".ssh/known_hosts", pinned);
}

#[test]
fn every_client_reaches_a_runtime_and_refuses_its_successor() {
    let (stage, mut runtime) = (stage(), Runtime::start());
    let port = runtime.port();
    by_hand(
        &stage,
        &runtime,
        &format!("    HostName 127.0.0.1\n    Port {port}\n"),
        &format!("[127.0.0.1]:{port}"),
    );
    for client in clients::ALL {
        client.connects(&stage, "colab");
    }
    runtime.restart_on_same_port();
    for client in clients::ALL {
        client.refuses_host_key(&stage, "colab");
    }
    runtime.serve_keys_of(0);
    let key = KeyPair { path: stage.ssh_dir().join("id_test") };
    runtime.machine().authorise(&key.public());
    for client in clients::ALL {
        client.connects(&stage, "colab");
    }
}

#[test]
fn a_restart_brings_another_port_another_key_and_an_empty_disk() {
    let mut runtime = Runtime::start();
    let (port, key) = (runtime.port(), runtime.host_key().public());
    std::fs::write(runtime.machine().disk().join("work"), "unsaved").expect("the disk is writable");
    runtime.restart();
    assert_ne!(runtime.port(), port, "a new machine has a new port");
    assert_ne!(runtime.host_key().public(), key, "a new machine has a new key");
    assert!(!runtime.machine().disk().join("work").exists(), "a new machine has an empty disk");
}

#[test]
fn the_password_of_the_cell_logs_in() {
    if !Machine::takes_passwords() {
        return; // sshd reads /etc/shadow, which only root can stand in for; the practice server covers it then
    }
    let (stage, runtime) = (stage(), Runtime::start());
    let asks = "#!/bin/sh\ncat \"$PASSWORD_FILE\"\n";
    let (askpass, answer) = (stage.programs().join("askpass"), stage.runtime_dir().join("answer"));
    std::fs::write(&askpass, asks).expect("a program that answers");
    std::fs::set_permissions(&askpass, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("it may run");
    stage.set_env("SSH_ASKPASS", &askpass);
    stage.set_env("SSH_ASKPASS_REQUIRE", "force");
    stage.set_env("PASSWORD_FILE", &answer);
    let port = runtime.port().to_string();
    let to = format!("{}@127.0.0.1", runtime.user());
    let options = [
        "-o",
        "StrictHostKeyChecking=accept-new",
        "-o",
        "NumberOfPasswordPrompts=1",
        "-p",
        &port,
        &to,
        "true",
    ];
    std::fs::write(&answer, "not-the-password").expect("an answer");
    stage.run("ssh", &options).fails("a wrong password is refused");
    std::fs::write(&answer, runtime.password()).expect("an answer");
    stage.run("ssh", &options).works("the right password is taken");
}

#[test]
fn an_ngrok_endpoint_leads_to_the_runtime() {
    let (stage, mut runtime) = (stage(), Runtime::start());
    let ngrok = Ngrok::start(runtime.port());
    let port = ngrok.port();
    stage.knows_host("127.0.0.1", "0.tcp.ngrok.io");
    let way = format!("    HostName 0.tcp.ngrok.io\n    Port {port}\n");
    by_hand(&stage, &runtime, &way, &format!("[0.tcp.ngrok.io]:{port}"));
    Client::OpenSsh.connects(&stage, "colab");
    runtime.restart();
    Client::OpenSsh.connect(&stage, "colab").fails("the old endpoint leads nowhere");
    ngrok.lead_to(runtime.port());
    Client::OpenSsh.refuses_host_key(&stage, "colab");
}

#[test]
fn a_cloudflare_host_name_leads_to_the_runtime() {
    let (stage, runtime) = (stage(), Runtime::start());
    let cloudflare = Cloudflare::install(&stage);
    cloudflare.only_tunnel(&stage, "a-b-c.trycloudflare.com", runtime.port());
    let way = "    HostName a-b-c.trycloudflare.com\n    ProxyCommand cloudflared access ssh --hostname %h\n";
    by_hand(&stage, &runtime, way, "a-b-c.trycloudflare.com");
    for client in clients::ALL {
        client.connects(&stage, "colab");
    }
    cloudflare.only_tunnel(&stage, "d-e-f.trycloudflare.com", runtime.port());
    Client::OpenSsh.connect(&stage, "colab").fails("the tunnel is gone").says("bad handshake");
}

#[test]
fn a_reverse_tunnel_is_reached_through_the_relay_and_at_its_public_address() {
    let (stage, mut runtime, relay) = (stage(), Runtime::start(), Relay::start());
    let (inner, public) = (free_port(), free_port());
    runtime.reverse_tunnel(&relay, "127.0.0.1", inner);
    runtime.reverse_tunnel(&relay, PUBLIC_ADDRESS, public);
    let way =
        format!("    HostName colab\n    ProxyCommand ssh -o BatchMode=yes -W 127.0.0.1:{inner} relay\n");
    by_hand(&stage, &runtime, &way, "colab");
    let entry = relay.befriend(&stage, "relay");
    stage.put(".ssh/config", format!("{}\n{entry}", stage.text(".ssh/config")));
    for client in clients::ALL {
        client.connects(&stage, "colab");
    }
    let to_relay = stage.run("ssh", &["-o", "BatchMode=yes", "relay", "echo on the relay"]);
    to_relay.works("the person logs in to the relay").says("on the relay");
    let way = format!("    HostName {PUBLIC_ADDRESS}\n    Port {public}\n");
    by_hand(&stage, &runtime, &way, &format!("[{PUBLIC_ADDRESS}]:{public}"));
    Client::OpenSsh.connects(&stage, "colab");
}

#[test]
fn the_keyring_is_real_and_survives_its_daemon() {
    let stage = stage();
    let mut desktop = Desktop::start(&stage);
    let secret = "kept-for-a-while";
    stage.hide(secret);
    let store = ["store", "--label=test", "session", "colab"];
    stage.run_with_input("secret-tool", &store, secret).works("the keyring takes a secret");
    let look = || stage.run("secret-tool", &["lookup", "session", "colab"]).stdout;
    assert_eq!(look(), secret, "the keyring gives it back");
    desktop.restart_keyring(&stage);
    assert_eq!(look(), secret, "it is there after the daemon came back");
}

#[test]
fn a_fault_strikes_the_chosen_call() {
    let scratch = tempfile::Builder::new().tempdir_in("/tmp").expect("a scratch folder");
    let program = scratch.path().join("program");
    let script = "#!/bin/sh\nset -e\necho one >~/a.tmp\nmv ~/a.tmp ~/a\necho two >~/b.tmp\nmv ~/b.tmp ~/b\n";
    std::fs::write(&program, script).expect("a program that changes files");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("it may run");
    let stage = Stage::with_program(&program);
    let (calls, outcome) = survey(&stage, &[], "");
    outcome.works("the program itself works");
    assert_eq!((stage.text("a"), stage.text("b")), ("one\n".into(), "two\n".into()), "it ran to its end");
    let renames: Vec<_> = calls.iter().filter(|call| call.name.starts_with("rename")).collect();
    assert_eq!(renames.len(), 2, "both renames were seen: {calls:?}");
    for (call, fault) in [(renames[1], Fault::Kill), (renames[1], Fault::Error("ENOSPC"))] {
        for name in ["a", "b"] {
            std::fs::remove_file(stage.home().join(name)).expect("it was made by the last run");
        }
        // Each `mv` is a process of its own, so the first rename of any is the first that is struck.
        strike(&stage, call, fault, &[], "").fails("the fault ends the program");
        assert!(
            stage.text("a").is_empty() && stage.text("a.tmp") == "one\n",
            "it struck before the rename was done"
        );
        stage.run("moorline", &[]).works("and it can run again");
    }
}

#[test]
fn the_home_of_the_stage_is_the_one_that_ssh_looks_into() {
    let stage = stage();
    stage.put(".ssh/config", "Host colab\n    HostName only.here\n");
    stage.run("ssh", &["-G", "colab"]).works("ssh reads the config").says("hostname only.here");
    stage.run("/bin/sh", &["-c", "echo x > ~/.ssh/left"]).works("the home is writable");
    assert!(stage.ssh_dir().join("left").exists(), "what is written there lands in the throw-away home");
}

/// The stage plays the machine on which `make test` is typed; its home is the one that must not be reached.
#[test]
fn what_make_test_runs_cannot_reach_the_home() {
    let stage = stage();
    stage.put_program("apart", include_str!("../../scripts/apart.sh"));
    stage.put(".ssh/config", "Host a-marker\n    HostName only.here\n");
    stage.put(".cargo/tool", "needed");
    let look =
        "echo in: $(ls -A ~) and $(cat ~/.cargo/tool); ssh -G a-marker; mkdir ~/.ssh && echo x >~/.ssh/left";
    stage
        .run("/bin/sh", &["-c", look])
        .fails("without it, the home is the person's")
        .says("hostname only.here");
    let apart = stage.run("apart", &["/bin/sh", "-c", look]).works("with it, there is another home");
    let apart = apart.says("in: .cargo and needed").says("hostname a-marker\n");
    assert!(!apart.stderr.contains("no mount namespaces"), "it needed no way around:\n{apart}");
    assert!(!stage.ssh_dir().join("left").exists(), "nor does what is written there land in the person's");
}

#[test]
#[should_panic(expected = "secrets were left on disk")]
fn a_secret_left_behind_fails_the_test() {
    let stage = stage();
    stage.hide("do-not-leave-this");
    stage.put(".local/state/some.log", "password=do-not-leave-this");
}
