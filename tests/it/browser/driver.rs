//! A headless Chromium, driven by chromedriver over plain HTTP. Both stop when the test ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::Running;

/// Flags that let Chromium run as root and keep it off the network.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// A browser with one page.
pub struct Browser {
    _driver: Running,
    port: u16,
    session: String,
    _profile: TempDir,
}

/// Whether Chromium and chromedriver are installed at Debian's paths.
pub fn installed() -> bool {
    Path::new("/usr/bin/chromium").exists() && Path::new("/usr/bin/chromedriver").exists()
}

/// A running chromedriver and its port; `None` if it exited before it opened a port.
fn driver() -> Option<(Running, u16)> {
    let mut command = Command::new("/usr/bin/chromedriver");
    command.arg("--port=0");
    let mut driver = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| {
        let line = line.unwrap();
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    // Drain the remaining output, so that chromedriver never blocks on a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Some((driver, port?))
}

impl Browser {
    /// Starts a browser in dark or light mode.
    pub fn start(dark: bool) -> Self {
        let profile = TempDir::new().unwrap();
        // When several copies of chromedriver start at once, one may exit before it opens a
        // port. So try up to three times.
        let (driver, port) = (0..3).find_map(|_| driver()).unwrap();
        let mut flags: Vec<String> = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        flags.push(format!(
            "--blink-settings=preferredColorScheme={}",
            u8::from(!dark)
        ));
        let mut browser = Self {
            _driver: driver,
            port,
            session: String::new(),
            _profile: profile,
        };
        let options = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"binary": "/usr/bin/chromium", "args": flags},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let made = browser.call("POST", "/session", &options);
        browser.session = made["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        // Every command takes seconds at most, even on a busy machine.
        let patience = std::time::Duration::from_secs(120);
        stream.set_read_timeout(Some(patience)).unwrap();
        let body = if method == "POST" {
            body.to_string()
        } else {
            String::new()
        };
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").unwrap();
        // chromedriver always keeps the connection open, so the content length marks the end of the answer.
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert!(answer["value"]["error"].is_null(), "{path}: {answer:#}");
        answer["value"].clone()
    }

    fn ask(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &format!("/session/{}{path}", self.session), body)
    }

    /// Opens a file in a window of this width, and waits until it is drawn.
    pub fn open(&self, file: &Path, width: u32) {
        // Chromium has a minimum window width, so the viewport width is emulated.
        let metrics =
            json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500});
        self.ask(
            "/goog/cdp/execute",
            &json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics}),
        );
        self.ask(
            "/url",
            &json!({"url": format!("file://{}", file.display())}),
        );
        // Until it has drawn the page, the browser may drop key presses.
        let script =
            "const [done] = arguments; requestAnimationFrame(() => requestAnimationFrame(done));";
        self.ask("/execute/async", &json!({"script": script, "args": []}));
    }

    /// Runs a script in the page and returns its result.
    pub fn eval(&self, script: &str) -> Value {
        self.ask(
            "/execute/sync",
            &json!({"script": format!("return {script}"), "args": []}),
        )
    }

    /// Sends key presses to the focused element.
    pub fn keys(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| {
                ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()}))
            })
            .collect();
        self.ask(
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}),
        );
    }

    /// The lines of the console.
    pub fn console(&self) -> Vec<String> {
        let log = self.ask("/se/log", &json!({"type": "browser"}));
        log.as_array()
            .unwrap()
            .iter()
            .map(|line| line["message"].to_string())
            .collect()
    }

    /// The requested URLs, except the page itself.
    pub fn requests(&self) -> Vec<String> {
        let log = self.ask("/se/log", &json!({"type": "performance"}));
        let sent = log.as_array().unwrap().iter().filter_map(|line| {
            let message: Value = serde_json::from_str(line["message"].as_str().unwrap()).unwrap();
            let message = &message["message"];
            (message["method"] == "Network.requestWillBeSent").then(|| {
                message["params"]["request"]["url"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
        });
        sent.filter(|url| {
            !url.starts_with("file://") && !url.starts_with("data:") && !url.starts_with("chrome")
        })
        .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            // The driver stops the browser. If the test has already failed, its error is
            // printed, and an error here is ignored.
            let path = format!("/session/{}", self.session);
            let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                self.call("DELETE", &path, &Value::Null)
            }));
            assert!(
                asked.is_ok() || std::thread::panicking(),
                "the browser did not end"
            );
        }
    }
}
