//! The first minute: from the tray to `ssh colab`, over each of the five ways in, by mouse and by keyboard alone, with
//! what their cells print, and without a terminal.
#![cfg(target_os = "linux")]

use moorline_tests::cells::Person;
use moorline_tests::clients::Client;
use moorline_tests::edge::CloudflareEdge;
use moorline_tests::first_minute::{Desk, Hand};
use moorline_tests::machine::{Machine, RELAY_NAME as RELAY, free_port};
use moorline_tests::ntfy::Ntfy;
use moorline_tests::page::Driveable;
use moorline_tests::processes::until;
use moorline_tests::screen::clipboard;
use moorline_tests::story::PERSONS_CONFIG;
use moorline_tests::tunnels::Ngrok;
use moorline_tests::{Internet, Page, Relay, Screen, Story, Tray};

/// What the line for one's cell prints from then on.
fn own_fingerprints(desk: &Desk) -> String {
    desk.notebook("!for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done")
}

/// A: ngrok, with a password that the cell prints.
fn ngrok(hand: Hand) {
    if !Machine::takes_passwords() {
        return; // only root can give sshd a password of its own
    }
    let story = Story::begin();
    story.stage.knows_host("127.0.0.1", "0.tcp.eu.ngrok.io");
    let endpoint = Ngrok::start(story.runtime.port());
    let mut desk = Desk::new(story, hand, "A");
    let printed = |desk: &Desk, port: u16| {
        format!(
            "··········\nSSH command: ssh -p{port} root@0.tcp.eu.ngrok.io\nRoot password: {}\n",
            desk.story.runtime.password()
        )
    };
    desk.adds_from_clipboard(&printed(&desk, endpoint.port()));
    desk.presses("go-ahead");
    desk.runs_the_line();
    desk.is_ready();
    desk.took_at_most("the first time", 3, 2);
    assert_ne!(desk.window_remembers("0.tcp.eu.ngrok.io"), Some(false), "what is shown lies in the webview");
    let password = desk.story.runtime.password().to_owned();
    assert_ne!(desk.window_remembers(&password), Some(true), "a pasted password never came to the window");

    desk.story.runtime.restart();
    let endpoint = Ngrok::start(desk.story.runtime.port());
    desk.begin_leg();
    desk.adds_from_clipboard(&printed(&desk, endpoint.port()));
    desk.runs_the_line();
    desk.is_ready();
    desk.took_at_most("a restart", 2, 1);

    desk.story.runtime.restart();
    let endpoint = Ngrok::start(desk.story.runtime.port());
    desk.begin_leg();
    let text = format!("{}{}", printed(&desk, endpoint.port()), own_fingerprints(&desk));
    desk.adds_from_clipboard(&text);
    desk.server.await_titled("Moved to the new machine");
    desk.works();
    desk.took_at_most("with the line in the cell", 0, 0);
    desk.tray.choose("Quit");
    desk.tray.await_end();
}

/// B: a Cloudflare tunnel under a domain of one's own; the password is not printed.
fn named_tunnel(hand: Hand) {
    if !Machine::takes_passwords() {
        return; // the cell speaks of root
    }
    let story = Story::begin();
    let internet = Internet::start(&story.stage);
    let edge = CloudflareEdge::open(&internet, "gpu.example.org", story.runtime.port());
    let printed = "Host gpu.example.org\n\tHostName %h\n\tUser root\n\tPort 22\n\tProxyCommand <PUT_THE_ABSOLUTE_CLOUDFLARE_PATH_HERE> access ssh --hostname %h\n";
    let mut desk = Desk::new(story, hand, "B");
    desk.adds_from_clipboard(printed);
    desk.presses("go-ahead");
    desk.runs_the_line();
    desk.is_ready();
    desk.took_at_most("the first time", 3, 2);
    let _ = edge;
}

