//! Asking a runtime how it is doing: one constant script, and what its answer means.
//!
//! The answer comes from a machine that may be anybody's. It is read without a panic, bounded in size, and nothing
//! of it but plain text and numbers is kept.

use std::time::Duration;

use jiff::Timestamp;
use moorline_model::text::shown;
use moorline_model::vitals::{Gpu, Usage, Vitals};

use crate::ssh::Script;

/// From one reading to the next.
pub const EVERY: Duration = Duration::from_secs(30);

/// Names of accelerators are cut after this many characters.
const NAME: usize = 64;

/// No machine has more accelerators.
const ACCELERATORS: usize = 64;

/// Prints sections, each after a line of its own; the one that may hang comes last, so that the others are read. Does
/// so again after each pause, for an hour: what has to be asked for anew only then needs nothing in between. It ends
/// when its output is closed.
///
/// One line, single-quoted, with neither backslash nor exclamation mark, so that any login shell (fish and csh too)
/// hands it to `/bin/sh` unchanged. Colab's driver tools need its library path, in that process alone.
pub const SCRIPT: Script = Script {
    command: concat!(
        "exec /bin/sh -c '",
        "LC_ALL=C; export LC_ALL; ",
        "PATH=$PATH:/opt/bin:/usr/local/nvidia/bin; ",
        "libraries=/usr/lib64-nvidia${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}; ",
        "bound=; command -v timeout >/dev/null && bound=\"timeout 8\"; ",
        "pages=120; while :; do ",
        "echo moorline:memory || exit 1; ",
        "grep -E \"^(MemTotal|MemAvailable|MemFree|Buffers|Cached):\" /proc/meminfo; ",
        "echo moorline:disk; df -Pk /content 2>/dev/null || df -Pk /; ",
        "echo moorline:boot; grep \"^btime \" /proc/stat; ",
        "echo moorline:home; stat -c %i.%W ~ ~/.ssh; ",
        "echo moorline:id; cat /proc/sys/kernel/random/boot_id; ",
        "echo moorline:tpu; ls -d /dev/accel[0-9]*; ",
        "echo moorline:gpu; ",
        "command -v nvidia-smi >/dev/null && LD_LIBRARY_PATH=$libraries $bound \
         nvidia-smi --query-gpu=name,memory.used,memory.total,utilization.gpu --format=csv,noheader,nounits; ",
        "echo moorline:end || exit 1; ",
        "pages=$((pages - 1)); [ $pages -gt 0 ] && sleep 30 || exit 0; ",
        "done' 2>/dev/null",
    ),
    mark: "moorline:end",
    every: EVERY,
    limit: Duration::from_secs(10),
    most: 64 * 1024,
};

/// What the script's answer means. Whatever is missing or makes no sense is absent.
pub fn read(printed: &[u8]) -> Vitals {
    let text = String::from_utf8_lossy(printed);
    let mut vitals = Vitals::default();
    let mut memory = Memory::default();
    let mut chips = 0;
    let (mut section, mut homes) = ("", Vec::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("moorline:") {
            section = name;
            continue;
        }
        match section {
            "memory" => memory.note(line),
            "disk" => vitals.disk = disk(line).or(vitals.disk),
            "boot" => vitals.booted = booted(line).or(vitals.booted),
            "home" if homes.len() < 2 => homes.extend(birth(line)),
            "id" => vitals.machine = boot_id(line).or(vitals.machine),
            "tpu" if line.starts_with("/dev/accel") => chips += 1,
            "gpu" if vitals.gpus.len() < ACCELERATORS => vitals.gpus.extend(gpu(line)),
            _ => {}
        }
    }
    vitals.memory = memory.usage();
    // The home comes first, so that a reading that was cut short never has the one without the other.
    if let Some(machine) = vitals.machine.as_mut().filter(|_| !homes.is_empty()) {
        machine.push('/');
        machine.push_str(&homes.join("+"));
    }
    let tpu = || Gpu { name: "TPU".to_owned(), memory: None, load: None };
    let room = ACCELERATORS.saturating_sub(vitals.gpus.len());
    vitals.gpus.extend(std::iter::repeat_with(tpu).take(chips.min(room)));
    vitals
}

