//! What `doctor` says about a server's certificate: who issued it, why it is rejected, and what to do.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use insta::assert_snapshot;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{at, doctor_output, steps};
use crate::support::Shows;

/// A certificate authority.
struct Signer {
    issuer: Issuer<'static, KeyPair>,
    /// The root certificate in PEM, as installed on a machine that trusts it.
    pem: String,
}

impl Signer {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let text = STANDARD.encode(params.self_signed(&key).unwrap().der());
        Self {
            issuer: Issuer::new(params, key),
            pem: format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"),
        }
    }
}

/// A TLS server that rejects every request.
struct Tls {
    address: SocketAddr,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Tls {
    /// Starts a server whose certificate is for this name and is modified by `change`.
    fn start(signer: &Signer, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &signer.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        let config = Arc::new(config.unwrap());
        Self::serve(move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            refuse(StreamOwned::new(connection, stream));
        })
    }

    /// Starts a server that handles each connection with this function.
    fn serve(answer: impl Fn(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                answer(stream.unwrap());
            }
        });
        Self {
            address,
            end,
            thread: Some(thread),
        }
    }

    fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

/// Reads a request to the end of its form. Most clients close the connection earlier, as the tests expect.
fn refuse(mut stream: StreamOwned<ServerConnection, TcpStream>) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while !request.ends_with(b"--\r\n") {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&piece[..count]),
        }
    }
    let answer = "HTTP/1.1 401 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    stream.write_all(answer.as_bytes()).unwrap();
    stream.conn.send_close_notify();
    drop(stream.flush());
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        self.thread.take().unwrap().join().unwrap();
    }
}

/// The connection steps of doctor on a machine that trusts one signer.
fn connection_steps(server: &Tls, trusted: &Signer) -> String {
    let scene = at(&server.url());
    let path = scene.write("trusted.pem", &trusted.pem);
    let scene = scene.env("SSL_CERT_FILE", path.to_str().unwrap());
    let text = doctor_output(&scene, &server.url(), &[]);
    steps(&text, &["connection", "tls", "credentials"])
}

