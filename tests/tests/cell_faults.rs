//! What may go wrong where the setup cell runs: the runtime is reachable all the same, or the cell says why not.
#![cfg(target_os = "linux")]

use moorline_tests::cells::{KEY, Person, read, run_parts};
use moorline_tests::keys::KeyPair;
use moorline_tests::machine::Machine;
use moorline_tests::person::is_root;

#[test]
fn what_a_person_wants_besides_keeps_nobody_out() {
    let person = Person::new();
    person.begins(&["--link", "cloudflare"]);
    let wishes = "drive = true\ngit = \"https://git.example.org/me/project\"\nsetup = [\"echo ran > ~/ran\"]";
    person.configures("", &format!("[session.colab.cell]\n{wishes}\n"));
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
    let disk = runtime.machine().disk();
    std::fs::create_dir(disk.join("drive-mounts")).expect("Drive refuses");
    // Neither git nor bash lies beside sshd.
    let bare = format!("import os\nos.environ['PATH'] = '{}'", runtime.machine().programs().display());
    runtime.run_cell(&bare).works("the kernel finds little");
    let run = runtime.run_notebook(&person.notebook()).works("the cell runs to its end");
    run.line("Google Drive was not mounted: mount failed. ");
    run.line("https://git.example.org/me/project was not cloned: git is not installed here");
    run.line("Your own set-up lines did not run: bash is not installed here");
    let up = run.said.find("colab is up, by cloudflare ").expect("it is up");
    assert!(up < run.said.find("was not mounted").unwrap_or(0), "before anything else: {}", run.said);
    let port = person.tunnels()[0].1;
    person.logs_in(port, "true").works("the runtime is reachable");

    let all = "import os\nos.environ['PATH'] += ':/usr/bin:/bin'";
    runtime.run_cell(all).works("they are installed");
    let run = runtime.run_notebook(&person.notebook()).works("the cell runs again");
    assert!(!run.said.contains("did not run"), "{}", run.said);
    assert_eq!(read(&disk.join("ran")), "ran\n", "what did not run is made up for");
}

#[test]
fn a_port_that_another_sshd_holds_is_no_success() {
    let person = Person::new();
    person.begins(&["--link", "cloudflare"]);
    let mut other = Machine::new("another sshd");
    other.serve(&[KeyPair::generate(&other.keys().join("host"), "ed25519")], None);
    let taken = other.port();
    let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);

    // One that was free when it was chosen is chosen anew.
    let chosen = runtime.file("colab", "sshd_port");
    std::fs::create_dir_all(chosen.parent().expect("it has a folder")).expect("the session's folder");
    std::fs::write(&chosen, taken.to_string()).expect("it was free then");
    runtime.run_notebook(&person.notebook()).works("there are other ports");
    let port = person.tunnels()[0].1;
    assert_ne!(port, taken);
    person.logs_in(port, "true").works("at another port");

    // One that was asked for is another's.
    runtime.reclaim();
    person.configures("", &format!("[session.colab.cell]\nsshd_port = {taken}\n"));
    let refused = runtime.run_notebook(&person.notebook());
    let what =
        format!("The cell's sshd does not answer on port {taken} of 127.0.0.1: Bind to port {taken} on ");
    assert!(!refused.ok && refused.said.contains(&what), "{}", refused.said);
    assert!(
        refused.said.contains("failed: Address already in use; another port is set by sshd_port"),
        "{}",
        refused.said
    );
    assert_eq!(person.tunnels().len(), 1, "and nothing leads there");
}

#[test]
fn a_locked_account_is_let_in_and_keeps_its_password() {
    if !is_root() {
        return; // Nobody else can play another /etc/shadow, and no other's cell touches it.
    }
    for (field, usermod, after) in [
        ("!", "true", "*"),
        ("!*", "true", "*"),
        ("!", "exit 1", "!"),
        ("!$6$salt$hash", "true", "!$6$salt$hash"),
        ("*", "true", "*"),
    ] {
        let person = Person::new();
        let notebook = person.begins(&["--link", "cloudflare"]);
        let mut runtime = person.with_cloudflared(&[("MOORLINE_COLAB", KEY)]);
        let etc = runtime.machine().programs().join("etc");
        let lock = format!(
            "import subprocess, pathlib
program = pathlib.Path('{programs}/usermod')
program.write_text('#!/bin/sh\\n{usermod} && exec /usr/sbin/usermod \"$@\"\\n')
program.chmod(0o755)
subprocess.run(['cp', '-a', '/etc', '{etc}'], check=True)
subprocess.run(['mount', '--bind', '{etc}', '/etc'], check=True)
pathlib.Path('/etc/shadow').write_text('root:{field}:19000:0:99999:7:::\\nsshd:*:19000:0:99999:7:::\\n')",
            etc = etc.display(),
            programs = runtime.machine().programs().display(),
        );
        runtime.run_cell(&lock).works("the account is locked");
        runtime.run_notebook(&notebook).works("the cell runs");
        let port = person.tunnels()[0].1;
        person.logs_in(port, "true").works(&format!("root with {field} is let in by key"));
        let shadow = read(&etc.join("shadow"));
        let root = shadow.lines().find_map(|line| line.strip_prefix("root:")).expect("there is root");
        assert_eq!(root.split(':').next(), Some(after), "of {field} with {usermod}");
    }
}