/// C: a reverse tunnel to a home server. The cell prints a password; where it leads stands in the cell itself.
fn home_server(hand: Hand) {
    if !Machine::takes_passwords() {
        return; // only root can give sshd a password of its own
    }
    let (story, relay, port) = behind_relay();
    let mut desk = Desk::new(story, hand, "C");
    let printed = format!("Root password: {}\n", desk.story.runtime.password());
    let cell = format!(
        "pw = ''.join(random.choice(string.ascii_letters + string.digits) for _ in range(20))\n\
         !echo root:$pw | chpasswd\n\
         get_ipython().system_raw('/usr/sbin/sshd -D &')\n\
         print(f'Root password: {{pw}}')\n\
         get_ipython().system_raw('export SSH_ASKPASS=/content/answer.sh; export DISPLAY=dummy:0; \\\n    \
         setsid ssh -p {} -oStrictHostKeyChecking=no -fNR {port}:localhost:22 {}@{RELAY} &')\n",
        relay.machine().port(),
        relay.user()
    );
    desk.adds_from_clipboard(&printed);
    desk.page().await_text("The password was read");
    assert_eq!(desk.page().text().matches("address is still missing").count(), 1, "it is said once");
    desk.pastes(&cell, "paste");
    desk.presses("go-ahead");
    desk.runs_the_line();
    desk.is_ready();
    desk.took_at_most("the first time", 3, 2);

    desk.story.runtime.restart();
    desk.story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    desk.begin_leg();
    desk.adds_from_clipboard(&cell);
    desk.runs_the_line();
    desk.is_ready();
    desk.took_at_most("a restart", 2, 1);
}

/// D: a reverse tunnel to a relay, login by keys. The cell prints nothing.
fn relay_by_keys(hand: Hand) {
    if !Machine::takes_passwords() {
        return; // the cell speaks of root
    }
    let (story, relay, port) = behind_relay();
    let mut desk = Desk::new(story, hand, "D");
    let cell = format!(
        "%%sh\nmkdir -p ~/.ssh\n\
         echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAsLCwsLCwsLCwsLCwsLCwsLDA0ODxAREhMUFRYXGBka me@relay' >> ~/.ssh/authorized_keys\n\
         apt install -qq openssh-server > /dev/null\nssh-keygen -t rsa -N \"\" -f ~/.ssh/id_rsa\n\
         echo ListenAddress 127.0.0.1 >> /etc/ssh/sshd_config\nmkdir -p /var/run/sshd\n/usr/sbin/sshd\n\
         ssh -p {} -fNT -R {port}:127.0.0.1:22 {}@{RELAY}\n",
        relay.machine().port(),
        relay.user()
    );
    desk.adds_from_clipboard(&cell);
    desk.presses("go-ahead");
    desk.runs_the_line();
    desk.is_ready();
    desk.took_at_most("the first time", 3, 2);

    desk.story.runtime.restart();
    desk.story.runtime.machine().wipe();
    desk.story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    desk.begin_leg();
    desk.adds_from_clipboard(&cell);
    desk.runs_the_line();
    desk.is_ready();
    desk.took_at_most("a restart", 2, 1);

    // Both lines in the cell: it prints its fingerprints, and lets this computer in.
    desk.story.runtime.restart();
    desk.story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    desk.story.cell_authorises_login_key();
    desk.begin_leg();
    let text = format!("{cell}\n{}", own_fingerprints(&desk));
    desk.adds_from_clipboard(&text);
    desk.server.await_titled("Moved to the new machine");
    desk.works();
    desk.took_at_most("with the two lines in the cell", 0, 0);
}

/// E: `colab_ssh`'s quick tunnel: a link for an editor, and no password.
fn quick_tunnel(hand: Hand) {
    if !Machine::takes_passwords() {
        return; // the cell speaks of root
    }
    let story = Story::begin();
    let internet = Internet::start(&story.stage);
    let host = "tension-foo-bar.trycloudflare.com";
    let edge = CloudflareEdge::open(&internet, host, story.runtime.port());
    let mut desk = Desk::new(story, hand, "E");
    let printed = |host: &str| {
        format!("Open project\nvscode://vscode-remote/ssh-remote+root@{host}:22/content/project\n")
    };
    desk.adds_from_clipboard(&printed(host));
    desk.presses("go-ahead");
    desk.runs_the_line();
    desk.is_ready();
    desk.took_at_most("the first time", 3, 2);
    let _ = edge;

    let next = "another-name-here.trycloudflare.com";
    internet.forget(host);
    desk.story.runtime.restart();
    desk.story.runtime.machine().wipe();
    let _edge = CloudflareEdge::open(&internet, next, desk.story.runtime.port());
    desk.begin_leg();
    desk.adds_from_clipboard(&printed(next));
    desk.runs_the_line();
    desk.is_ready();
    desk.took_at_most("a restart", 2, 1);
}

