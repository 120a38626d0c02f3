//! Mutual TLS: the server knows who calls, and answers nobody else.

use farcall::{ClientTls, Context, Limits, Server, ServerTls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

#[farcall::service]
trait Vault {
    /// What the caller has put there.
    async fn open(&self, cx: &Context) -> Option<String>;
}

struct Safe;

impl Vault for Safe {
    async fn open(&self, cx: &Context) -> Option<String> {
        let who = cx.tls()?.name()?;
        println!("{who} calls from {}", cx.peer_address()?);
        Some(format!("the secrets of {who}"))
    }
}

/// Somebody whom both sides trust, and who signs certificates.
struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "the house");
        let key = KeyPair::generate()?;
        Ok(Self(CertifiedIssuer::self_signed(params, key)?))
    }

    /// A certificate for `name`, and its key, in PEM.
    fn sign(&self, name: &str) -> Result<(String, String), rcgen::Error> {
        let key = KeyPair::generate()?;
        let params = CertificateParams::new([name.to_owned()])?;
        let cert = params.signed_by(&key, &self.0)?;
        Ok((cert.pem(), key.serialize_pem()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let ca = Ca::new()?;
    let (cert, key) = ca.sign("localhost")?;
    // In a real house these are files: `from_pem_files`, `client_ca_file`.
    let tls = ServerTls::from_pem(cert, key)?.client_ca_pem(ca.0.pem())?;
    let server = Server::new().service(VaultServer::new(Safe)).tls(tls);
    let listening = server.listen("tls://127.0.0.1:0").await?;
    let port = listening.local_addr().ok_or("no port")?.port();
    tokio::spawn(listening.run());

    let stranger = ClientTls::new().ca_pem(ca.0.pem())?;
    for name in ["ada.example", "bob.example"] {
        let (cert, key) = ca.sign(name)?;
        let known = stranger.clone().identity_pem(cert, key)?;
        let address = format!("json+https://localhost:{port}").parse()?;
        let channel = farcall::connect_with_tls(&address, Limits::default(), &known).await?;
        let secret = VaultClient::new(channel).open().await?;
        assert_eq!(secret, Some(format!("the secrets of {name}")));
    }
    let address = format!("tls://localhost:{port}").parse()?;
    let refused = farcall::connect_with_tls(&address, Limits::default(), &stranger).await;
    let refused = refused.unwrap_err();
    println!("a stranger is told: {refused}");
    assert!(refused.to_string().contains("client certificate"));
    Ok(())
}
