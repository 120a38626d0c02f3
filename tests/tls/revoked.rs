//! Clients whose certificate was taken back, by a list of their CA's.

use farcall::{ClientTls, Limits, ServerTls};

use super::by_hand::showing;
use super::certificates::{Ca, Folder, Pair};
use super::service::{EchoClient, Serving, serve};

struct House {
    folder: Folder,
    ca: Ca,
    tls: ServerTls,
    serving: Serving,
}

impl House {
    /// A server of the clients of `clients` that `list` does not name.
    async fn new(clients: &Ca, list: &str) -> Self {
        let ca = Ca::new("the CA");
        let pair = ca.server(&["localhost"]);
        let folder = Folder::new();
        let tls = ServerTls::from_pem(&pair.cert, &pair.key).unwrap();
        let tls = tls.client_ca_pem(clients.pem()).unwrap();
        let tls = tls.client_crl_file(folder.write("crl.pem", list)).unwrap();
        let mine = tls.clone();
        let serving = serve("tls://127.0.0.1:0", |server| server.tls(mine)).await;
        Self {
            folder,
            ca,
            tls,
            serving,
        }
    }

    /// One configuration of `pair`'s, whose sessions all connections would resume.
    fn client(&self, pair: &Pair) -> ClientTls {
        ClientTls::from_config(showing(pair, &self.ca))
    }

    async fn call(&self, tls: &ClientTls) -> Result<String, String> {
        let address = format!("json+https://localhost:{}", self.serving.port);
        let address = address.parse().unwrap();
        let channel = farcall::connect_with_tls(&address, Limits::default(), tls).await;
        let client = EchoClient::new(channel.map_err(|error| error.to_string())?);
        client
            .echo("hello")
            .await
            .map_err(|error| error.to_string())
    }
}

fn numbered(ca: &Ca, serial: u64) -> Pair {
    ca.client_as("ada.example", |cert| {
        cert.serial_number = Some(serial.into());
    })
}

#[tokio::test]
async fn a_client_on_the_list_is_refused_and_told_so_once_it_was_read() {
    let clients = Ca::new("the clients' CA");
    let house = House::new(&clients, &clients.revokes(&[], 3000)).await;
    let (ada, bob) = (numbered(&clients, 7), numbered(&clients, 8));
    let (ada, bob) = (house.client(&ada), house.client(&bob));
    house.call(&ada).await.unwrap();
    house.call(&bob).await.unwrap();

    let list = clients.revokes(&[7], 3000);
    house.folder.write("crl.pem", &list);
    house.tls.reload().unwrap();
    let calls = house.serving.parrot.calls();
    for _ in 0..100 {
        let error = house.call(&ada).await.unwrap_err();
        assert!(
            error.contains("the client certificate was revoked"),
            "{error}"
        );
    }
    assert_eq!(house.serving.parrot.calls(), calls);
    house.call(&bob).await.unwrap();
}

#[tokio::test]
async fn a_bad_list_keeps_the_old_one_and_says_why() {
    let clients = Ca::new("the clients' CA");
    let good = clients.revokes(&[7], 3000);
    let house = House::new(&clients, &good).await;
    let (ada, bob) = (numbered(&clients, 7), numbered(&clients, 8));
    let half = good.get(..good.len() / 2).unwrap();
    let nonsense = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    for (list, why) in [
        ("", "has no revocation list in it"),
        (&clients.pem(), "has no revocation list in it"),
        (half, "cannot be read as PEM"),
        (nonsense, "revocation list, cannot be used"),
    ] {
        house.folder.write("crl.pem", list);
        let error = house.tls.reload().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        house.call(&house.client(&ada)).await.unwrap_err();
        house.call(&house.client(&bob)).await.unwrap();
    }
}

#[tokio::test]
async fn a_list_that_is_out_of_date_or_anothers_lets_nobody_in() {
    let clients = Ca::new("the clients' CA");
    let bob = numbered(&clients, 8);
    for list in [
        clients.revokes(&[], 2021),
        Ca::new("another CA").revokes(&[], 3000),
        // Of this name, but with another key.
        Ca::new("the clients' CA").revokes(&[], 3000),
    ] {
        let house = House::new(&clients, &list).await;
        house.call(&house.client(&bob)).await.unwrap_err();
        assert_eq!(house.serving.parrot.calls(), 0);
    }
}

#[tokio::test]
async fn a_list_needs_the_ca_whose_clients_it_is_about() {
    let ca = Ca::new("the CA");
    let pair = ca.server(&["localhost"]);
    let tls = ServerTls::from_pem(&pair.cert, &pair.key).unwrap();
    let error = tls.client_crl_pem(ca.revokes(&[], 3000)).unwrap_err();
    assert!(error.to_string().contains("name that first"), "{error}");
}
