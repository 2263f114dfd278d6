//! `git cat-file --batch`: reads many objects through one process.

use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::process::{Child, Stdio};

use super::git;

/// Reads the objects of the repository of the current directory.
pub(super) struct CatFile {
    /// The process ends when its input is closed.
    _child: Child,
    input: PipeWriter,
    output: BufReader<PipeReader>,
}

pub(super) enum Object {
    Found {
        id: String,
        content: Vec<u8>,
    },
    TooLarge,
    /// The object does not exist, or the name is invalid.
    Missing,
}

impl CatFile {
    pub(super) fn start() -> io::Result<Self> {
        let ((stdin, input), (output, stdout)) = (io::pipe()?, io::pipe()?);
        let mut git = git();
        git.args(["cat-file", "--batch"]).stderr(Stdio::null());
        Ok(Self {
            _child: git.stdin(stdin).stdout(stdout).spawn()?,
            input,
            output: BufReader::new(output),
        })
    }

    /// Reads the object with this id, or the object that an expression such as `HEAD~1^{tree}`
    /// names.
    pub(super) fn read(&mut self, name: &str, limit: u64) -> io::Result<Object> {
        let failed = || io::Error::other("git exited too early; `git fsck` may show why");
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
        // A line break follows the content.
        let mut output = self.output.by_ref().take(size + 1);
        if size > limit {
            // Skip the content, so that it is not read as the next answer.
            io::copy(&mut output, &mut io::sink())?;
            return Ok(Object::TooLarge);
        }
        let mut content = Vec::new();
        output.read_to_end(&mut content)?;
        if content.pop() != Some(b'\n') || content.len() as u64 != size {
            return Err(failed());
        }
        let id = id.to_owned();
        Ok(Object::Found { id, content })
    }
}
