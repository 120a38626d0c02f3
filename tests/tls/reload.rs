//! Certificates that change while a server runs.

use std::time::Duration;

use farcall::{ClientTls, Limits, ServerTls};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::by_hand::showing;
use super::certificates::{Ca, Folder, Pair};
use super::service::{EchoClient, Serving, serve};

struct House {
    folder: Folder,
    tls: ServerTls,
    heard: UnboundedReceiver<Result<(), String>>,
}

impl House {
    /// A server's certificate in files.
    fn new(pair: &Pair) -> Self {
        let folder = Folder::new();
        let cert = folder.write("cert.pem", &pair.cert);
        let key = folder.write("key.pem", &pair.key);
        let (told, heard) = unbounded_channel();
        let tls = ServerTls::from_pem_files(cert, key)
            .unwrap()
            .on_reload(move |outcome| {
                let outcome = outcome.clone().map_err(|error| error.to_string());
                let _ = told.send(outcome);
            });
        Self { folder, tls, heard }
    }

    async fn serve(&self) -> Serving {
        let tls = self.tls.clone();
        serve("tls://127.0.0.1:0", |server| server.tls(tls)).await
    }

    fn put(&self, pair: &Pair) {
        self.folder.write("cert.pem", &pair.cert);
        self.folder.write("key.pem", &pair.key);
    }
}

async fn connect(serving: &Serving, tls: ClientTls) -> Result<EchoClient, String> {
    let address = format!("json+https://localhost:{}", serving.port);
    let address = address.parse().unwrap();
    let channel = farcall::connect_with_tls(&address, Limits::default(), &tls).await;
    let client = EchoClient::new(channel.map_err(|error| error.to_string())?);
    let called = client.whoami().await;
    called.map_err(|error| error.to_string())?;
    Ok(client)
}

fn trusting(ca: &Ca) -> ClientTls {
    ClientTls::new().ca_pem(ca.pem()).unwrap()
}

#[tokio::test]
async fn new_connections_get_the_new_certificate_and_open_ones_go_on() {
    let (old, new) = (Ca::new("the old CA"), Ca::new("the new CA"));
    let house = House::new(&old.server(&["localhost"]));
    let serving = house.serve().await;
    let client = connect(&serving, trusting(&old)).await.unwrap();

    house.put(&new.server(&["localhost"]));
    house.tls.reload().unwrap();
    connect(&serving, trusting(&new)).await.unwrap();
    let error = connect(&serving, trusting(&old))
        .await
        .map(drop)
        .unwrap_err();
    assert!(error.contains("signed by nobody"), "{error}");
    assert_eq!(client.echo("still here").await.unwrap(), "still here");
}

#[tokio::test]
async fn bad_files_keep_the_old_certificate_and_say_why() {
    let ca = Ca::new("the CA");
    let good = ca.server(&["localhost"]);
    let mut house = House::new(&good);
    let serving = house.serve().await;
    let half = good.cert.get(..good.cert.len() / 2).unwrap();
    let other = ca.server(&["localhost"]);
    for (cert, key, why) in [
        ("", &good.key[..], "has no certificate in it"),
        (half, &good.key, "cert.pem` cannot be read as PEM"),
        (&good.cert, "", "key.pem` has no private key in it"),
        (
            &good.cert,
            &other.key,
            "the server's certificate cannot be used",
        ),
    ] {
        house.folder.write("cert.pem", cert);
        house.folder.write("key.pem", key);
        let error = house.tls.reload().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        assert_eq!(house.heard.try_recv().unwrap(), Err(error));
        connect(&serving, trusting(&ca)).await.unwrap();
    }
    std::fs::remove_file(house.folder.as_ref().join("cert.pem")).unwrap();
    let error = house.tls.reload().unwrap_err().to_string();
    assert!(error.starts_with("cannot read"), "{error}");
    connect(&serving, trusting(&ca)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_notices_that_its_files_have_changed() {
    let (old, new) = (Ca::new("the old CA"), Ca::new("the new CA"));
    let mut house = House::new(&old.server(&["localhost"]));
    let serving = house.serve().await;

    house.folder.write("cert.pem", "half written");
    let within = Duration::from_secs(15);
    let heard = tokio::time::timeout(within, house.heard.recv()).await;
    heard.unwrap().unwrap().unwrap_err();

    house.put(&new.server(&["localhost"]));
    let heard = tokio::time::timeout(within, house.heard.recv()).await;
    assert_eq!(heard.unwrap(), Some(Ok(())));
    tokio::time::resume();
    connect(&serving, trusting(&new)).await.unwrap();
}

#[tokio::test]
async fn a_client_whose_ca_is_trusted_no_more_does_not_come_back() {
    let (ca, old, new) = (
        Ca::new("the CA"),
        Ca::new("old clients"),
        Ca::new("new clients"),
    );
    let pair = ca.server(&["localhost"]);
    let mut house = House::new(&pair);
    let clients = house.folder.write("clients.pem", &old.pem());
    house.tls = house.tls.client_ca_file(clients).unwrap();
    let serving = house.serve().await;
    let ada = old.client("ada.example");
    // One configuration, whose sessions all connections would resume.
    let tls = ClientTls::from_config(showing(&ada, &ca));
    connect(&serving, tls.clone()).await.unwrap();
    connect(&serving, tls.clone()).await.unwrap();

    house.folder.write("clients.pem", &new.pem());
    house.tls.reload().unwrap();
    assert_eq!(house.heard.try_recv().unwrap(), Ok(()));
    for _ in 0..100 {
        connect(&serving, tls.clone()).await.map(drop).unwrap_err();
    }
    let bob = new.client("bob.example");
    let tls = trusting(&ca).identity_pem(&bob.cert, &bob.key).unwrap();
    connect(&serving, tls).await.unwrap();
}
