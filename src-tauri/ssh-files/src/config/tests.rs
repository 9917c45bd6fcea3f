use super::*;
use crate::names::UserName;

fn direct(alias: &str) -> HostEntry {
    HostEntry {
        alias: alias.parse().unwrap(),
        host_name: "0.tcp.eu.ngrok.io".parse().unwrap(),
        port: Some("15873".parse().unwrap()),
        user: UserName::root(),
        identity_file: "~/.ssh/moorline_ed25519".parse().unwrap(),
        known_hosts_file: "~/.ssh/known_hosts".parse().unwrap(),
        proxy_command: None,
    }
}

fn proxied(alias: &str) -> HostEntry {
    let alias: Alias = alias.parse().unwrap();
    let command = ProxyCommand::from_argv(["/opt/moorline-proxy", alias.as_str()]).unwrap();
    HostEntry {
        host_name: alias.to_host_name(),
        port: None,
        proxy_command: Some(command),
        ..direct(alias.as_str())
    }
}

fn applied(original: &str, entries: &[HostEntry]) -> String {
    String::from_utf8(apply(original.as_bytes(), entries).unwrap()).unwrap()
}

const DIRECT: &str = "# >>> moorline >>> managed: edits inside are replaced
Host colab
    HostName 0.tcp.eu.ngrok.io
    Port 15873
    User root
    HostKeyAlias colab
    StrictHostKeyChecking yes
    UserKnownHostsFile ~/.ssh/known_hosts
    UpdateHostKeys no
    CheckHostIP no
    ForwardAgent no
    ControlPath none
    RemoteCommand none
    IdentityFile ~/.ssh/moorline_ed25519
    IdentitiesOnly yes
    PubkeyAuthentication yes
    PreferredAuthentications publickey,keyboard-interactive,password
    ServerAliveInterval 15
    ServerAliveCountMax 3
    ConnectTimeout 15
Host *
# <<< moorline <<<
";

#[test]
fn a_direct_entry_stands_at_the_top() {
    assert_eq!(applied("", &[direct("colab")]), DIRECT);
    assert_eq!(applied("User alice", &[direct("colab")]), format!("{DIRECT}User alice"));
}

#[test]
fn a_proxied_entry_names_itself_and_ends_with_its_command() {
    let text = applied("", &[proxied("trainer")]);
    assert!(text.contains("Host trainer\n    HostName trainer\n    User root\n"), "{text}");
    assert!(
        text.contains("    ConnectTimeout 15\n    ProxyCommand /opt/moorline-proxy trainer\nHost *\n"),
        "{text}"
    );
}

#[test]
fn entries_come_and_go_and_nothing_else_moves() {
    for original in ["", "\n", "User x", "Host a\r\n  Port 1\r\n", "Host a\n\n\n  Port 1", "# c\n"] {
        let one = applied(original, &[direct("a")]);
        let two = applied(&one, &[direct("a"), proxied("b")]);
        assert_eq!(applied(&two, &[direct("a"), proxied("b")]), two, "a second run writes nothing");
        assert_eq!(applied(&two, &[direct("a")]), one);
        assert_eq!(applied(&two, &[]), original);
        assert_eq!(applied(original, &[]), original);
    }
}

#[test]
fn the_block_is_replaced_where_it_stands() {
    let moved = format!("Include ~/.orbstack/ssh/config\n{DIRECT}Host z\n");
    let text = applied(&moved, &[proxied("b")]);
    assert!(text.starts_with("Include ~/.orbstack/ssh/config\n# >>> moorline >>>"), "{text}");
    assert!(text.ends_with("# <<< moorline <<<\nHost z\n"), "{text}");
    assert_eq!(applied(&text, &[]), "Include ~/.orbstack/ssh/config\nHost z\n");
}

#[test]
fn markers_are_known_by_their_words_not_their_blanks() {
    let text = "a 1\n  # >>> moorline >>> old words\t\r\nHost x\n\t# <<< moorline <<<  ";
    assert_eq!(applied(text, &[]), "a 1\n");
    assert_eq!(applied("#x # >>> moorline >>>\n", &[]), "#x # >>> moorline >>>\n");
}

