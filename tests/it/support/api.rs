//! A sandbox on its own port and thread; it stops when the test ends.

use std::thread::JoinHandle;

use roomform::sandbox::{Config, Quirks, Room, Sandbox, Stats, World, start};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// A runtime that runs async code on the current thread.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A server that accepts updates but ignores them.
pub fn ignoring_updates() -> Config {
    let quirks = Quirks {
        ignore_updates: true,
        ..Quirks::default()
    };
    Config {
        quirks,
        ..Config::default()
    }
}

pub struct Api {
    sandbox: Option<Sandbox>,
    stop: Option<oneshot::Sender<Sandbox>>,
    thread: Option<JoinHandle<()>>,
}

impl Api {
    pub fn start(config: Config) -> Self {
        let (give, take) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<Sandbox>();
        let thread = std::thread::spawn(move || {
            runtime().block_on(async {
                give.send(start(config).await.unwrap()).unwrap();
                stopped.await.unwrap().stop().await.unwrap();
            });
        });
        Self {
            sandbox: Some(take.recv().unwrap()),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub fn url(&self) -> String {
        self.sandbox().base_url()
    }

    /// The variables that point the program to this sandbox, with all credentials.
    pub fn env(&self) -> Vec<(String, String)> {
        let vars = [
            ("IMBACHAT_API_URL", self.sandbox().base_url()),
            ("IMBACHAT_WIDGET", "627".to_owned()),
            ("IMBACHAT_SECRET_KEY", "secret_key".to_owned()),
            ("IMBACHAT_LOGIN", "admin".to_owned()),
            ("IMBACHAT_PASSWORD", "admin".to_owned()),
        ];
        vars.into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Reads or changes the server's state directly, without a request.
    pub fn world<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        self.sandbox().with_world(work)
    }

    /// The live rooms of widget 627, without the room that every widget has.
    pub fn rooms(&self) -> Vec<Room> {
        let rooms = self.world(|world| world.rooms(627));
        rooms
            .into_iter()
            .filter(|room| room.kind != 3 && room.deleted_at.is_none())
            .collect()
    }

    #[track_caller]
    pub fn room(&self, pipe: &str) -> Room {
        let mut found: Vec<Room> = self
            .rooms()
            .into_iter()
            .filter(|room| room.pipe == pipe)
            .collect();
        assert_eq!(found.len(), 1, "{pipe}: {found:?}");
        found.remove(0)
    }

    /// The calls so far.
    pub fn stats(&self) -> Stats {
        self.sandbox().stats()
    }

    fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().unwrap()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        let (stop, sandbox, thread) = (
            self.stop.take().unwrap(),
            self.sandbox.take().unwrap(),
            self.thread.take().unwrap(),
        );
        let ended = stop.send(sandbox).is_ok() && thread.join().is_ok();
        assert!(
            ended || std::thread::panicking(),
            "the sandbox did not stop cleanly"
        );
    }
}
