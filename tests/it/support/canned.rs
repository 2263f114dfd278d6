//! A server that gives canned answers, including some that a sandbox never gives.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::messages::{answer, read_request};

pub struct Canned {
    address: SocketAddr,
    end: Arc<AtomicBool>,
    requests: Arc<Mutex<Vec<String>>>,
    thread: Option<JoinHandle<()>>,
}

impl Canned {
    /// Starts a server with this HTTP answer.
    pub fn answer(status: &str, headers: &str, body: &str) -> Self {
        Self::raw(answer(status, headers, body))
    }

    /// Starts a server that sends these bytes and closes the connection.
    pub fn raw(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::by(move |_| answer.clone())
    }

    /// Starts a server whose answer depends on the request.
    pub fn by(answer_to: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let end = Arc::new(AtomicBool::new(false));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (ended, kept) = (Arc::clone(&end), Arc::clone(&requests));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.unwrap();
                let request = read_request(&mut stream);
                let bytes = answer_to(&request);
                // Record the request before answering, because the test may check it as soon as
                // the answer arrives.
                kept.lock().unwrap().push(request);
                // The client may have closed the connection already.
                drop(stream.write_all(&bytes));
            }
        });
        Self {
            address,
            end,
            requests,
            thread: Some(thread),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The number of requests.
    pub fn served(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    /// The requests with heads and bodies.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Canned {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        self.thread.take().unwrap().join().unwrap();
    }
}
