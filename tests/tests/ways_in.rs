//! The five ways in which people reach a runtime, each restarted three times with new keys and ports.
#![cfg(target_os = "linux")]

use moorline_tests::clients::Client;
use moorline_tests::edge::CloudflareEdge;
use moorline_tests::machine::free_port;
use moorline_tests::relay::{PUBLIC_ADDRESS, Relay};
use moorline_tests::story::PERSONS_CONFIG;
use moorline_tests::tunnels::Ngrok;
use moorline_tests::{Internet, Story};

const RESTARTS: usize = 3;

/// A: ngrok's TCP tunnel, a password printed by the cell. Every restart has another port.
#[test]
fn ngrok_with_the_password_of_the_cell() {
    let mut story = Story::begin();
    story.stage.knows_host("127.0.0.1", "0.tcp.ngrok.io");
    let cell = |story: &Story, port: u16| {
        let password = story.runtime.password();
        format!(
            "Copy authtoken from https://dashboard.ngrok.com/auth\n··········\nRoot password: {password}\ntcp://0.tcp.ngrok.io:{port}\n"
        )
    };
    let mut ngrok = Ngrok::start(story.runtime.port());
    story.paste(&["add", "colab"], &cell(&story, ngrok.port())).works("the cell's text is enough to add");
    story.help_login_without_root();
    story.all_is_well();
    for generation in 1..=RESTARTS {
        story.runtime.restart();
        Client::OpenSsh.connect(&story.stage, "colab").fails("the old endpoint leads nowhere");
        ngrok = Ngrok::start(story.runtime.port());
        story.paste(&["add", "colab"], &cell(&story, ngrok.port())).works("pasting again re-points");
        story.help_login_without_root();
        story.all_is_well();
        // The endpoint stays and leads to whatever listens behind it.
        story.former_key_is_refused(generation);
        ngrok.lead_to(story.runtime.port());
    }
}

/// B: a Cloudflare tunnel under a domain of one's own. The name stays, the key does not.
#[test]
fn named_cloudflare_tunnel() {
    let mut story = Story::begin();
    let internet = Internet::start(&story.stage);
    let cell = format!(
        "Host colab.ada.example.com\n    HostName %h\n    User {}\n    ProxyCommand /usr/local/bin/cloudflared access ssh --hostname %h\npassword: {}\n",
        story.runtime.user(),
        story.runtime.password()
    );
    let edge = CloudflareEdge::open(&internet, "colab.ada.example.com", story.runtime.port());
    story.paste(&["add", "colab"], &cell).works("the cell's text is enough to add");
    story.help_login_without_root();
    story.all_is_well();
    for generation in 1..=RESTARTS {
        story.runtime.restart();
        edge.lead_to(story.runtime.port());
        Client::OpenSsh.refuses_host_key(&story.stage, "colab");
        story.paste(&["repair", "colab"], &cell).works("the same text repairs");
        story.help_login_without_root();
        story.all_is_well();
        story.former_key_is_refused(generation);
    }
}

/// C: a reverse tunnel to a home server that lets everybody in to the port, login by password.
#[test]
fn home_server_that_listens_publicly() {
    let mut story = Story::begin();
    let relay = Relay::start();
    story.stage.knows_host(PUBLIC_ADDRESS, "home.example.net");
    let cell = |story: &Story, port: u16| {
        format!(
            "ssh -p {port} {}@home.example.net\npassword: {}\n",
            story.runtime.user(),
            story.runtime.password()
        )
    };
    let port = free_port();
    story.runtime.reverse_tunnel(&relay, PUBLIC_ADDRESS, port);
    story.paste(&["add", "colab"], &cell(&story, port)).works("the cell's text is enough to add");
    story.help_login_without_root();
    story.all_is_well();
    for generation in 1..=RESTARTS {
        story.runtime.restart();
        // The first two restarts keep the port, as the author's cell does; the last one does not.
        let port = if generation < RESTARTS { port } else { free_port() };
        story.runtime.reverse_tunnel(&relay, PUBLIC_ADDRESS, port);
        let plain = Client::OpenSsh.connect(&story.stage, "colab").fails("the old entry does not do");
        if generation < RESTARTS {
            plain.says("Host key verification failed");
        }
        story.paste(&["repair", "colab"], &cell(&story, port)).works("the cell's text repairs");
        story.help_login_without_root();
        story.all_is_well();
        story.former_key_is_refused(generation);
    }
}

/// D: a reverse tunnel to the loopback of a relay, login by key. The relay is the person's alone, so nobody
/// has to be asked.
#[test]
fn relay_that_is_mine_alone() {
    let mut story = Story::begin();
    let relay = Relay::start();
    let entry = relay.befriend(&story.stage, "relay");
    story.person_writes_config(&format!("{entry}\n{PERSONS_CONFIG}"));
    story.person_knows_hosts();
    let port = free_port();
    story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    let cell = format!("ssh -p{port} {}@127.0.0.1\n", story.runtime.user());
    let arguments = ["add", "colab", "--relay", "relay", "--relay-is-mine-alone", "--from", "-", "--yes"];
    story.stage.moorline_reads(&arguments, &cell).works("the relay vouches for the key");
    story.cell_authorises_login_key();
    story.all_is_well();
    for generation in 1..=RESTARTS {
        story.runtime.restart();
        story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
        story.cell_authorises_login_key();
        Client::OpenSsh.refuses_host_key(&story.stage, "colab");
        story.stage.moorline(&["repair", "colab", "--yes"]).works("it repairs without asking");
        story.all_is_well();
        story.former_key_is_refused(generation);
    }
    let known_hosts = story.stage.text(".ssh/known_hosts");
    let loopback = format!("[127.0.0.1]:{port}");
    assert!(
        !known_hosts.contains(&loopback),
        "{loopback} means something else on every relay:\n{known_hosts}"
    );
}

/// E: `colab_ssh`'s quick tunnel, which has another name after every restart.
#[test]
fn quick_tunnel_with_a_new_name_each_time() {
    let mut story = Story::begin();
    let internet = Internet::start(&story.stage);
    let text =
        moorline_tests::story::fixture("fixtures/paste/colab_ssh-0.3.14..0.3.27-cloudflared-plain.txt");
    let printed = "tension-interracial-it-delivered.trycloudflare.com";
    let cell = |story: &Story, name: &str| {
        // colab_ssh never prints the password, which its caller chose: the person adds it.
        format!("{}\npassword: {}\n", text.replace(printed, name), story.runtime.password())
    };
    CloudflareEdge::open(&internet, printed, story.runtime.port());
    let mut name = printed.to_owned();
    story.paste(&["add", "colab"], &cell(&story, printed)).works("the cell's text is enough to add");
    story.help_login_without_root();
    story.all_is_well();
    for generation in 1..=RESTARTS {
        internet.forget(&name);
        name = format!("bright-new-name-{generation}.trycloudflare.com");
        story.runtime.restart();
        CloudflareEdge::open(&internet, &name, story.runtime.port());
        Client::OpenSsh.connect(&story.stage, "colab").fails("the old name leads nowhere");
        story.paste(&["add", "colab"], &cell(&story, &name)).works("pasting again re-points");
        story.help_login_without_root();
        story.all_is_well();
        story.former_key_is_refused(generation);
    }
}
