use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap::error::ErrorKind;
use moorline_model::next_step::NextStep;
use moorline_model::secret_kind::SecretKind;

use super::*;
use crate::steps;

/// Every sentence of the program that names one of its commands names one that works.
#[test]
fn the_commands_that_sentences_name_are_right_usage() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for part in ["cli/src", "core/src", "src", "paste/src", "model/src", "ssh-files/src"] {
        rust_files(&source.join(part), &mut files);
    }
    let mut found = 0;
    let mut wrong = Vec::new();
    for file in files {
        for command in commands(&fs::read_to_string(&file).unwrap()) {
            found += 1;
            let words = command.split_whitespace().map(filled_in);
            let Err(error) = Cli::command().try_get_matches_from(words) else { continue };
            if !matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
                wrong.push(format!("{}: {command}: {:?}", file.display(), error.kind()));
            }
        }
    }
    assert!(found > 50, "only {found} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn commands_are_found_as_sentences_name_them() {
    let text = r#"
        // `moorline in a comment`
        "run `moorline secret set {0}/session-key`, or `moorline watch`: end it" "moorline repair {name} --take-over"
        "they go: moorline add NAME --colab; the rest" "a moorline of one's own, moorline is no command"
        "then run: moorline repair (it puts them at the top)" "Instead: moorline repair colab."
    "#;
    let found = [
        "moorline secret set {0}/session-key",
        "moorline watch",
        "moorline repair {name} --take-over",
        "moorline add NAME --colab",
        "moorline repair",
        "moorline repair colab",
    ];
    assert_eq!(commands(text), found);
}

fn every_step(session: Option<&Alias>) -> Vec<NextStep> {
    let session = session.cloned();
    let mut steps = vec![
        NextStep::Add { session: session.clone() },
        NextStep::ChooseRuntime,
        NextStep::CopyGoogleSignIn,
        NextStep::LookAtStatus,
        NextStep::NewSessionKey { session: session.clone() },
        NextStep::NameFolders { session: "colab".parse().unwrap() },
        NextStep::Repair { session: session.clone() },
        NextStep::StopNgrokAgents { session: session.clone() },
    ];
    let store = |kind| NextStep::StoreSecret { session: session.clone(), kind };
    // Moorline stores the runtime's token by itself.
    steps.extend(SecretKind::ALL.into_iter().filter(|kind| *kind != SecretKind::RuntimeToken).map(store));
    steps
}

#[test]
fn every_step_is_a_command_that_is_right_usage() {
    let colab = "colab".parse().unwrap();
    for step in [every_step(None), every_step(Some(&colab))].concat() {
        for one in steps::command(&step).split(", or ") {
            let words = one.split(' ').map(|word| match word {
                "NAME" => "colab",
                "PATH" => "/folder",
                word => word,
            });
            let parsed = Cli::command().try_get_matches_from(words);
            assert!(parsed.is_ok(), "{step:?}: {one}: {}", parsed.unwrap_err());
        }
    }
}

fn rust_files(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            into.push(path);
        }
    }
}

/// What follows the program's name up to the end of the code quotes, or of that part of the sentence. Only what goes on
/// with a subcommand is one: there are texts about a Moorline, too.
fn commands(text: &str) -> Vec<String> {
    let known: Vec<String> = Cli::command().get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for (at, _) in line.match_indices("moorline ") {
            let before = line[..at].chars().next_back();
            let ends: &[char] = if before == Some('`') { &['`'] } else { &['"', ';', ',', '(', '`'] };
            if before.is_some_and(|c| c.is_alphanumeric() || c == '/' || c == '-') {
                continue;
            }
            let rest = &line[at..];
            let command =
                rest[..rest.find(ends).unwrap_or(rest.len())].trim_end().trim_end_matches(['.', ':']);
            let sub = command.split_whitespace().nth(1).unwrap_or_default();
            if known.iter().any(|known| known == sub) {
                // Help shows what a command does after two spaces.
                found.push(command.split("  ").next().unwrap_or_default().to_owned());
            }
        }
    }
    found
}

/// A word with something that fits in the place of what is filled in.
fn filled_in(word: &str) -> String {
    if let (Some(open), Some(close)) = (word.find('{'), word.rfind('}')) {
        return match &word[open..=close] {
            "{kind}" => "service-token".to_owned(),
            _ => format!("{}colab{}", &word[..open], &word[close + 1..]),
        };
    }
    match word {
        "NAME" | "SESSION" => "colab".to_owned(),
        "PATH" => "/folder".to_owned(),
        word => word.to_owned(),
    }
}