#[test]
fn a_trusted_certificate_passes() {
    let signer = Signer::new("someone");
    let server = Tls::start(&signer, "127.0.0.1", |_| {});
    assert_snapshot!(connection_steps(&server, &signer), @"
    ok       connection      the server answers HTTP 401 to a call without credentials
    ok       tls             the certificate is valid for this server
    failed   credentials     the server does not accept the widget's secret key (HTTP 401)
                             remedy: check IMBACHAT_WIDGET and IMBACHAT_SECRET_KEY: both are shown in the widget's settings
    ");
}

#[test]
fn a_certificate_of_an_untrusted_authority_is_rejected() {
    let signer = Signer::new("someone");
    let server = Tls::start(&signer, "127.0.0.1", |_| {});
    assert_snapshot!(connection_steps(&server, &Signer::new("someone else")), @"
    ok       connection      the server answers; see `tls`
    failed   tls             no connection to https://127.0.0.1:PORT: its certificate is not signed by an authority that this machine trusts
                             remedy: check --api-url and the proxy settings; for your own certificate authority, set SSL_CERT_FILE to the path of its certificate
    skipped  credentials     needs `connection` and `tls`
    ");
}

#[test]
fn an_expired_or_not_yet_valid_certificate_is_rejected() {
    let signer = Signer::new("someone");
    let old = Tls::start(&signer, "127.0.0.1", |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    assert_snapshot!(connection_steps(&old, &signer), @"
    ok       connection      the server answers; see `tls`
    failed   tls             no connection to https://127.0.0.1:PORT: its certificate expired at 2020-01-01T00:00:00Z
                             remedy: ask the server's operator to renew the certificate, or set this machine's clock
    skipped  credentials     needs `connection` and `tls`
    ");
    let new = Tls::start(&signer, "127.0.0.1", |params| {
        params.not_before = date_time_ymd(3000, 1, 1);
    });
    assert_snapshot!(connection_steps(&new, &signer), @"
    ok       connection      the server answers; see `tls`
    failed   tls             no connection to https://127.0.0.1:PORT: its certificate is not valid before 3000-01-01T00:00:00Z
                             remedy: set this machine's clock, or ask the server's operator to replace the certificate
    skipped  credentials     needs `connection` and `tls`
    ");
}

#[test]
fn a_certificate_for_another_name_is_rejected() {
    let signer = Signer::new("someone");
    let server = Tls::start(&signer, "chat.example", |_| {});
    assert_snapshot!(connection_steps(&server, &signer), @r#"
    ok       connection      the server answers; see `tls`
    failed   tls             no connection to https://127.0.0.1:PORT: its certificate is not for 127.0.0.1, but for chat.example
                             remedy: check the host in --api-url: it must be one of the certificate's names
    skipped  credentials     needs `connection` and `tls`
    "#);
}

#[test]
fn a_server_without_tls_is_reported() {
    let server = Tls::serve(|mut stream| {
        let written = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        written.unwrap();
        // Read everything, because closing a connection with unread data would cut off the answer.
        drop(stream.shutdown(std::net::Shutdown::Write));
        drop(stream.read_to_end(&mut Vec::new()));
    });
    assert_snapshot!(connection_steps(&server, &Signer::new("someone")), @"
    ok       connection      the server answers; see `tls`
    failed   tls             no connection to https://127.0.0.1:PORT: the server does not speak TLS
                             remedy: check --api-url: the port may belong to plain http or to another program
    skipped  credentials     needs `connection` and `tls`
    ");
}

/// `get` reports the same error as `doctor`, and control characters in a name do no harm.
#[test]
fn names_in_certificates_are_escaped() {
    let signer = Signer::new("someone");
    let server = Tls::start(&signer, "x", |params| {
        let hostile = "chat\u{1b}[2J.example".try_into();
        params.subject_alt_names = vec![SanType::Rfc822Name("a@b.example".try_into().unwrap())];
        if let Ok(name) = hostile {
            params.subject_alt_names.push(SanType::DnsName(name));
        }
    });
    let scene = at(&server.url());
    let path = scene.write("trusted.pem", &signer.pem);
    let scene = scene.env("SSL_CERT_FILE", path.to_str().unwrap());
    let ran = scene.run("get rooms --timeout 2s");
    ran.exits(1);
    ran.err.shows("its certificate is");
    assert!(
        !ran.all().contains(['\u{1b}']) && !ran.all().contains("secret_key"),
        "{ran:?}"
    );
}

#[test]
fn an_authoritys_own_certificate_is_rejected() {
    let signer = Signer::new("someone");
    let server = Tls::start(&signer, "127.0.0.1", |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    assert_snapshot!(connection_steps(&server, &signer), @"
    ok       connection      the server answers; see `tls`
    failed   tls             no connection to https://127.0.0.1:PORT: its certificate belongs to a certificate authority, not to a server
                             remedy: ask the server's operator to use a certificate that an authority signed, and set SSL_CERT_FILE to the path of that authority's certificate
    skipped  credentials     needs `connection` and `tls`
    ");
}

/// `get rooms` fails with the same message as `doctor`, before anything is sent.
#[test]
fn unreadable_trusted_certificates_are_an_error() {
    let signer = Signer::new("someone");
    let server = Tls::start(&signer, "127.0.0.1", |_| {});
    let run = |name: &str, path: &str| {
        let scene = at(&server.url()).env(name, path);
        scene.write("junk.pem", "junk");
        scene.write("empty.pem", "");
        scene.write("empty/none.txt", "");
        let found = steps(
            &doctor_output(&scene, &server.url(), &[]),
            &["connection", "tls"],
        );
        let ran = scene.run("get rooms");
        let reason = ran
            .err
            .strip_prefix("error: ")
            .and_then(|text| text.split('\n').next());
        found.shows(reason.unwrap());
        found
    };
    assert_snapshot!(run("SSL_CERT_FILE", "no-such.pem"), @"
    skipped  connection      needs `tls`
    failed   tls             SSL_CERT_FILE: `no-such.pem` cannot be read: No such file or directory (os error 2)
                             remedy: set SSL_CERT_FILE to the path of the certificates (PEM) of the authorities to trust, or unset it
    ");
    assert_snapshot!(run("SSL_CERT_FILE", "junk.pem"), @"
    skipped  connection      needs `tls`
    failed   tls             SSL_CERT_FILE: `junk.pem` holds no certificate
                             remedy: set SSL_CERT_FILE to the path of the certificates (PEM) of the authorities to trust, or unset it
    ");
    assert_snapshot!(run("SSL_CERT_FILE", "empty.pem"), @"
    skipped  connection      needs `tls`
    failed   tls             SSL_CERT_FILE: `empty.pem` holds no certificate
                             remedy: set SSL_CERT_FILE to the path of the certificates (PEM) of the authorities to trust, or unset it
    ");
    assert_snapshot!(run("SSL_CERT_FILE", "/dev/zero"), @"
    skipped  connection      needs `tls`
    failed   tls             SSL_CERT_FILE: `/dev/zero` is not a regular file
                             remedy: set SSL_CERT_FILE to the path of the certificates (PEM) of the authorities to trust, or unset it
    ");
    assert_snapshot!(run("SSL_CERT_DIR", "junk.pem"), @"
    skipped  connection      needs `tls`
    failed   tls             SSL_CERT_DIR: `junk.pem` is not a directory
                             remedy: set SSL_CERT_DIR to the path of the certificates (PEM) of the authorities to trust, or unset it
    ");
    assert_snapshot!(run("SSL_CERT_DIR", "empty"), @"
    skipped  connection      needs `tls`
    failed   tls             SSL_CERT_DIR: `empty` holds no certificate
                             remedy: set SSL_CERT_DIR to the path of the certificates (PEM) of the authorities to trust, or unset it
    ");
    assert_snapshot!(run("SSL_CERT_FILE", ""), @"
    skipped  connection      needs `tls`
    failed   tls             HTTPS cannot be used: No CA certificates were loaded from the system
                             remedy: unset SSL_CERT_FILE and SSL_CERT_DIR if they are empty, or install the system's certificates (ca-certificates)
    ");
    run("SSL_CERT_DIR", "empty:elsewhere").shows("SSL_CERT_DIR: `elsewhere` cannot be read");
    // It is enough if one of the directories has certificates.
    let scene = at(&server.url()).env("SSL_CERT_DIR", "elsewhere:trusted");
    scene.write("trusted/someone.pem", &signer.pem);
    doctor_output(&scene, &server.url(), &[]).shows("tls             the certificate is valid");
}
