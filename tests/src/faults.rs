//! One chosen system call of a command is refused, or is where the command is killed.

use std::collections::BTreeMap;

use crate::outcome::Outcome;
use crate::stage::Stage;

/// The calls that change files.
const CHANGING: &str = "write,pwrite64,writev,ftruncate,fallocate,fsync,fdatasync,sync_file_range,rename,renameat,\
                        renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,chmod,fchmod,\
                        fchmodat,?fchmodat2,chown,fchown,fchownat,setxattr,fsetxattr,copy_file_range,sendfile,openat";

/// One call of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The system call's name.
    pub name: String,
    /// Its number among the calls of that name in its thread, from 1.
    pub nth: usize,
    /// How strace wrote it, for messages.
    pub text: String,
}

/// What is to happen at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The program is killed before the call is done.
    Kill,
    /// The call fails with this error, such as `ENOSPC`.
    Error(&'static str),
}

/// Runs the command and returns its calls that change a file in the person's home, in order.
pub fn survey(stage: &Stage, arguments: &[&str], input: &str) -> (Vec<Call>, Outcome) {
    let log = stage.runtime_dir().join("strace.log");
    let trace = format!("trace={CHANGING}");
    let options = ["-f", "-qq", "-y", "-s", "0", "-e", &trace, "-e", "signal=none", "-o"];
    let outcome = strace(stage, &options, log.to_str().expect("the log's name is text"), arguments, input);
    let text =
        std::fs::read_to_string(&log).unwrap_or_else(|_| panic!("strace has to work here:\n{outcome}"));
    std::fs::remove_file(&log).expect("the log is there");
    let home = stage.home_inside().to_str().expect("the home's name is text");
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let Some((name, rest)) = call.split_once('(') else { continue };
        let nth = counts.entry((thread, name)).or_default();
        *nth += 1;
        // Opening to read changes nothing; the calls are counted all the same, since strace counts them.
        let changes = name != "openat" || ["O_CREAT", "O_TRUNC"].iter().any(|flag| rest.contains(flag));
        if changes && rest.contains(home) {
            calls.push(Call { name: name.to_owned(), nth: *nth, text: call.to_owned() });
        }
    }
    (calls, outcome)
}

/// Runs the command with the fault at this call.
pub fn strike(stage: &Stage, call: &Call, fault: Fault, arguments: &[&str], input: &str) -> Outcome {
    let (name, nth) = (&call.name, call.nth);
    let what = match fault {
        Fault::Kill => "signal=KILL".to_owned(),
        Fault::Error(error) => format!("error={error}"),
    };
    let inject = format!("inject={name}:{what}:when={nth}");
    let trace = format!("trace={name}");
    strace(stage, &["-f", "-qq", "-e", &trace, "-e", &inject, "-o"], "/dev/null", arguments, input)
}

fn strace(stage: &Stage, options: &[&str], log: &str, arguments: &[&str], input: &str) -> Outcome {
    let words: Vec<&str> = options.iter().copied().chain([log, "--", "moorline"]).collect();
    let words: Vec<&str> = words.into_iter().chain(arguments.iter().copied()).collect();
    stage.run_with_input("strace", &words, input)
}
