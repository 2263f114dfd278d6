//! A sandbox on a port of its own, on a thread of its own, ended with its test.

use std::thread::JoinHandle;

use roomform::sandbox::{Config, Quirks, RoomView, Sandbox, Stats, World, start};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// What runs async code on the thread that asks.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// A server that says yes to updates and changes nothing.
pub fn deaf() -> Config {
    let quirks = Quirks {
        ignore_updates: true,
        ..Quirks::default()
    };
    Config {
        quirks,
        ..Config::default()
    }
}

/// A running sandbox.
pub struct Api {
    sandbox: Option<Sandbox>,
    stop: Option<oneshot::Sender<Sandbox>>,
    thread: Option<JoinHandle<()>>,
}

impl Api {
    /// Starts one.
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

    /// Its address.
    pub fn url(&self) -> String {
        self.sandbox().base_url()
    }

    /// The variables that lead the program here, with credentials for everything.
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

    /// Looks into the server, or changes something behind the client's back.
    pub fn world<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        self.sandbox().with_world(work)
    }

    /// The live rooms of widget 627, without the one every widget has.
    pub fn rooms(&self) -> Vec<RoomView> {
        let rooms = self.world(|world| world.rooms(627));
        rooms
            .into_iter()
            .filter(|room| room.kind != 3 && !room.deleted)
            .collect()
    }

    /// The live room with this pipe.
    #[track_caller]
    pub fn room(&self, pipe: &str) -> RoomView {
        let mut found: Vec<RoomView> = self
            .rooms()
            .into_iter()
            .filter(|room| room.pipe == pipe)
            .collect();
        assert_eq!(found.len(), 1, "{pipe}: {found:?}");
        found.remove(0)
    }

    /// What was called so far.
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
            "the sandbox did not end well"
        );
    }
}
