//! The help of every command: `-h` fits on a screen, and `--help` is complete.

use clap::{Command, CommandFactory};
use roomform::cli::Cli;

use crate::support::Shows;

/// Every command with its full name.
pub fn verbs() -> Vec<(String, Command)> {
    fn collect(command: &Command, name: &str, verbs: &mut Vec<(String, Command)>) {
        verbs.push((name.to_owned(), command.clone().term_width(80)));
        let with_help = |verb: &&Command| verb.get_name() != "help";
        for verb in command.get_subcommands().filter(with_help) {
            collect(verb, &format!("{name} {}", verb.get_name()), verbs);
        }
    }
    let mut root = Cli::command();
    root.build();
    let mut verbs = Vec::new();
    collect(&root, "roomform", &mut verbs);
    verbs
}

#[test]
fn short_help_fits_a_screen_and_ends_with_examples() {
    let verbs = verbs();
    assert!(verbs.len() > 20);
    for (name, mut verb) in verbs {
        let help = verb.render_help().to_string();
        let lines = help.trim_end().lines().count();
        assert!(lines <= 45, "{name}: {lines} lines\n{help}");
        let (_, examples) = help.rsplit_once("\nExamples:\n").unwrap();
        let examples: Vec<&str> = examples.trim_end().lines().collect();
        assert!((2..=3).contains(&examples.len()), "{name}: {help}");
        for example in examples {
            assert!(
                example.contains("roomform ") && example.len() <= 80,
                "{example}"
            );
        }
    }
}

/// Parts of an example that belong to the shell are skipped.
#[test]
fn examples_can_be_parsed() {
    for (name, mut verb) in verbs() {
        let help = verb.render_help().to_string();
        let (_, examples) = help.rsplit_once("\nExamples:\n").unwrap();
        for example in examples.trim_end().lines() {
            let command = example
                .split(" | ")
                .last()
                .unwrap()
                .split(" > ")
                .next()
                .unwrap();
            let mut words: Vec<String> = Vec::new();
            for (number, part) in command.trim().split('\'').enumerate() {
                if number % 2 == 1 {
                    words.push(part.to_owned());
                } else {
                    words.extend(part.split_whitespace().map(str::to_owned));
                }
            }
            let parsed = Cli::command().try_get_matches_from(&words);
            assert!(parsed.is_ok(), "{name}: {example}: {:?}", parsed.err());
        }
    }
}

#[test]
fn long_help_lists_every_flag() {
    for (name, mut verb) in verbs() {
        let help = verb.render_long_help().to_string();
        help.trim_end().lines().last().unwrap().shows("roomform ");
        for flag in verb.get_arguments().filter_map(|arg| arg.get_long()) {
            assert!(
                help.contains(&format!("--{flag}")),
                "{name} --{flag}: {help}"
            );
        }
    }
}

#[test]
fn help_lists_only_the_formats_of_the_command() {
    let formats = |name: &str| {
        let verbs = verbs();
        let (_, verb) = verbs.iter().find(|(it, _)| it == name).unwrap();
        let format = verb
            .get_arguments()
            .find(|arg| arg.get_long() == Some("format"))?;
        let values = format.get_possible_values();
        let words: Vec<String> = values
            .iter()
            .map(|value| value.get_name().to_owned())
            .collect();
        Some(words.join(" "))
    };
    for (verb, expected) in [
        ("check", Some("text json markdown github sarif")),
        ("plan", Some("text json markdown html github")),
        ("diff", Some("text json markdown html github")),
        ("apply", Some("text json markdown github")),
        ("render", Some("json csv")),
        ("explain", Some("text json")),
        ("doctor", Some("text json")),
        ("ledger show", Some("text json")),
        ("get rooms", Some("table json csv")),
        ("export", None),
        ("init", None),
    ] {
        let found = formats(&format!("roomform {verb}"));
        assert_eq!(found.as_deref(), expected, "{verb}");
    }
}
