//! Follows a Markdown page as a reader would: writes its files, runs its commands, and compares the output that it shows.

use std::fs;
use std::path::Path;

use super::Scene;

/// A fenced block of code.
pub struct Block<'a> {
    pub language: &'a str,
    /// The last non-empty line before the block.
    above: &'a str,
    pub text: &'a str,
}

impl Block<'_> {
    /// The name of the file that the block shows, if the line above ends with a name in
    /// back-ticks and a colon.
    pub fn file(&self) -> Option<&str> {
        let (_, name) = self.above.strip_suffix("`:")?.rsplit_once('`')?;
        Some(name)
    }
}

/// The fenced blocks of a page, in order.
pub fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let (mut above, mut rest) = ("", page);
    while let Some((line, after)) = rest.split_once('\n') {
        rest = after;
        if let Some(language) = line.strip_prefix("```") {
            let (text, after) = rest.split_once("```\n").unwrap_or((rest, ""));
            found.push(Block {
                language,
                above,
                text,
            });
            (above, rest) = ("", after);
        } else if !line.is_empty() {
            above = line;
        }
    }
    found
}

/// A script that does what the page says, and the output that the page shows after each block of commands.
fn script(page: &str) -> (String, Vec<Vec<&str>>) {
    // A reader answers the question with `yes`. A test has no terminal, so the script adds
    // `--yes`.
    let mut script = String::from(
        "set -eu\nexec 2>&1\nroomform() { case \"$* \" in *' --yes '*) command roomform \"$@\";; apply*|'ledger adopt'*) command roomform \"$@\" --yes;; *) command roomform \"$@\";; esac; }\n",
    );
    let mut shown: Vec<Vec<&str>> = Vec::new();
    for block in blocks(page) {
        match (block.language, block.file()) {
            ("sh", _) => {
                for line in block.text.lines() {
                    // A comment such as `# exits 5` names the exit code.
                    match line.split_once("# exits ") {
                        None => script += &format!("{line}\n"),
                        Some((command, code)) => {
                            let code: String =
                                code.chars().take_while(char::is_ascii_digit).collect();
                            script +=
                                &format!("code=0; {command}|| code=$?; test $code = {code}\n");
                        }
                    }
                }
                script += "printf '\\0'\n";
                shown.push(Vec::new());
            }
            (_, Some(file)) => {
                script += &format!(
                    "mkdir -p \"$(dirname {file})\"\ncat > {file} <<'END OF FILE'\n{}END OF FILE\n",
                    block.text
                );
            }
            ("text", None) => shown.last_mut().unwrap().push(block.text),
            _ => {}
        }
    }
    (script, shown)
}

/// Follows a page in the directory and the environment of a scene. Runs the `sh` blocks: each
/// line must succeed or exit as its comment says. The output of an `sh` block must contain the
/// `text` blocks that follow it, in order. Returns the output of each `sh` block.
#[track_caller]
pub fn follow(scene: &Scene, page: &str) -> Vec<String> {
    let (script, shown) = script(page);
    let ended = scene.bash(&script).output().unwrap();
    let printed = String::from_utf8(ended.stdout).unwrap();
    assert!(ended.status.success(), "{script}\n{printed}");
    let printed: Vec<String> = printed.split_terminator('\0').map(str::to_owned).collect();
    assert_eq!(printed.len(), shown.len());
    for (printed, shown) in printed.iter().zip(shown) {
        let mut rest = printed.as_str();
        for part in shown.into_iter().map(str::trim_end) {
            let at = rest.find(part);
            let at = at.unwrap_or_else(|| panic!("not printed:\n{part}\nbut:\n{rest}"));
            rest = rest.get(at + part.len()..).unwrap();
        }
    }
    printed
}

/// Checks that a committed file equals the newly generated text. With `ROOMFORM_BLESS=1`, it
/// writes the file first: review the diff.
#[track_caller]
pub fn assert_fresh(path: &Path, text: &str) {
    if std::env::var_os("ROOMFORM_BLESS").is_some() {
        fs::write(path, text).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == text,
        "{} is out of date: run the test with ROOMFORM_BLESS=1, then read the difference",
        path.display()
    );
}
