//! Manifests in git revisions are read through git, with their rosters, and never from outside the repository.

use std::fs;
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use crate::support::{Ran, Scene, Shows};

const BASE: &str = "\
version: 1
rooms:
  - {pipe: team-a, title: Team A, members: [3, {roster: people/a.csv, user: id}]}
  - {pipe: team-b, title: Team B}
";

/// A repository in its own directory, with an identity and without user settings.
struct Repo {
    scene: Scene,
}

impl Repo {
    fn new() -> Self {
        let scene = Scene::new()
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_AUTHOR_NAME", "author")
            .env("GIT_AUTHOR_EMAIL", "author@example.org")
            .env("GIT_COMMITTER_NAME", "author")
            .env("GIT_COMMITTER_EMAIL", "author@example.org");
        let repo = Self { scene };
        repo.git(&["init", "-q", "-b", "main"]);
        repo
    }

    /// A repository with one commit: `BASE` and its roster, in `rooms/`.
    fn with_base() -> Self {
        let repo = Self::new();
        repo.scene.write("rooms/rooms.yaml", BASE);
        repo.scene
            .write("rooms/people/a.csv", "id,name\n5,x\n7,y\n");
        repo.commit();
        repo
    }

    /// git, in the same environment as the program.
    fn command(&self, args: &[&str]) -> Command {
        let program = self.scene.command(args);
        let mut git = Command::new("git");
        git.args(args)
            .current_dir(self.scene.path(""))
            .env_clear()
            .stdin(Stdio::null());
        let environment = program.get_envs();
        git.envs(environment.filter_map(|(name, value)| Some((name, value?))));
        git
    }

    #[track_caller]
    fn git(&self, args: &[&str]) -> String {
        let output = self.command(args).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "git {args:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "a change: of rooms"]);
    }

    fn diff(&self, base: &str, head: &str) -> Ran {
        self.scene.run(["diff", base, head])
    }
}

