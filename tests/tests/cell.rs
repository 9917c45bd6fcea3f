//! The setup cell in a real Jupyter kernel, with a real sshd behind it.
#![cfg(target_os = "linux")]

use std::path::Path;

use moorline_tests::Stage;

/// The session key of the known answers: bytes 0 to 31, generation 1.
const KEY: &str = "mlk1-1-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Runs Python with the parts of the cell that derive and announce.
fn with_parts(program: &str) -> String {
    let stage = Stage::new();
    let parts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src-tauri/core/src/cell");
    let mut code = "import base64, hashlib, hmac, json, os, re, sys, time, urllib.request\n".to_owned();
    for part in ["keys.py", "wire.py"] {
        code.push_str(&std::fs::read_to_string(parts.join(part)).expect("a part of the cell"));
    }
    code.push_str(program);
    stage.run(stage.python(), &["-c", &code]).works("the parts are Python").stdout
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
