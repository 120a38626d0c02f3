//! Versions of TLS that are broken: 1.0, 1.1, and SSL 3.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::certificates::Ca;
use super::service::serve_tls;

/// A ClientHello as a client of `version` (SSL 3 is 0, TLS 1.1 is 2) sends it, with the suites of its
/// time and those that RSA and elliptic curves have now.
fn hello(version: u8) -> Vec<u8> {
    // ECDHE-ECDSA and -RSA with AES-128-GCM and AES-128-CBC, RSA with AES-128-CBC and 3DES.
    let suites = [
        0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x09, 0xc0, 0x13, 0, 0x2f, 0, 0x0a,
    ];
    // P-256, X25519; points that are not compressed; ECDSA and RSA with SHA-256.
    let extensions = [
        &[0, 0x0a, 0, 6, 0, 4, 0, 0x17, 0, 0x1d][..],
        &[0, 0x0b, 0, 2, 1, 0],
        &[0, 0x0d, 0, 6, 0, 4, 4, 3, 4, 1],
    ]
    .concat();
    let mut body = vec![3, version];
    body.extend([7; 32]);
    body.push(0);
    body.extend([0, u8::try_from(suites.len()).unwrap()]);
    body.extend(suites);
    body.extend([1, 0, 0, u8::try_from(extensions.len()).unwrap()]);
    body.extend(extensions);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![22, 3, version.min(1), 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}

async fn answer(port: u16, hello: &[u8]) -> Vec<u8> {
    let mut io = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    io.write_all(hello).await.unwrap();
    let mut answer = vec![0; 7];
    let read = io.read(&mut answer).await.unwrap();
    answer.truncate(read);
    answer
}

#[tokio::test]
async fn they_are_refused_by_an_alert_that_says_so() {
    const HANDSHAKE: u8 = 22;
    const ALERT: u8 = 21;
    const FATAL: u8 = 2;
    const PROTOCOL_VERSION: u8 = 70;

    let serving = serve_tls(&Ca::new("the CA").server(&["localhost"])).await;
    for version in [0, 1, 2] {
        let alert = answer(serving.port, &hello(version)).await;
        assert_eq!(alert.first(), Some(&ALERT), "{version}: {alert:?}");
        assert_eq!(
            alert.get(5..),
            Some(&[FATAL, PROTOCOL_VERSION][..]),
            "{version}"
        );
    }
    assert_eq!(serving.parrot.calls(), 0);
    // It is the version: the same of TLS 1.2 is answered by the server's own hello.
    let answer = answer(serving.port, &hello(3)).await;
    assert_eq!(answer.first(), Some(&HANDSHAKE), "{answer:?}");
}
