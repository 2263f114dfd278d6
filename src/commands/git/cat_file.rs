//! `git cat-file --batch`: reads one object after the other from one process.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::process::{Child, Stdio};

use super::git;

/// The objects of the repository around the current directory. Git is started when the first one is read.
#[derive(Default)]
pub(super) struct CatFile {
    running: RefCell<Option<Running>>,
}

struct Running {
    child: Child,
    input: PipeWriter,
    output: BufReader<PipeReader>,
}

pub(super) enum Object {
    Found {
        id: String,
        content: Vec<u8>,
    },
    TooLarge,
    /// The repository does not have it, or the name is wrong.
    Missing,
}

impl CatFile {
    /// The object with an id, or one that an expression such as `HEAD~1^{tree}` names.
    pub(super) fn read(&self, name: &str, limit: u64) -> io::Result<Object> {
        let mut running = match self.running.take() {
            Some(running) => running,
            None => Running::start()?,
        };
        let object = running.read(name, limit)?;
        // Content that is not read would be taken for the next answer.
        if !matches!(object, Object::TooLarge) {
            self.running.replace(Some(running));
        }
        Ok(object)
    }
}

impl Running {
    fn start() -> io::Result<Self> {
        let ((stdin, input), (output, stdout)) = (io::pipe()?, io::pipe()?);
        let child = git()
            .args(["cat-file", "--batch"])
            .stdin(stdin)
            .stdout(stdout)
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    fn read(&mut self, name: &str, limit: u64) -> io::Result<Object> {
        let failed = || io::Error::other("git ended too early; `git fsck` may say why");
        if name.contains('\n') {
            return Ok(Object::Missing);
        }
        let mut head = String::new();
        writeln!(self.input, "{name}")?;
        self.output.read_line(&mut head)?;
        let head = head.trim_end();
        if head.ends_with(" missing") || head.ends_with(" ambiguous") {
            return Ok(Object::Missing);
        }
        let mut words = head.split(' ');
        let (id, size) = (words.next().unwrap_or_default(), words.nth(1));
        let size: u64 = size.and_then(|size| size.parse().ok()).ok_or_else(failed)?;
        if size > limit {
            return Ok(Object::TooLarge);
        }
        // A line break follows the content.
        let mut content = Vec::new();
        let output = self.output.by_ref();
        output.take(size + 1).read_to_end(&mut content)?;
        if content.pop() != Some(b'\n') || content.len() as u64 != size {
            return Err(failed());
        }
        let id = id.to_owned();
        Ok(Object::Found { id, content })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It would wait for ever to write an object that is not read.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
