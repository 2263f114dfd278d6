//! Keeps paths inside a directory. A pull request can contain any path or link, and error
//! messages quote the files that are read. Without these checks, a message could show the
//! content of a file outside the directory.
//!
//! Main function: [`leads_out`].

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::files::{Files, directory_of};

/// Directories whose links, such as `/dev/stdin`, belong to the system.
const SYSTEM: [&str; 2] = ["/dev", "/proc"];

/// Whether a link in the path of a manifest leads out of its git work tree. Without git, only
/// the last component is checked: it must not be a link out of its directory. The other
/// components are not checked, because the user chose them.
pub fn leads_out(files: &dyn Files, path: &Path) -> bool {
    // Remove a trailing `/`, which would make the system follow the last link.
    let path: PathBuf = path.components().collect();
    if SYSTEM.iter().any(|system| path.starts_with(system)) {
        return false;
    }
    path.ancestors().any(|link| {
        follow_link(files, link).is_some_and(|(directory, target)| {
            match files.work_tree(&directory) {
                Some(top) => !is_inside(&target, &top),
                None => link == path && !is_inside(&target, &directory),
            }
        })
    })
}

/// Whether a link in a relative output path is broken or leads out of the git work tree. Without
/// git, no link may lead out of the current directory.
pub fn links_out(files: &dyn Files, path: &Path) -> bool {
    let mut links = path.ancestors().filter(|it| it.is_symlink());
    links.any(|link| {
        let Some((directory, target)) = follow_link(files, link) else {
            return files.real_path(link).is_err();
        };
        let top = files.work_tree(&directory);
        let top = top.or_else(|| files.real_path(Path::new(".")).ok());
        !top.is_some_and(|top| is_inside(&target, &top))
    })
}

/// Returns the directory and the target of a link, both as real paths. Returns `None` if the
/// path is not a link, or if the link is broken. A broken link is reported later, when it is
/// read.
fn follow_link(files: &dyn Files, path: &Path) -> Option<(PathBuf, PathBuf)> {
    if !files.may_be_link(path).ok()? {
        return None;
    }
    let directory = files.real_path(directory_of(path)).ok()?;
    let target = files.real_path(path).ok()?;
    (target != directory.join(path.file_name()?)).then_some((directory, target))
}

/// Whether a manifest in this directory may read the file. `file` and `directory` must be real
/// paths. Files in `.git` must not be read, because they can hold credentials.
pub(crate) fn is_inside(file: &Path, directory: &Path) -> bool {
    let is_git = |part: &OsStr| part.eq_ignore_ascii_case(".git");
    file.strip_prefix(directory)
        .is_ok_and(|below| !below.iter().any(is_git))
}