#[test]
fn drive_s_place_is_left_empty_until_it_is_mounted() {
    let said = run_parts(
        &["files", "news"],
        "DRIVE = os.path.expanduser('~/drive')
for folder in (DRIVE, DRIVE + '/MyDrive/x', DRIVE + 's/x'):
    try:
        put_into_folder(folder, 'kid', 'line')
        print(os.listdir(folder))
    except OSError as error:
        print(error)
print(os.path.exists(DRIVE))
",
    );
    let said = said.works("they are Python").stdout;
    let not = "Google Drive is not mounted\n";
    assert_eq!(said, format!("{not}{not}['moorline-kid.txt']\nFalse\n"));
}

#[test]
fn who_shares_the_folder_has_nothing_overwritten() {
    let said = run_parts(
        &["files", "news"],
        r"folder, victim = os.path.expanduser('~/shared'), os.path.expanduser('~/victim')
write_private(victim, 'as it was')
os.mkdir(folder)
os.symlink(victim, os.path.join(folder, f'.moorline-kid.{os.getpid()}'))
os.symlink(victim, os.path.join(folder, 'moorline-kid.txt'))
before = set(os.listdir(folder))
put_into_folder(folder, 'kid', 'line')
placed = os.path.join(folder, 'moorline-kid.txt')
print(read_text(victim), '|', read_text(placed).strip(), os.path.islink(placed), set(os.listdir(folder)) == before)
names = []
replace = os.replace
def watch(fresh, path):
    names.append(os.path.basename(fresh))
    replace(fresh, path)
os.replace = watch
for _ in range(9):
    put_into_folder(folder, 'kid', 'line')
print(len(set(names)), all(re.fullmatch(r'\.moorline-kid\.txt\.[0-9a-f]{24}', name) for name in names))
def fail(fresh, path):
    raise OSError('no replacing here')
os.replace = fail
for put in (lambda: put_into_folder(folder, 'kid', 'line'), lambda: write_private(placed, 'x')):
    try:
        put()
    except OSError as error:
        print(error, set(os.listdir(folder)) == before)
# Even a name that was guessed.
os.urandom = lambda count: bytes(count)
os.symlink(victim, os.path.join(folder, '.moorline-kid.txt.' + 24 * '0'))
try:
    put_into_folder(folder, 'kid', 'line')
except FileExistsError:
    print(read_text(victim))
",
    );
    assert_eq!(
        said.works("they are Python").stdout,
        "as it was | line False True\n9 True\nno replacing here True\nno replacing here True\nas it was\n"
    );
}

#[test]
fn an_ntfy_server_on_the_runtime_itself_is_behind_no_proxy() {
    let said = run_parts(
        &["news"],
        "heard = []
def serve(name, server):
    while True:
        stream, _ = server.accept()
        heard.append((name, stream.recv(4096).split()[1].decode()))
        stream.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n')
        stream.close()
ports = {}
for name in ('here', 'proxy'):
    server = socket.create_server(('127.0.0.1', 0))
    ports[name] = server.getsockname()[1]
    threading.Thread(target=serve, args=(name, server), daemon=True).start()
os.environ['no_proxy'] = ''
os.environ['http_proxy'] = f\"http://127.0.0.1:{ports['proxy']}\"
for host in ('127.0.0.1', 'localhost', '192.0.2.7'):
    post_to_ntfy(f\"http://{host}:{ports['here']}\", 'topic', 'line', 10)
print([name for name, _ in heard], heard[0][1])
",
    );
    assert_eq!(said.works("they are Python").stdout, "['here', 'here', 'proxy'] /topic\n");
}

#[test]
fn a_download_that_ends_too_early_is_tried_again_and_said() {
    let said = run_parts(
        &["programs"],
        "server = socket.create_server(('127.0.0.1', 0))
asked = []
def serve():
    while True:
        stream, _ = server.accept()
        asked.append(stream.recv(4096))
        answer = b'abc' if len(asked) > 2 else b'a'
        stream.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\n' + answer)
        stream.close()
threading.Thread(target=serve, daemon=True).start()
time.sleep = lambda _: None
address = f'http://127.0.0.1:{server.getsockname()[1]}/x'
print(Programs(None).fetch(address), len(asked))
",
    );
    assert_eq!(said.works("the third try is whole").stdout, "b'abc' 3\n");
    let gone = "time.sleep = lambda _: None\nPrograms(None).fetch('http://127.0.0.1:1/x')";
    run_parts(&["programs"], gone).fails("nobody is there").says("could not be fetched");
}