/// The lines of /proc/meminfo that count (proc(5)).
#[derive(Default)]
struct Memory {
    total: Option<u64>,
    available: Option<u64>,
    /// Where the kernel does not say what is available.
    free: u64,
}

impl Memory {
    fn note(&mut self, line: &str) {
        let Some((name, rest)) = line.split_once(':') else { return };
        let Some(bytes) = kibibytes(rest.trim().trim_end_matches("kB").trim_end()) else { return };
        match name {
            "MemTotal" => self.total = Some(bytes),
            "MemAvailable" => self.available = Some(bytes),
            "MemFree" | "Buffers" | "Cached" => self.free = self.free.saturating_add(bytes),
            _ => {}
        }
    }

    fn usage(&self) -> Option<Usage> {
        let total = self.total.filter(|total| *total > 0)?;
        Some(Usage { used: total.saturating_sub(self.available.unwrap_or(self.free)), total })
    }
}

/// A line of `df -Pk` (POSIX df): name, blocks, used, available, percentage, mount point. The name may hold blanks,
/// so the numbers are found by the percentage. The whole is what can be used: some blocks are root's alone.
fn disk(line: &str) -> Option<Usage> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let percentage = words.iter().position(|word| {
        word.strip_suffix('%').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })?;
    let used = kibibytes(words.get(percentage.checked_sub(2)?)?)?;
    let available = kibibytes(words.get(percentage.checked_sub(1)?)?)?;
    let total = used.checked_add(available)?;
    (total > 0).then_some(Usage { used, total })
}

fn booted(line: &str) -> Option<Timestamp> {
    let seconds: i64 = line.strip_prefix("btime ")?.trim().parse().ok()?;
    if seconds > 0 { Timestamp::from_second(seconds).ok() } else { None }
}

/// A UUID, as the kernel prints it (random(4)).
fn boot_id(line: &str) -> Option<String> {
    let plain = line.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    (line.len() == 36 && plain).then(|| line.to_ascii_lowercase())
}

/// An inode and a time of birth, as `stat -c %i.%W` prints them; the latter is `-` or `?` where it is not known.
fn birth(line: &str) -> Option<&str> {
    let plain = line.bytes().all(|b| b.is_ascii_digit() || b".-?".contains(&b));
    (plain && (1..=48).contains(&line.len())).then_some(line)
}

/// A line of nvidia-smi: name, MiB used, MiB in all, percent. A number that the driver does not tell stands as
/// `[N/A]` or `[Not Supported]`.
fn gpu(line: &str) -> Option<Gpu> {
    let mut from_right = line.rsplitn(4, ',').map(str::trim);
    let (load, total, used) = (from_right.next()?, from_right.next()?, from_right.next()?);
    let name = from_right.next().filter(|name| !name.is_empty())?;
    // An error message with commas in it is no accelerator.
    let told = |word: &str| word.starts_with('[') || word.parse::<u64>().is_ok();
    if ![load, total, used].into_iter().all(told) {
        return None;
    }
    let mebibytes = |word: &str| word.parse::<u64>().ok()?.checked_mul(1024 * 1024);
    let memory = mebibytes(used).zip(mebibytes(total)).filter(|(_, total)| *total > 0);
    Some(Gpu {
        name: shown(name, NAME),
        memory: memory.map(|(used, total)| Usage { used, total }),
        load: load.parse().ok().filter(|percent| *percent <= 100),
    })
}

