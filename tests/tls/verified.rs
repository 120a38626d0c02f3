//! A server's certificate is verified, whatever is spoken inside.

use farcall::{Channel, ClientTls, Limits};
use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};

use super::certificates::{Ca, Folder, Pair, self_signed};
use super::service::{EchoClient, serve_tls};

/// Every way over TLS.
pub(crate) const WAYS: [&str; 6] = [
    "bincode+tls",
    "json+tls",
    "xml+tls",
    "json+https",
    "xml+https",
    "bincode+https",
];

async fn connect(address: &str, tls: &ClientTls) -> Result<EchoClient, String> {
    let address = address.parse().unwrap();
    let channel: Result<Channel, _> =
        farcall::connect_with_tls(&address, Limits::default(), tls).await;
    channel
        .map(EchoClient::new)
        .map_err(|error| error.to_string())
}

async fn call(address: &str, tls: &ClientTls) -> Result<String, String> {
    let client = connect(address, tls).await?;
    let answer = client.whoami().await;
    answer.map_err(|error| error.to_string())
}

#[tokio::test]
async fn one_port_speaks_everything_inside_tls() {
    let ca = Ca::new("the CA");
    let folder = Folder::new();
    let ca_file = folder.write("ca.pem", &ca.pem());
    let serving = serve_tls(&ca.server(&["localhost", "127.0.0.1"])).await;
    for way in WAYS {
        for version in ["", "&version=1", "&version=2"] {
            if !way.ends_with("https") && !version.is_empty() {
                continue;
            }
            for host in ["localhost", "127.0.0.1"] {
                let address = format!("{way}://{host}:{}?ca={ca_file}{version}", serving.port);
                let client = EchoClient::connect(&address).await.expect(&address);
                let transport = address.split(['+', ':']).nth(1).unwrap();
                let who = client.whoami().await.expect(&address);
                assert_eq!(who, format!("{transport} [] 0"), "{address}");
                let long = "x".repeat(300_000);
                assert_eq!(client.echo(&long).await.unwrap(), long, "{address}");
                let many = (0..50).map(|_| client.echo("y"));
                let many = client.batch(many.collect::<Vec<_>>()).await;
                assert_eq!(many.unwrap().len(), 50, "{address}");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_trusted_is_refused_and_said_why() {
    let (ca, other) = (Ca::new("the CA"), Ca::new("another CA"));
    let trusting = ClientTls::new().ca_pem(ca.pem()).unwrap();
    let names = ["localhost"];
    let cases: Vec<(Pair, &str, &str)> = vec![
        (
            ca.server(&["calc.example"]),
            "localhost",
            "is for calc.example, not for localhost",
        ),
        (
            ca.server(&["10.0.0.1"]),
            "127.0.0.1",
            "is for 10.0.0.1, not for 127.0.0.1",
        ),
        (
            ca.server(&["localhost"]),
            "127.0.0.1",
            "is for localhost, not for 127.0.0.1",
        ),
        (ca.server(&[]), "localhost", "is for no name"),
        (
            ca.signs_as(&names, |cert| cert.not_after = date_time_ymd(2020, 1, 1)),
            "localhost",
            "days ago",
        ),
        (
            ca.signs_as(&names, |cert| cert.not_before = date_time_ymd(3000, 1, 1)),
            "localhost",
            "not valid before",
        ),
        (
            ca.signs_as(&names, |cert| {
                cert.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            }),
            "localhost",
            "not meant for servers",
        ),
        (
            self_signed(&names),
            "localhost",
            "signed by nobody who is trusted here",
        ),
        (
            other.server(&names),
            "localhost",
            "signed by nobody who is trusted here",
        ),
    ];
    for (pair, host, why) in cases {
        let serving = serve_tls(&pair).await;
        for way in WAYS {
            let address = format!("{way}://{host}:{}", serving.port);
            let error = call(&address, &trusting).await.unwrap_err();
            assert!(error.contains(why), "{address}: {error}");
        }
        assert_eq!(serving.parrot.calls(), 0, "{why}");
    }
}

#[tokio::test]
async fn a_certificate_that_signs_itself_can_be_named_as_the_one_that_is_trusted() {
    let pair = self_signed(&["localhost"]);
    let serving = serve_tls(&pair).await;
    let trusting = ClientTls::new().ca_pem(&pair.cert).unwrap();
    let address = format!("tls://localhost:{}", serving.port);
    assert_eq!(call(&address, &trusting).await.unwrap(), "tls [] 0");
}

#[tokio::test]
async fn nobody_is_trusted_who_was_not_named() {
    let serving = serve_tls(&Ca::new("the CA").server(&["localhost"])).await;
    let address = format!("https://localhost:{}", serving.port);
    let client = EchoClient::connect(&address).await;
    let error = match client {
        Ok(client) => client.whoami().await.unwrap_err().to_string(),
        // A machine without certificates has nobody to trust.
        Err(error) => error.to_string(),
    };
    assert!(error.contains("trust"), "{error}");
}

/// The machine's certificates are read once for a process, so this needs one of its own: it runs its
/// own test again, with a machine that trusts the CA.
#[tokio::test]
async fn an_address_alone_is_enough_where_the_machine_trusts_the_ca() {
    if let Ok(port) = std::env::var("FARCALL_TEST_PORT") {
        for scheme in ["tls", "https"] {
            let address = format!("{scheme}://localhost:{port}");
            let client = EchoClient::connect(&address).await.unwrap();
            assert_eq!(client.echo("hello").await.unwrap(), "hello");
        }
        return;
    }
    let ca = Ca::new("the CA");
    let folder = Folder::new();
    let serving = serve_tls(&ca.server(&["localhost"])).await;
    let status = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "verified::an_address_alone_is_enough_where_the_machine_trusts_the_ca",
        ])
        .env("FARCALL_TEST_PORT", serving.port.to_string())
        .env("SSL_CERT_FILE", folder.write("ca.pem", &ca.pem()))
        .status();
    assert!(status.await.unwrap().success());
    assert_eq!(serving.parrot.calls(), 2);
}

#[tokio::test]
async fn a_configuration_that_cannot_be_says_so() {
    let folder = Folder::new();
    let (one, two) = (self_signed(&["a"]), self_signed(&["b"]));
    let (cert, key) = (
        folder.write("cert.pem", &one.cert),
        folder.write("key.pem", &two.key),
    );
    let empty = folder.write("empty.pem", "");
    for (query, why) in [
        (
            "ca=/nowhere/ca.pem".to_owned(),
            "cannot read `/nowhere/ca.pem`",
        ),
        (format!("ca={empty}"), "has no certificate in it"),
        (format!("ca={key}"), "has no certificate in it"),
        (
            format!("cert={cert}&key={empty}"),
            "has no private key in it",
        ),
        (format!("cert={cert}&key={key}"), "cannot be used"),
    ] {
        for scheme in ["tls", "https"] {
            let address = format!("{scheme}://localhost:1?{query}");
            let error = farcall::connect(&address).await.unwrap_err().to_string();
            assert!(error.contains(why), "{address}: {error}");
        }
    }
    let plain = connect("http://localhost:1", &ClientTls::new()).await;
    let error = plain.map(|_| ()).unwrap_err();
    assert!(error.contains("in clear"), "{error}");
}