/// A person who logs in to their relay by a key, and a runtime behind it.
fn behind_relay() -> (Story, Relay, u16) {
    let mut story = Story::begin();
    let relay = Relay::start();
    let entry = relay.befriend(&story.stage, RELAY);
    story.person_writes_config(&format!("{entry}\n{PERSONS_CONFIG}"));
    story.person_knows_hosts();
    let port = free_port();
    story.runtime.reverse_tunnel(&relay, "127.0.0.1", port);
    (story, relay, port)
}

#[test]
fn ngrok_by_mouse() {
    ngrok(Hand::Mouse);
}

#[test]
fn ngrok_by_keyboard() {
    ngrok(Hand::Keyboard);
}

#[test]
fn named_tunnel_by_mouse() {
    named_tunnel(Hand::Mouse);
}

#[test]
fn named_tunnel_by_keyboard() {
    named_tunnel(Hand::Keyboard);
}

#[test]
fn home_server_by_mouse() {
    home_server(Hand::Mouse);
}

#[test]
fn home_server_by_keyboard() {
    home_server(Hand::Keyboard);
}

#[test]
fn relay_by_keys_by_mouse() {
    relay_by_keys(Hand::Mouse);
}

#[test]
fn relay_by_keys_by_keyboard() {
    relay_by_keys(Hand::Keyboard);
}

#[test]
fn quick_tunnel_by_mouse() {
    quick_tunnel(Hand::Mouse);
}

#[test]
fn quick_tunnel_by_keyboard() {
    quick_tunnel(Hand::Keyboard);
}

/// The other door: Moorline makes the cell, and waits until it runs. Nothing is compared.
#[test]
fn a_cell_that_moorline_made_is_copied_and_its_runtime_found() {
    let (person, ntfy) = (Person::new(), Ntfy::start());
    let stage = &person.stage;
    let internet = Internet::start(stage);
    let _edge = CloudflareEdge::quick(&internet, &person.noted_tunnels());
    let screen = Screen::start(stage);
    let window = Driveable::new(stage);
    let tray = Tray::with_agent(stage);
    tray.await_shown();
    until("the window", || screen.windows(stage) == ["Moorline"]);
    let page = Page::open(stage, window);
    page.await_text("Make me a cell");
    page.click("#make-cell");
    page.await_text("Cloudflare");
    page.picture("cell-1");
    page.click("#make");
    page.await_text("Copy the notebook secret");
    // A message service of one's own; the public one cannot be had here.
    person.configures(&format!("ntfy_server = \"{}\"\n", ntfy.url()), "");
    page.click("#copy-cell");
    until("the cell in the clipboard", || clipboard(stage, "UTF8_STRING").contains("MOORLINE_COLAB"));
    let cell = clipboard(stage, "UTF8_STRING");
    page.click("#copy-secret");
    until("the secret in the clipboard", || clipboard(stage, "UTF8_STRING").starts_with("mlk1-"));
    let secret = clipboard(stage, "UTF8_STRING");
    stage.hide(&secret);
    assert_eq!(clipboard(stage, "x-kde-passwordManagerHint"), "secret", "clipboard histories leave it out");
    assert!(!cell.contains(&secret), "the cell holds no secret");
    page.await_text("Waiting for you to run the cell");
    page.picture("cell-2");

    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", &secret)]);
    runtime.run_cell(&cell).works("the cell runs");
    page.await_text("colab is online");
    page.await_text("ssh colab works");
    page.picture("cell-3");
    Client::OpenSsh.connects(stage, "colab");
    tray.choose("Quit");
    tray.await_end();
}