fn kibibytes(word: &str) -> Option<u64> {
    word.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    const CPU: &str = "\
Welcome to this machine, 99% of it is yours
moorline:memory
MemTotal:       13290480 kB
MemFree:         8000000 kB
MemAvailable:   11290480 kB
Buffers:          100000 kB
moorline:disk
Filesystem     1024-blocks     Used Available Capacity Mounted on
overlay          112947452 40000000  60000000      40% /
moorline:boot
btime 1795000000
moorline:id
0f4e7a3c-5d0b-4f53-9a4a-3f2f1d7b9c11
";

    fn gpus(lines: &str) -> Vec<Gpu> {
        read(format!("{CPU}moorline:tpu\nmoorline:gpu\n{lines}\nmoorline:end\n").as_bytes()).gpus
    }

    #[test]
    fn a_machine_without_accelerators_has_all_the_rest() {
        let vitals = read(CPU.as_bytes());
        assert_eq!(vitals.gpus, []);
        assert_eq!(vitals.memory, Some(Usage { used: 2_000_000 * 1024, total: 13_290_480 * 1024 }));
        assert_eq!(vitals.disk, Some(Usage { used: 40_000_000 * 1024, total: 100_000_000 * 1024 }));
        assert_eq!(vitals.booted, Timestamp::from_second(1_795_000_000).ok());
        assert_eq!(vitals.machine.as_deref(), Some("0f4e7a3c-5d0b-4f53-9a4a-3f2f1d7b9c11"));
    }

    #[test]
    fn containers_on_one_kernel_are_told_apart_by_their_homes() {
        let of = |home: &str| read(format!("moorline:home\n{home}\n{CPU}").as_bytes()).machine;
        assert_eq!(
            of("12.1795000000"),
            Some("0f4e7a3c-5d0b-4f53-9a4a-3f2f1d7b9c11/12.1795000000".to_owned())
        );
        assert_ne!(of("12.1795000000"), of("12.1795000001"));
        assert_ne!(of("12.5\n13.5"), of("12.5\n13.6"), "the same home, emptied");
        assert_eq!(of("stat: unrecognized option"), of(&"9".repeat(49)), "what makes no sense is left out");
        assert_eq!(read(b"moorline:home\n12.5\n").machine, None, "cut short");
    }

    #[test]
    fn accelerators_are_read_in_order() {
        let t4 = Gpu {
            name: "Tesla T4".to_owned(),
            memory: Some(Usage { used: 1024 * MIB, total: 15_360 * MIB }),
            load: Some(37),
        };
        assert_eq!(gpus("Tesla T4, 1024, 15360, 37"), std::slice::from_ref(&t4));
        let two = gpus("Tesla T4, 1024, 15360, 37\r\nNVIDIA A100-SXM4-40GB, 0, 40960, 0");
        assert_eq!((two.len(), &two[0], two[1].name.as_str()), (2, &t4, "NVIDIA A100-SXM4-40GB"));
        assert_eq!(gpus("Odd, Name, 1, 2, 3")[0].name, "Odd, Name");
    }

    #[test]
    fn what_the_driver_does_not_tell_is_absent() {
        let found = gpus("NVIDIA GB10, [N/A], [N/A], [Not Supported]");
        assert_eq!(found, [Gpu { name: "NVIDIA GB10".to_owned(), memory: None, load: None }]);
        assert_eq!(gpus("T, 1, 0, 101"), [Gpu { name: "T".to_owned(), memory: None, load: None }]);
        for error in [
            "No devices were found",
            "NVIDIA-SMI has failed because, alas, it could not, well, talk to the driver",
            ", 1, 2, 3",
        ] {
            assert_eq!(gpus(error), [], "{error}");
        }
    }

    #[test]
    fn a_tpu_is_counted_by_its_chips() {
        let vitals = read(format!("{CPU}moorline:tpu\n/dev/accel0\n/dev/accel1\nls: nothing\n").as_bytes());
        assert_eq!(vitals.gpus.len(), 2);
        assert_eq!(vitals.gpus[0], Gpu { name: "TPU".to_owned(), memory: None, load: None });
    }

    #[test]
    fn an_older_kernel_and_an_odd_file_system_are_read_too() {
        let memory = "moorline:memory\nMemTotal: 1000 kB\nMemFree: 100 kB\nCached: 300 kB\nBuffers: 100 kB\n";
        assert_eq!(read(memory.as_bytes()).memory, Some(Usage { used: 500 * 1024, total: 1000 * 1024 }));
        let disk = "moorline:disk\nmy disk, 5% 100 40 60 40% /mnt/a b\n";
        assert_eq!(read(disk.as_bytes()).disk, None, "numbers that are not clear are left");
        let disk = "moorline:disk\n//nas/my disk 100 40 50 45% /content\n";
        assert_eq!(read(disk.as_bytes()).disk, Some(Usage { used: 40 * 1024, total: 90 * 1024 }));
    }

    #[test]
    fn a_hostile_answer_does_no_harm() {
        let long = "x".repeat(500);
        let name = format!("\u{1b}]0;owned\u{7}\u{202e}{long}");
        let found = gpus(&format!("{name}, 1, 2, 3"));
        assert!(found[0].name.chars().count() <= 120, "{}", found[0].name.len());
        assert!(!found[0].name.chars().any(|c| c.is_control() || c == '\u{202e}'), "{:?}", found[0].name);
        assert_eq!(gpus(&"A, 1, 2, 3\n".repeat(5000)).len(), ACCELERATORS);
        let huge = format!("moorline:memory\nMemTotal: {} kB\nmoorline:boot\nbtime {}\n", u64::MAX, i64::MAX);
        assert_eq!(read(huge.as_bytes()), Vitals::default());
        assert_eq!(read(b"moorline:id\n../../../../etc/passwd-0000-00000000\n").machine, None);
        assert_eq!(read(b"\xff\xfe\0moorline:gpu"), Vitals::default());
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read_without_a_panic(
            parts in proptest::collection::vec(("moorline:(memory|disk|boot|id|tpu|gpu|end)", "(?s).{0,80}"), 0..8),
            bytes in proptest::collection::vec(0_u8.., 0..200),
        ) {
            let text: Vec<String> = parts.iter().map(|(head, body)| format!("{head}\n{body}\n")).collect();
            let _ = read(text.concat().as_bytes());
            let _ = read(&bytes);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_script_runs_in_any_login_shell_and_ends_with_its_reader() {
        use std::io::{BufRead as _, BufReader, Read as _};
        use std::process::Stdio;

        let pause = format!("sleep {} ", SCRIPT.every.as_secs());
        assert_eq!(SCRIPT.command.matches(&pause).count(), 1);
        for shell in ["/bin/sh", "/bin/bash", "/usr/bin/fish", "/bin/csh", "/bin/zsh"] {
            if !std::path::Path::new(shell).exists() {
                continue;
            }
            let mut command = std::process::Command::new(shell);
            command.args(["-c", &SCRIPT.command.replace(&pause, "sleep 0.1 ")]);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            let mut output = BufReader::new(child.stdout.take().unwrap());
            for page in 0..2 {
                let mut printed = String::new();
                while !printed.ends_with("moorline:end\n") {
                    assert!(output.read_line(&mut printed).unwrap() > 0, "{shell}, page {page}: {printed}");
                }
                let vitals = read(printed.as_bytes());
                assert!(vitals.memory.is_some_and(|memory| memory.used > 0), "{shell}: {printed}");
                assert!(vitals.disk.is_some() && vitals.booted.is_some(), "{shell}: {printed}");
                assert!(vitals.machine.is_some_and(|machine| machine.contains('/')), "{shell}: {printed}");
            }
            drop(output);
            child.wait().unwrap();
            let mut complaint = String::new();
            child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
            assert_eq!(complaint, "", "{shell}: nothing is complained about");
        }
    }
}
