//! The line that announces what a cell of the person's own made: which host keys it names, and how it is sent.
#![cfg(target_os = "linux")]

use moorline_tests::Relay;
use moorline_tests::cells::{KEY, Person, read, run_parts};
use moorline_tests::keys::KeyPair;
use moorline_tests::machine::free_port;
use moorline_tests::notebook::NotebookRuntime;
use moorline_tests::outcome::Outcome;

/// What the announce line's own functions say, without its last line, which runs them.
fn with_announce(program: &str) -> Outcome {
    let settings = "settings = {'key_id': '--OZ09tBwwt2', 'session': 'colab'}";
    let without_end = read_announce().replace("announce(endpoint)\n", "");
    run_parts(
        &["keys", "files", "wire", "news", "own_keys", "secrets", "environment"],
        &format!("{without_end}\n{settings}\n{program}"),
    )
}

fn read_announce() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../src-tauri/core/src/announce/cell/announce.py");
    read(std::path::Path::new(path))
}

#[test]
fn the_announce_line_names_the_keys_that_the_desktop_can_pin() {
    let keys = tempfile::tempdir().expect("a folder");
    let path = |name: &str| keys.path().join(name);
    let rsa = KeyPair::generate(&path("ssh_host_rsa_key"), "rsa");
    let ecdsa = KeyPair::generate(&path("ssh_host_ecdsa_key"), "ecdsa");
    let ed25519 = KeyPair::generate(&path("ssh_host_ed25519_key"), "ed25519");
    for (name, text) in [
        ("dsa", "ssh-dss AAAAB3NzaC1kc3MAAACBAO7G root@runtime\n".to_owned()),
        ("short", format!("ssh-rsa {} root@runtime\n", "A".repeat(204))),
        ("empty", String::new()),
    ] {
        let written = std::fs::write(path(&format!("ssh_host_{name}_key.pub")), text);
        assert!(written.is_ok(), "{written:?}");
    }
    let folder = keys.path().display();
    let said = with_announce(&format!(
        "keys = host_keys('{folder}')
print(keys)
body = dict(v=1, kind='up', runtime='AAECAwQFBgcICQoLDA0ODw', born=1795000000, seq=1, at=1795000001,
            endpoints=[dict(link='direct', host='h' * 250 + '.org', port=15873)], user='root')
rsa = keys[-1]
for these in (keys, keys + [rsa, rsa], [rsa.replace('AAAA', 'AAAA' * 500), keys[0]][::-1]):
    line = sealed_with_keys(bytes(32), body, these)
    said = json.loads(base64.urlsafe_b64decode(line.split('.')[2] + '=='))
    print(len(line) <= 2048, len(said['host_keys']), said['host_keys'][0] == keys[0])
"
    ));
    let said = said.works("there are keys").stdout;
    let lines: Vec<&str> = said.lines().collect();
    let wanted = format!("['{}', '{}', '{}']", ed25519.public(), ecdsa.public(), rsa.public());
    assert_eq!(lines[0], wanted, "the best first, and neither DSA nor what is too short");
    assert_eq!(
        lines[1..],
        ["True 3 True", "True 3 True", "True 1 True"],
        "RSA goes first where it is too much"
    );

    let alone = with_announce("sealed_with_keys(bytes(32), dict(v=1), ['ssh-rsa ' + 'A' * 2000])");
    alone.fails("nothing fits").says("No host key fits into the announcement");
    let none = with_announce(&format!("host_keys('{folder}/nowhere')"));
    none.fails("nothing is there").says("There is no Ed25519, ECDSA or RSA host key");
}

#[test]
fn behind_a_relay_the_announce_line_is_left_there_or_says_why_not() {
    let person = Person::new();
    let relay = Relay::start();
    person.stage.put(".ssh/config", relay.befriend(&person.stage, "relay"));
    let port = free_port().to_string();
    person.begins(&["--link", "relay", "--relay", "relay", "--port", &port]);
    let line = person.stage.moorline(&["cell", "colab", "--announce-only"]).works("there is a line").stdout;
    let mut runtime = NotebookRuntime::start(&[("MOORLINE_COLAB", KEY)]);
    let keys = runtime.machine().programs().join("etc-ssh");
    std::fs::create_dir(&keys).expect("a folder for host keys");
    KeyPair::generate(&keys.join("ssh_host_ed25519_key"), "ed25519");
    let mount = format!(
        "import subprocess\nsubprocess.run(['mount', '--bind', '{}', '/etc/ssh'], check=True)",
        keys.display()
    );
    runtime.run_cell(&mount).works("the runtime has host keys of its own");

    let run = runtime.run_cell(&line).works("a relay that does not know this runtime is no reason to stop");
    let why = run.line("Not announced by relay: ");
    assert!(why.contains("Permission denied"), "{why}");
    assert!(why.contains("`moorline cell colab --prepare-relay`"), "{why}");
    person.stage.moorline(&["cell", "colab", "--prepare-relay"]).works("the relay lets it in");
    let run = runtime.run_cell(&line).works("the same line again");
    run.line("Announced by relay.");
    let heard = read(&relay.machine().disk().join(".moorline/--OZ09tBwwt2"));
    let announced = format!("ml1.{}", run.line("ml1."));
    assert_eq!(heard.lines().last(), Some(announced.as_str()), "the file on the relay");
}

#[test]
fn what_the_announce_line_starts_sees_no_secret() {
    let said = with_announce(
        "os.environ.update(MOORLINE_COLAB='mlk1-secret', GIT_TOKEN='git-secret', OF_THE_KERNEL_ALONE='secret',
                  PIP_INDEX_URL='https://index.example')
seen = []
class Done:
    returncode, stderr = 0, ''
def run(argv, env=None, **_):
    seen.append(os.environ if env is None else env)
    return Done
subprocess.run = run
settings.update(relay=dict(host='relay.example', port=22, user='me', host_keys=[]), ntfy_server='', folder='')
importlib.import_module = lambda name: (_ for _ in ()).throw(ImportError(name))
home = os.path.expanduser('~')
shutil.which = lambda program: '/usr/bin/' + program
try:
    send('relay', bytes(32), 1, home, 'line')
except ImportError:
    # Where the package is in none of the places, installing it did nothing here.
    write_key = lambda *_: None
    send('relay', bytes(32), 1, home, 'line')
print(len(seen), 'secret' in str(seen), [env.get('PIP_INDEX_URL') for env in seen], all('PATH' in env for env in seen))
",
    );
    let said = said.works("they are Python").stdout;
    assert_eq!(said, "2 False ['https://index.example', None] True\n");
}
