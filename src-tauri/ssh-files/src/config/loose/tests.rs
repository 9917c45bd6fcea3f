use super::*;

fn found(config: &str) -> Vec<(String, usize, usize)> {
    let entries = loose_entries(config.as_bytes());
    entries.into_iter().map(|e| (e.alias.to_string(), e.line, e.last_line)).collect()
}

fn is_loose(options: &str) -> bool {
    // A name that says nothing.
    !loose_entries(format!("Host box\n{options}").as_bytes()).is_empty()
}

const NGROK: &str = "HostName 0.tcp.eu.ngrok.io\n";

#[test]
fn each_way_of_switching_checking_off_counts() {
    for off in [
        "StrictHostKeyChecking no",
        "StrictHostKeyChecking=off",
        "stricthostkeychecking \"No\"",
        "  STRICTHOSTKEYCHECKING\taccept-new # the cell said so",
        "StrictHostKeyChecking false\nStrictHostKeyChecking yes",
        "UserKnownHostsFile /dev/null",
        "UserKnownHostsFile=\"/dev/null\" /dev/null\r",
        "UserKnownHostsFile NUL",
        "UserKnownHostsFile none",
        "StrictHostKeyChecking ask\nUserKnownHostsFile /dev/null",
    ] {
        assert!(is_loose(&format!("{NGROK}{off}\n")), "{off:?}");
        assert!(is_loose(&format!("{off}\n{NGROK}")), "the order does not matter: {off:?}");
        assert!(!is_loose(&format!("HostName nas.lan\n{off}\n")), "a machine of the person's own: {off:?}");
    }
    for on in [
        "",
        "# StrictHostKeyChecking no",
        "StrictHostKeyChecking ask",
        "StrictHostKeyChecking yes\nStrictHostKeyChecking no",
        "StrictHostKeyChecking yes\nUserKnownHostsFile /dev/null",
        "UserKnownHostsFile ~/.ssh/known_hosts /dev/null",
        "UserKnownHostsFile ~/null",
        "CheckHostIP no",
        "NoHostAuthenticationForLocalhost yes",
        "Match all\nStrictHostKeyChecking no",
        "Host *\nStrictHostKeyChecking no",
    ] {
        assert!(!is_loose(&format!("{NGROK}{on}\n")), "{on:?}");
    }
}

#[test]
fn what_leads_to_a_tunnel_counts() {
    for way in [
        "HostName x-y.trycloudflare.com.",
        "Hostname=\"ABC.ngrok-free.app\"",
        "HostName bore.pub\nPort 4242",
        "HostName colab-runtime",
        "HostName 127.0.0.1\nPort 7423\nUser root",
        "HostName localhost\nPort 20022\nProxyJump relay",
        "HostName ::1\nPort 7423",
        "ProxyCommand cloudflared access ssh --hostname ssh.example.org",
        "ProxyCommand \"C:\\Program Files\\cloudflared\\Cloudflared.exe\" --loglevel info access tcp --hostname %h",
        "ProxyCommand /home/a/.local/bin/colab ssh --proxy-mode -s t",
        "ProxyCommand=websocat --binary wss://x-y.trycloudflare.com",
    ] {
        assert!(is_loose(&format!("{way}\nStrictHostKeyChecking no\n")), "{way:?}");
        assert!(!is_loose(&format!("{way}\n")), "it leaves checking on: {way:?}");
    }
    for other in [
        "HostName 10.0.0.7\nPort 7423",
        "HostName notngrok.io",
        "HostName trycloudflare.com.example.org",
        "HostName 127.0.0.1\nPort 22",
        "HostName 127.0.0.1",
        "HostName 127.0.0.1\nPort 2222\nUser vagrant",
        "ProxyCommand ssh -W %h:%p colab.lan-gw",
        "ProxyCommand /opt/cloudflared-wrapper ssh",
        "ProxyCommand none",
    ] {
        assert!(!is_loose(&format!("{other}\nStrictHostKeyChecking no\n")), "{other:?}");
    }
    let local = "HostName 127.0.0.1\nPort 7423\nNoHostAuthenticationForLocalhost yes\n";
    assert!(is_loose(local), "that switches it off too, at this computer's own address");
}

#[test]
fn the_name_alone_tells_too() {
    let off = "  StrictHostKeyChecking no\n";
    for name in ["colab", "my-colab-2", "kaggle.gpu", "x-y.trycloudflare.com"] {
        assert_eq!(found(&format!("Host {name}\n{off}")).len(), 1, "{name}");
    }
    for name in ["collab", "web", "git.example.org"] {
        assert_eq!(found(&format!("Host {name}\n{off}")), [], "{name}");
    }
}

#[test]
fn only_a_single_literal_alias_is_meant() {
    let off = "\tStrictHostKeyChecking no\n";
    for one in ["Host colab", "\thost=\"colab\"", "HOST = 'colab' # mine", "\"Host\" colab\r"] {
        assert_eq!(found(&format!("{one}\n{off}")), [("colab".to_owned(), 1, 2)], "{one:?}");
    }
    for other in [
        "Host colab kaggle",
        "Host colab*",
        "Host *.trycloudflare.com",
        "Host colab !x",
        "Host !colab",
        "Host Colab",
        "Host",
        "Host colab_1",
        "Match host colab",
        "HostName colab",
    ] {
        assert_eq!(found(&format!("{other}\n{off}")), [], "{other:?}");
    }
}

#[test]
fn an_entry_ends_with_its_last_option() {
    let config = "User me

# the notebook
Host colab
  HostName 0.tcp.ngrok.io

  # changes every day
  StrictHostKeyChecking no

# home
Host home
  HostName h
host=kaggle
UserKnownHostsFile /dev/null
\tMatch host x
  Port 1
HOST trainer
  HostName a.ngrok.io
  StrictHostKeyChecking no";
    let expected =
        [("colab".to_owned(), 4, 8), ("kaggle".to_owned(), 13, 14), ("trainer".to_owned(), 17, 19)];
    assert_eq!(found(config), expected);
    assert_eq!(found(&config.replace('\n', "\r\n")), expected, "line ends do not matter");
}

#[test]
fn the_managed_block_is_neither_an_entry_nor_a_part_of_one() {
    let block = "# >>> moorline >>>\nHost colab\n  StrictHostKeyChecking no\nHost *\n# <<< moorline <<<\n";
    assert_eq!(found(block), []);
    let around = format!("Host colab\n  StrictHostKeyChecking no\n{block}  Port 7\n");
    assert_eq!(found(&around), [("colab".to_owned(), 1, 2)], "the block's own sections end it");
    let emptied =
        "Host colab\n  StrictHostKeyChecking no\n# >>> moorline >>>\n# <<< moorline <<<\n  Port 7\n";
    assert_eq!(found(emptied), [("colab".to_owned(), 1, 5)], "to ssh, an empty block is a comment");
}

#[test]
fn what_tools_print_is_known() {
    let google = "Host colab
  ProxyCommand /home/alice/.local/bin/colab ssh --proxy-mode -s trainer --gpu T4
  User root
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  RemoteCommand cd /content 2>/dev/null; exec bash -l
";
    assert_eq!(found(google), [("colab".to_owned(), 1, 6)]);
    let vagrant = "Host default
  HostName 127.0.0.1
  User vagrant
  Port 2222
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
";
    assert_eq!(found(vagrant), [], "a machine that runs on this computer");
}