#[test]
fn a_revision_is_compared_with_the_work_tree_including_rosters() {
    let repo = Repo::with_base();
    repo.scene
        .write("rooms/people/a.csv", "id,name\n5,x\n8,z\n");
    let before = repo.scene.files();
    let ran = repo.diff("HEAD:rooms/", "rooms");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_snapshot!(ran.out, @r#"
      # rooms/rooms.yaml:3
      ~ team-a               add members
          members +1 (8)   2 as before

      manual steps: the API cannot remove members or rooms
        team-a "Team A": remove 7

    diff: 1 gains members, 1 member to add; 1 unchanged
          people: 1 person joins 1 room; 1 to remove from 1 room (manual)
          HEAD:rooms/ → rooms: two manifests were compared; no server was read
    "#);
    assert_eq!(
        repo.scene.files(),
        before,
        "nothing is written, no index refreshed"
    );
}

/// The file on disk is complete, but git has only a pointer to it.
#[test]
fn a_roster_in_git_lfs_is_named_with_its_revision() {
    let repo = Repo::with_base();
    let roster = "rooms/people/a.csv";
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n";
    repo.scene.write(roster, pointer);
    repo.commit();
    repo.scene.write(roster, "id,name\n5,x\n");
    let ran = repo.diff("HEAD:rooms/", "rooms");
    assert_eq!(ran.code, 3);
    assert_snapshot!(ran.err, @"
    error[E033 wrong-file]: `HEAD:rooms/people/a.csv` is a Git LFS pointer: the file itself is not here
     --> HEAD:rooms/rooms.yaml:3:57
      |
    3 |   - {pipe: team-a, title: Team A, members: [3, {roster: people/a.csv, user: id}]}
      |                                                         ^^^^^^^^^^^^
      |
      = help: run `git lfs pull`; to read a git revision, check it out with `git worktree add`, and give the path of the new directory

    the manifest is invalid: 1 error
    ");
}

#[test]
fn two_revisions_are_compared_without_a_work_tree() {
    let repo = Repo::with_base();
    repo.git(&["tag", "v1"]);
    fs::remove_dir_all(repo.scene.path("rooms")).unwrap();
    repo.scene.write(
        "rooms/b.yml",
        "version: 1\nrooms: [{pipe: team-b, title: Team Bee}]\n",
    );
    repo.scene.write("rooms/.hidden.yaml", "no manifest");
    repo.scene.write("rooms/readme.md", "no manifest either");
    repo.commit();
    fs::remove_dir_all(repo.scene.path("rooms")).unwrap();
    for head in [
        "HEAD:rooms",
        "main:rooms/",
        "main:rooms/b.yml",
        "HEAD^{/a change: of}:rooms",
    ] {
        let out = repo.diff("v1:rooms", head).ok();
        assert!(
            out.contains(r#""Team B" → "Team Bee""#)
                && out.contains("1 to update, 1 room to remove manually"),
            "{head}: {out}"
        );
        out.shows(format!(
            "# {}:2",
            if head.ends_with("yml") {
                head.to_owned()
            } else {
                format!("{}/b.yml", head.trim_end_matches('/'))
            }
        ));
    }
    let whole = repo.diff("v1:", "v1:./").ok();
    whole.shows("no difference; 2 unchanged");
}

#[test]
fn paths_are_relative_to_the_repository_or_the_current_directory() {
    let repo = Repo::with_base();
    let run = |base: &str, head: &str| {
        let mut command = repo.scene.command(["diff", base, head]);
        let output = command
            .current_dir(repo.scene.path("rooms/people"))
            .output();
        let output = output.unwrap();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    assert_eq!(run("HEAD:rooms/rooms.yaml", "HEAD:../rooms.yaml").0, 0);
    assert_eq!(run("HEAD:rooms/", "HEAD:..").0, 0);
    let (code, output) = run("HEAD:a.csv", "HEAD:..");
    assert_eq!(code, 3);
    assert_snapshot!(output, @"
    error: `a.csv` is not in `HEAD`
      hint: write `HEAD:./a.csv`: without `./`, the path is relative to the top of the repository, not to this directory
    ");
    let (code, output) = run("HEAD:../../..", "HEAD:..");
    assert_eq!(code, 3, "{output}");
}

#[test]
fn unreadable_revisions_and_paths_are_reported() {
    let repo = Repo::with_base();
    let output = |base: &str| {
        let ran = repo.diff(base, "rooms");
        format!("{} {}", ran.code, ran.err)
    };
    assert_snapshot!(output("nosuch:rooms"), @"
    1 error: git has no revision `nosuch`
      hint: fetch the revision first; `git log -1 REVISION` shows whether git has it
    ");
    assert_snapshot!(output("HEAD:nosuch.yaml"), @"
    3 error: `nosuch.yaml` is not in `HEAD`
      hint: write the path from the top of the repository, as in origin/main:rooms/, or from this directory, as in origin/main:./rooms/
      hint: if the manifest is new, compare it with /dev/null
    ");
    assert_snapshot!(output("HEAD:/rooms"), @"
    3 error: `/rooms` is not in `HEAD`
      hint: write the path from the top of the repository, as in origin/main:rooms/, or from this directory, as in origin/main:./rooms/
      hint: if the manifest is new, compare it with /dev/null
    ");
    assert_snapshot!(output(":rooms"), @"
    64 error: `:rooms`: no revision before the colon
      hint: write it as HEAD:rooms.yaml; in git, `:PATH` is a staged file, which roomform does not read
    ");
    assert_snapshot!(output("HEAD"), @"
    3 error: `HEAD`: no such file or directory
      hint: to compare with a git revision, write a path after the revision, as in origin/main:rooms.yaml
    ");
    assert_snapshot!(output("HEAD:rooms/people"), @"
    3 error[E001 unreadable]: HEAD:rooms/people: the directory has no *.yaml or *.yml file
     |
     = help: name the directory of your manifest, or a file

    the manifest is invalid: 1 error
    ");
    // Names that look like options or span several lines.
    for hostile in [
        "--help:rooms",
        "--output=x:rooms",
        "-h:rooms",
        "HEAD\nHEAD:rooms",
        "HEAD..main:rooms",
        "\u{1b}[31m:rooms",
        "HEAD; touch x:rooms",
        "$(touch x):rooms",
        "../../x:rooms",
    ] {
        let ran = repo.scene.run(["diff", "--", hostile, "rooms"]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{hostile}");
        ran.err.shows("git has no revision");
        assert!(!ran.err.contains('\u{1b}'), "{:?}", ran.err);
    }
    assert!(!repo.scene.path("x").exists());
}

#[test]
fn a_missing_repository_or_git_is_reported() {
    let scene = Scene::new().manifest("version: 1\nrooms: [{pipe: team-a, title: Team A}]\n");
    // A file with a colon in its name is still a file.
    scene.write("main:rooms.yaml", scene.read("rooms.yaml"));
    scene.run("diff main:rooms.yaml rooms.yaml").ok();
    let ceiling = scene.path("").parent().unwrap().to_owned();
    let scene = scene.env("GIT_CEILING_DIRECTORIES", ceiling.to_str().unwrap());
    let output = |scene: &Scene| {
        let ran = scene.run("diff HEAD:rooms.yaml rooms.yaml");
        format!("{} {}", ran.code, ran.err)
    };
    assert_snapshot!(output(&scene), @"
    1 error: `HEAD:rooms.yaml` is not a file, and the current directory is not in a git repository
      hint: run roomform in a git repository, or give the path of a file or a directory
    ");
    let scene = scene.env("PATH", "/nosuch");
    assert_snapshot!(output(&scene), @"
    1 error: `HEAD:rooms.yaml` needs git, which cannot be started: No such file or directory (os error 2)
      hint: install git, or name two files or directories
    ");
    scene.run("diff rooms.yaml rooms.yaml").exits(0);
}

#[test]
fn a_commit_missing_from_a_shallow_clone_is_reported() {
    let repo = Repo::with_base();
    repo.scene
        .write("rooms/b.yaml", "version: 1\nrooms: [{pipe: b, title: B}]\n");
    repo.commit();
    let url = format!("file://{}", repo.scene.path(".git").display());
    repo.git(&["clone", "-q", "--depth", "1", &url, "clone"]);
    let mut command = repo.scene.command("diff HEAD~1:rooms HEAD:rooms");
    let output = command
        .current_dir(repo.scene.path("clone"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_snapshot!(String::from_utf8(output.stderr).unwrap(), @"
    error: git has no revision `HEAD~1`
      hint: this clone is shallow: fetch the full history with git fetch --unshallow, or set fetch-depth: 0 in CI
    ");
}

#[cfg(unix)]
#[test]
fn links_are_followed_only_within_the_revision() {
    use std::os::unix::fs::symlink;

    let repo = Repo::with_base();
    let link = |target: &str, name: &str| symlink(target, repo.scene.path(name)).unwrap();
    repo.scene.write(
        "outside.yaml",
        "version: 1\nrooms: [{pipe: out, title: Out}]\n",
    );
    link("rooms", "linked");
    link("../linked/people/a.csv", "rooms/again.csv");
    repo.scene.write("rooms/again.yaml", "version: 1\nrooms: [{pipe: again, title: Again, members: [{roster: again.csv, user: id}]}]\n");
    repo.commit();
    // Links resolve within the revision, not on the disk.
    fs::remove_file(repo.scene.path("rooms/people/a.csv")).unwrap();
    let out = repo.diff("HEAD~1:rooms", "HEAD:linked").ok();
    out.shows("# HEAD:linked/again.yaml:2")
        .shows("members 5, 7");
    for (target, name, expected) in [
        (
            "../outside.yaml",
            "rooms/out.yaml",
            "leads outside the manifest's directory",
        ),
        (
            "/etc/passwd",
            "rooms/out.yaml",
            "leads outside the manifest's directory",
        ),
        (
            "../../../etc/passwd",
            "rooms/out.yaml",
            "leads outside the manifest's directory",
        ),
        (
            "/etc",
            "rooms/etc",
            "leads outside the manifest's directory",
        ),
        ("out.yaml", "rooms/out.yaml", "too many symbolic links"),
        ("nosuch.yaml", "rooms/out.yaml", "no such file"),
    ] {
        repo.git(&["checkout", "-q", "-f", "main"]);
        repo.git(&["checkout", "-q", "-B", "links"]);
        link(target, name);
        repo.commit();
        let ran = repo.diff("main:rooms", "links:rooms");
        assert_eq!(ran.code, 3, "{target}");
        assert!(ran.err.contains(expected), "{target}: {}", ran.err);
        ran.all().lacks("root:");
    }
    let ran = repo.diff("main:rooms", "links:rooms/out.yaml/x");
    // The manifest itself is a link.
    for (target, name) in [
        ("../run/key", "rooms.yaml"),
        ("/etc/passwd", "named.yaml"),
        ("/etc", "etc"),
    ] {
        link(target, name);
        repo.commit();
        let ran = repo.diff("main:rooms", &format!("links:{name}"));
        assert_eq!(ran.code, 3, "{target}");
        assert!(ran.err.contains("outside-root"), "{target}: {}", ran.err);
        ran.all().lacks("root:");
    }
    ran.exits(3);
}

#[test]
fn submodules_are_refused() {
    let repo = Repo::with_base();
    let commit = repo.git(&["rev-parse", "HEAD"]);
    let entry = format!("160000,{commit},rooms/sub");
    repo.git(&["update-index", "--add", "--cacheinfo", &entry]);
    repo.git(&["commit", "-q", "-m", "a submodule"]);
    let ran = repo.diff("HEAD~1:rooms", "HEAD:rooms");
    ran.exits(3);
    ran.err.shows("HEAD:rooms/sub").shows("a submodule");
    let named = repo.diff("HEAD:rooms/sub/rooms.yaml", "rooms");
    named.err.shows("a submodule");
}

/// A tree object with these entries, without git's checks.
fn tree(repo: &Repo, entries: &[(&str, &[u8], &str)]) -> String {
    let mut bytes = Vec::new();
    for (mode, name, id) in entries {
        bytes.extend(format!("{mode} ").bytes());
        bytes.extend(*name);
        bytes.push(0);
        bytes.extend(
            (0..id.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()),
        );
    }
    repo.scene.write("object", bytes);
    repo.git(&["hash-object", "-t", "tree", "--literally", "-w", "object"])
}

#[test]
fn malformed_trees_are_refused_quickly() {
    let repo = Repo::with_base();
    let blob = repo.git(&["rev-parse", "HEAD:rooms/rooms.yaml"]);
    let rooms = repo.git(&["rev-parse", "HEAD:rooms"]);
    let missing = "1".repeat(blob.len());
    for (name, expected) in [
        ("x/..", "a directory that git stores in an invalid form"),
        ("..", "a directory that git stores in an invalid form"),
        ("a/b.yaml", "a directory that git stores in an invalid form"),
        ("", "a directory that git stores in an invalid form"),
    ] {
        let odd = tree(&repo, &[("40000", name.as_bytes(), &rooms)]);
        let ran = repo.diff(&format!("{odd}:"), "rooms");
        assert_eq!(ran.code, 3, "{name}: {}", ran.err);
        assert!(ran.err.contains(expected), "{name}: {}", ran.err);
    }
    let lost = tree(&repo, &[("100644", b"a.yaml", &missing)]);
    let ran = repo.diff(&format!("{lost}:"), "rooms");
    ran.err.shows("does not have the file's content");
    let no_tree = tree(&repo, &[("40000", b"a", &blob)]);
    repo.diff(&format!("{no_tree}:"), "rooms").exits(3);
    // Twenty objects that expand to 10^12 files: rejected without a full walk.
    let mut bomb = tree(&repo, &[("100644", b"a.txt", &blob)]);
    for _ in 0..20 {
        let names: Vec<Vec<u8>> = (b'a'..=b'd').map(|name| vec![name]).collect();
        let entries: Vec<_> = names
            .iter()
            .map(|name| ("40000", name.as_slice(), bomb.as_str()))
            .collect();
        bomb = tree(&repo, &entries);
    }
    let ran = repo.diff(&format!("{bomb}:"), "rooms");
    ran.exits(3);
    ran.err.shows("more than 100000 entries in total");
}

#[test]
fn a_file_that_is_too_large_is_skipped_and_the_next_one_read() {
    let repo = Repo::with_base();
    let large = vec![b'#'; (64 << 20) + 1];
    repo.scene.write("rooms/a-large.yaml", large);
    repo.commit();
    let ran = repo.diff("HEAD:rooms", "rooms");
    ran.exits(3);
    let expected = "larger than 64 MiB";
    assert_eq!(ran.err.matches(expected).count(), 2, "{}", ran.err);
    assert_eq!(ran.err.matches("error[").count(), 2, "{}", ran.err);
}

#[test]
fn sha256_repositories_odd_names_and_bare_repositories_work() {
    let repo = Repo::with_base();
    repo.scene.write(
        "rooms/Алгебра 7б.yaml",
        "version: 1\nrooms: [{pipe: b, title: B}]\n",
    );
    repo.commit();
    let out = repo.diff("HEAD~1:rooms", "HEAD:rooms").ok();
    out.shows("# HEAD:rooms/Алгебра 7б.yaml:2");
    repo.git(&["clone", "-q", "--bare", ".", "bare.git"]);
    let mut command = repo.scene.command("diff HEAD~1:rooms HEAD:rooms");
    let bare = command
        .current_dir(repo.scene.path("bare.git"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(bare.stdout).unwrap(), out);

    let sha256 = Repo::new();
    fs::remove_dir_all(sha256.scene.path(".git")).unwrap();
    sha256.git(&["init", "-q", "-b", "main", "--object-format=sha256"]);
    sha256
        .scene
        .declare("version: 1\nrooms: [{pipe: b, title: B}]\n");
    sha256.commit();
    let out = sha256.diff("HEAD:rooms.yaml", "rooms.yaml").ok();
    out.shows("no difference; 1 unchanged");
}

#[test]
fn a_new_manifest_is_compared_with_nothing() {
    let repo = Repo::with_base();
    let out = repo.diff("/dev/null", "HEAD:rooms").ok();
    out.shows("diff: 2 to create, 3 members to add; 0 unchanged");
    // If the second manifest is empty, `diff` needs `--allow-empty`.
    repo.diff("HEAD:rooms", "/dev/null").exits(3);
}
