//! Mutual TLS: who calls.

use farcall::{ClientTls, Limits, Server, ServerTls};
use rcgen::date_time_ymd;

use super::certificates::{Ca, Folder, Pair};
use super::service::{EchoClient, Serving, serve};
use super::verified::WAYS;

struct House {
    ca: Ca,
    server: Pair,
}

impl House {
    fn new() -> Self {
        let ca = Ca::new("the CA");
        let server = ca.server(&["localhost"]);
        Self { ca, server }
    }

    fn tls(&self, clients: &Ca) -> ServerTls {
        let tls = ServerTls::from_pem(&self.server.cert, &self.server.key).unwrap();
        tls.client_ca_pem(clients.pem()).unwrap()
    }

    /// A client that shows this, if anything.
    async fn call(
        &self,
        way: &str,
        serving: &Serving,
        pair: Option<&Pair>,
    ) -> Result<String, String> {
        let mut tls = ClientTls::new().ca_pem(self.ca.pem()).unwrap();
        if let Some(pair) = pair {
            tls = tls.identity_pem(&pair.cert, &pair.key).unwrap();
        }
        let address = format!("{way}://localhost:{}", serving.port)
            .parse()
            .unwrap();
        let told = |error: farcall::Failure| error.to_string();
        let channel = farcall::connect_with_tls(&address, Limits::default(), &tls).await;
        let client = EchoClient::new(channel.map_err(told)?);
        client.whoami().await.map_err(|error| error.to_string())
    }
}

async fn serve_with(tls: ServerTls) -> Serving {
    serve("tls://127.0.0.1:0", |server: Server| server.tls(tls)).await
}

#[tokio::test]
async fn a_handler_knows_who_calls() {
    let house = House::new();
    let clients = Ca::new("the clients' CA");
    let serving = serve_with(house.tls(&clients)).await;
    let ada = clients.client("ada.example");
    for way in WAYS.into_iter().chain(["json+https"]) {
        let who = house.call(way, &serving, Some(&ada)).await.expect(way);
        let transport = way.split('+').nth(1).unwrap();
        let expected = format!("{transport} [\"ada.example\", \"ada.example\"] 1");
        assert_eq!(who, expected, "{way}");
    }
}

#[tokio::test]
async fn a_caller_who_is_not_known_is_refused_and_told_why() {
    let house = House::new();
    let clients = Ca::new("the clients' CA");
    let serving = serve_with(house.tls(&clients)).await;
    let foreign = Ca::new("somebody else").client("ada.example");
    let wrong_use = clients.server(&["ada.example"]);
    let expired = clients.client_as("ada.example", |cert| {
        cert.not_after = date_time_ymd(2020, 1, 1);
    });
    let too_soon = clients.client_as("ada.example", |cert| {
        cert.not_before = date_time_ymd(3000, 1, 1);
    });
    for way in WAYS {
        for (pair, why) in [
            (None, "the server asks for a client certificate"),
            (Some(&foreign), "client certificate"),
            (Some(&wrong_use), "client certificate"),
            (Some(&expired), "the client certificate has expired"),
            (Some(&too_soon), "client certificate"),
        ] {
            let error = house.call(way, &serving, pair).await.unwrap_err();
            assert!(error.contains(why), "{way}: {error}");
        }
    }
    assert_eq!(serving.parrot.calls(), 0);
}

#[tokio::test]
async fn where_a_certificate_is_optional_a_bad_one_is_still_refused() {
    let house = House::new();
    let clients = Ca::new("the clients' CA");
    let tls = house.tls(&clients).client_certificate_optional().unwrap();
    let serving = serve_with(tls).await;
    let ada = clients.client("ada.example");
    let foreign = Ca::new("somebody else").client("ada.example");
    for way in WAYS {
        let who = house.call(way, &serving, None).await.unwrap();
        assert!(who.ends_with(" [] 0"), "{way}: {who}");
        let who = house.call(way, &serving, Some(&ada)).await.unwrap();
        assert!(who.contains("ada.example"), "{way}: {who}");
        house.call(way, &serving, Some(&foreign)).await.unwrap_err();
    }
}

#[tokio::test]
async fn all_of_it_can_be_said_in_addresses() {
    let house = House::new();
    let clients = Ca::new("the clients' CA");
    let ada = clients.client("ada.example");
    let folder = Folder::new();
    let ca = folder.write("ca.pem", &house.ca.pem());
    let clients_ca = folder.write("clients.pem", &clients.pem());
    let cert = folder.write("cert.pem", &house.server.cert);
    let key = folder.write("key.pem", &house.server.key);
    let ada_cert = folder.write("ada.pem", &ada.cert);
    let ada_key = folder.write("ada.key", &ada.key);

    let address = format!("tls://127.0.0.1:0?cert={cert}&key={key}&ca={clients_ca}");
    let serving = serve(&address, |server| server).await;
    let address = format!(
        "json+https://localhost:{}/?ca={ca}&cert={ada_cert}&key={ada_key}",
        serving.port
    );
    let client = EchoClient::connect(&address).await.unwrap();
    assert!(client.whoami().await.unwrap().contains("ada.example"));
}
