//! `git cat-file --batch`: objects by their names, one after the other, out of one process.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::git;

/// A repository's objects. The process is started when the first one is asked for.
#[derive(Debug, Default)]
pub(super) struct Objects {
    running: RefCell<Option<Running>>,
}

/// An object, or why there is none.
#[derive(Debug)]
pub(super) enum Found {
    /// Its full id, its type (`blob`, `tree`, …) and its content.
    Object(String, String, Vec<u8>),
    /// It is larger than was asked for.
    TooLarge,
    /// The repository does not have it, or a name leads nowhere.
    Missing,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// Always there while it runs; taken to let it end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    errors: File,
}

impl Objects {
    /// The object with an id, or that an expression such as `HEAD~1^{tree}` names; one line.
    ///
    /// # Errors
    /// If git cannot be started, or fails.
    pub(super) fn read(&self, name: &str, most: u64) -> io::Result<Found> {
        let mut place = self.running.borrow_mut();
        let running = match place.as_mut() {
            Some(running) => running,
            None => place.insert(Running::start()?),
        };
        let found = running.ask(name, most);
        // What was not read to its end is in the way of the next answer, and a failed process gives none.
        if !matches!(found, Ok(Found::Object(..) | Found::Missing)) {
            *place = None;
        }
        found
    }
}

impl Running {
    fn start() -> io::Result<Self> {
        let errors = tempfile::tempfile()?;
        let mut child = git()
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors.try_clone()?)
            .spawn()?;
        let gone = || io::Error::other("git has no streams");
        Ok(Self {
            input: Some(child.stdin.take().ok_or_else(gone)?),
            output: BufReader::new(child.stdout.take().ok_or_else(gone)?),
            child,
            errors,
        })
    }

    fn ask(&mut self, name: &str, most: u64) -> io::Result<Found> {
        if name.contains('\n') {
            return Ok(Found::Missing);
        }
        let asked = match &mut self.input {
            Some(input) => writeln!(input, "{name}").and_then(|()| input.flush()),
            None => Ok(()),
        };
        let mut head = Vec::new();
        self.output.read_until(b'\n', &mut head)?;
        if asked.is_err() || head.is_empty() {
            return Err(self.failed());
        }
        let head = String::from_utf8_lossy(&head);
        let head = head.trim_end_matches('\n');
        if head.ends_with(" missing") || head.ends_with(" ambiguous") {
            return Ok(Found::Missing);
        }
        let words: Vec<&str> = head.split(' ').collect();
        let [id, kind, size] = words.as_slice() else {
            return Err(self.failed());
        };
        let Ok(size) = size.parse::<u64>() else {
            return Err(self.failed());
        };
        if size > most {
            return Ok(Found::TooLarge);
        }
        let mut bytes = Vec::new();
        // The content, and the line break after it.
        let wanted = size.saturating_add(1);
        self.output.by_ref().take(wanted).read_to_end(&mut bytes)?;
        if bytes.pop() != Some(b'\n') || bytes.len() as u64 != size {
            return Err(self.failed());
        }
        Ok(Found::Object((*id).to_owned(), (*kind).to_owned(), bytes))
    }

    /// What git said when it ended before its time.
    fn failed(&mut self) -> io::Error {
        self.input = None;
        let mut told = String::new();
        let read = self.child.wait().and_then(|_| {
            self.errors.rewind()?;
            (&self.errors).take(2_000).read_to_string(&mut told)
        });
        let words: Vec<&str> = told.split_whitespace().collect();
        match read {
            Ok(_) if !words.is_empty() => io::Error::other(words.join(" ")),
            Ok(_) => io::Error::other("git ended before its time"),
            Err(error) => error,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be in the middle of an object nobody wants, and would wait for ever to be read.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
