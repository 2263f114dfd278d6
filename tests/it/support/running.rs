//! A child process that ends with its test.

use std::fs;
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

/// A child process. It is killed when this value is dropped, so that it does not outlive a test
/// that fails. It is `None` only while [`Running::wait_with_output`] waits.
pub struct Running(Option<Child>);

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    pub fn wait_with_output(mut self) -> io::Result<Output> {
        self.0.take().unwrap().wait_with_output()
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        self.0.as_ref().unwrap()
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

#[test]
fn no_other_file_starts_a_process_that_may_outlive_its_test() {
    let mut directories = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it")];
    let mut others = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|it| it == "rs")
                && !path.ends_with("support/running.rs")
                && fs::read_to_string(&path).unwrap().contains(".spawn()")
            {
                others.push(path);
            }
        }
    }
    assert_eq!(others, Vec::<PathBuf>::new(), "use `Running`");
}
