//! Connections: few and reused, with HTTP/2 if the server offers it.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::support::{Scene, Shows, manifest, read_request, runtime};

pub(super) fn many(rooms: u32) -> String {
    manifest(
        (1..=rooms).map(|room| format!("pipe: room-{room}, title: Room {room}, members: [3, 4]")),
    )
}

#[test]
fn connections_are_reused() {
    for (parallelism, most) in [("1", 2), ("8", 9)] {
        let scene = Scene::new().manifest(many(200)).sandbox();
        scene
            .run(["apply", "--yes", "--parallelism", parallelism])
            .ok();
        let stats = scene.stats();
        assert_eq!((stats.imba_rooms, stats.get_rooms), (200, 2));
        assert!(stats.connections <= most, "{stats:?}");
    }
}

/// TLS in front of a sandbox; stops when the test ends.
struct Tls {
    url: String,
    /// The certificate, as installed on a machine that trusts it.
    pem: String,
    agreed: Arc<Mutex<Vec<String>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tls {
    /// Offers these protocols, and records the negotiated one for each connection.
    fn before(scene: &Scene, offered: &[&str]) -> Self {
        let own = rcgen::generate_simple_self_signed(vec![
            "127.0.0.1".to_owned(),
            "chat.invalid".to_owned(),
        ])
        .unwrap();
        let text = STANDARD.encode(own.cert.der());
        let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = offered.iter().map(|name| name.as_bytes().into()).collect();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let to = scene.url();
        let to = to.trim_start_matches("http://").to_owned();
        let agreed = Arc::<Mutex<Vec<String>>>::default();
        let (stop, stopped) = oneshot::channel();
        let (protocols, acceptor) = (Arc::clone(&agreed), TlsAcceptor::from(Arc::new(config)));
        let thread = std::thread::spawn(move || {
            runtime().block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = pass_on(&listener, &acceptor, &to, &protocols) => {}
                    stopped = stopped => stopped.unwrap(),
                }
            });
        });
        Self {
            url,
            pem,
            agreed,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    fn agreed(&self) -> Vec<String> {
        self.agreed.lock().unwrap().clone()
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

async fn pass_on(
    listener: &TcpListener,
    acceptor: &TlsAcceptor,
    to: &str,
    protocols: &Mutex<Vec<String>>,
) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let mut near = acceptor.accept(stream).await.unwrap();
        let protocol = near.get_ref().1.alpn_protocol().unwrap_or(b"none");
        let protocol = String::from_utf8_lossy(protocol).into_owned();
        protocols.lock().unwrap().push(protocol);
        let mut far = TcpStream::connect(to).await.unwrap();
        tokio::spawn(async move {
            // An error only means that one side closed the connection.
            drop(copy_bidirectional(&mut near, &mut far).await);
        });
    }
}

/// Applies fifty rooms through TLS. Returns the negotiated protocols and the number of connections.
fn applied(offered: &[&str]) -> (Vec<String>, u64) {
    let scene = Scene::new().sandbox();
    let tls = Tls::before(&scene, offered);
    let scene = scene.manifest(many(50));
    let certificate = scene.write("certificate.pem", &tls.pem);
    let scene = scene
        .at(&tls.url)
        .env("SSL_CERT_FILE", certificate.to_str().unwrap());
    scene.run("apply --yes --parallelism 8").ok();
    assert_eq!(scene.rooms().len(), 50);
    (tls.agreed(), scene.stats().connections)
}

#[test]
fn http_2_is_used_if_offered_over_one_connection() {
    let (agreed, connections) = applied(&["h2", "http/1.1"]);
    assert_eq!((agreed, connections), (vec!["h2".to_owned()], 1));
}

/// A proxy for one tunnel. It connects the tunnel to this server, whatever host the client
/// names, and then ends.
fn tunnel_to(server: &str) -> (String, JoinHandle<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = server.trim_start_matches("https://").to_owned();
    let thread = std::thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        let request = read_request(&mut near);
        near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        near.set_nonblocking(true).unwrap();
        runtime().block_on(async {
            let mut near = TcpStream::from_std(near).unwrap();
            let mut far = TcpStream::connect(server).await.unwrap();
            // An error only means that one side closed the connection.
            drop(copy_bidirectional(&mut near, &mut far).await);
        });
        request
    });
    (url, thread)
}

#[test]
fn a_tunnel_through_a_proxy_carries_all_calls() {
    let scene = Scene::new().sandbox();
    let tls = Tls::before(&scene, &["h2"]);
    let (proxy, tunnel) = tunnel_to(&tls.url);
    let certificate = scene.write("certificate.pem", &tls.pem);
    let scene = scene
        .manifest(many(5))
        .at("https://chat.invalid")
        .env("HTTPS_PROXY", &proxy)
        .env("SSL_CERT_FILE", certificate.to_str().unwrap());
    scene.run("apply --yes").ok();
    assert_eq!(scene.rooms().len(), 5);
    let request = tunnel.join().unwrap();
    request
        .begins("CONNECT chat.invalid:443 ")
        .lacks("secret_key");
}

#[test]
fn http_1_is_used_if_http_2_is_not_offered() {
    let (agreed, connections) = applied(&["http/1.1"]);
    assert!(agreed.iter().all(|name| name == "http/1.1"), "{agreed:?}");
    // A handshake takes longer here than a call, so the client may open connections that it
    // never uses.
    assert!((1..=25).contains(&connections), "{connections}");
}