#[test]
fn our_lines_end_as_most_lines_do() {
    let text = applied("Host a\r\n  Port 1\r\n# x\n", &[direct("c")]);
    assert_eq!(
        text.matches('\n').count(),
        text.matches("\r\n").count() + 1,
        "only the foreign LF line is bare"
    );
}

#[test]
fn each_unsafe_file_is_refused_for_its_own_reason() {
    let cases: [(&[u8], ConfigError); 11] = [
        (b"\xef\xbb\xbfHost a\n", ConfigError::ByteOrderMark),
        (b"\xff\xfeH\0o\0", ConfigError::Utf16),
        (b"\xfe\xff\0H\0o", ConfigError::Utf16),
        (b"H\0o\0s\0t\0", ConfigError::Utf16),
        (b"Host a\n  Port 1\0\n", ConfigError::Nul { line: 2 }),
        (b"Host a\r  Port 1\r", ConfigError::CrOnly),
        (b"x y\n# >>> moorline >>>\n", ConfigError::Unclosed { line: 2 }),
        (b"# <<< moorline <<<\n", ConfigError::Unopened { line: 1 }),
        (b"# >>> moorline >>>\n# >>> moorline >>>\n", ConfigError::Duplicate { line: 2 }),
        (
            b"# >>> moorline >>>\n# <<< moorline <<<\n# >>> moorline >>>\n# <<< moorline <<<\n",
            ConfigError::Duplicate { line: 3 },
        ),
        (b"# <<< moorline <<<\n# >>> moorline >>>\n", ConfigError::Unopened { line: 1 }),
    ];
    for (text, error) in cases {
        assert_eq!(apply(text, &[direct("a")]), Err(error), "{text:?}");
        assert_eq!(apply(text, &[]), Err(error), "forgetting is no safer than adding: {text:?}");
        assert_eq!(check(text), Err(error));
    }
    assert!(check(b"Host a\r\n  Port 1 \r x\n").is_ok(), "a lone CR inside a line is blank space to ssh");
}

#[test]
fn literal_host_patterns_outside_the_block_are_found() {
    let alias: Alias = "colab".parse().unwrap();
    for (text, line) in [
        ("Host colab\n", Some(1)),
        ("# x\n\thost=a \"colab\" b\r\n", Some(2)),
        ("HOST = 'colab'\n", Some(1)),
        ("\"Host\" x colab\n", Some(1)),
        ("Host a # colab\n", None),
        ("Host !colab *\n", None),
        ("Host col* colab? Colab\n", None),
        ("HostName colab\n", None),
        ("Match host colab\n", None),
        ("", None),
    ] {
        assert_eq!(foreign_entry(text.as_bytes(), &alias), line, "{text:?}");
    }
    assert_eq!(foreign_entry(DIRECT.as_bytes(), &alias), None, "our own entry is not foreign");
    assert_eq!(foreign_entry(format!("{DIRECT}Host colab\n").as_bytes(), &alias), Some(23));
}

#[test]
fn options_that_a_removal_would_move_are_named() {
    let below = format!("Host z\n{DIRECT}# c\n\nPort 2222\n");
    assert_eq!(scope_changed_by_removal(below.as_bytes()), Some(26));
    assert_eq!(scope_changed_by_removal(format!("Port 1\n{DIRECT}Port 2\n").as_bytes()), None);
    assert_eq!(scope_changed_by_removal(format!("Host z\n{DIRECT}Host y\n Port 2\n").as_bytes()), None);
}

#[test]
fn patterns_claim_a_name_unless_they_mean_everybody() {
    let alias: Alias = "gpu1".parse().unwrap();
    for (config, line) in [
        ("Host gpu*\n", Some(1)),
        ("Port 22\nHost other g?u1\n", Some(2)),
        ("Host gpu* !gpu1\n", None),
        ("Host *\n", None),
        ("Host ?*\n", None),
        ("Host !x\n", None),
        ("Host gp\nHost gpu\nHost gpu12\n", None),
        ("Match host gpu*\n", None),
    ] {
        assert_eq!(foreign_pattern(config.as_bytes(), &alias), line, "{config}");
    }
}

#[test]
fn includes_are_named_as_they_stand() {
    let config = b"Include a \"b c\"\nHost x\n  include=~/.d/*\n# Include no\n";
    assert_eq!(included_files(config), [&b"a"[..], b"b c", b"~/.d/*"]);
}
