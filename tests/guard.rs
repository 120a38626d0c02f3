//! Who may call, asked of each call before its parameters are read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farcall::{Check, Context, Encoding, Error, Fault, Guarded, Server, Tokens, code};

#[farcall::service]
trait Vault {
    async fn open(&self, cx: &Context) -> String;
    #[rpc(alias = "destroy")]
    async fn erase(&self, number: i64) -> i64;
}

#[derive(Clone, Default)]
struct Steel {
    runs: Arc<AtomicUsize>,
}

#[derive(Clone)]
struct User(&'static str);

impl Vault for Steel {
    async fn open(&self, cx: &Context) -> String {
        self.runs.fetch_add(1, Ordering::Relaxed);
        cx.extension::<User>()
            .map_or_else(String::new, |user| user.0.to_owned())
    }

    async fn erase(&self, number: i64) -> i64 {
        self.runs.fetch_add(1, Ordering::Relaxed);
        number
    }
}

fn tokens() -> Tokens<User> {
    Tokens::new([
        ("s3cr3t", User("ada")),
        ("0ther", User("grace")),
        ("", User("nobody")),
    ])
}

/// Lets nobody erase.
#[derive(Clone)]
struct Careful(Tokens<User>);

impl Check for Careful {
    async fn check(&self, cx: &Context) -> Result<(), Fault> {
        self.0.check(cx).await?;
        // As one that asks elsewhere does.
        tokio::task::yield_now().await;
        match cx.method() {
            "erase" => Err(Fault::new(code::FORBIDDEN, "nothing is erased here")),
            _ => Ok(()),
        }
    }
}

fn fault_code<T>(outcome: Result<T, Error>) -> Option<i32> {
    outcome.err()?.fault().map(|fault| fault.code)
}

async fn serve<C: Check>(steel: &Steel, check: C) -> std::net::SocketAddr {
    let guarded = Guarded::new(VaultServer::new(steel.clone()), check);
    let listening = Server::new()
        .service(guarded)
        .listen("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let address = listening.local_addr().unwrap();
    tokio::spawn(listening.run());
    address
}

#[tokio::test]
async fn a_token_opens_in_every_protocol_that_can_carry_one() {
    let steel = Steel::default();
    let address = serve(&steel, tokens()).await;
    for way in [
        "bincode+tcp",
        "xml+tcp",
        "json+http",
        "xml+http",
        "bincode+http",
    ] {
        let channel = farcall::connect(&format!("{way}://{address}"))
            .await
            .unwrap();
        let with =
            |value: &str| VaultClient::new(channel.clone().with_metadata("authorization", value));
        assert_eq!(with("Bearer s3cr3t").open().await.unwrap(), "ada", "{way}");
        assert_eq!(with("bearer 0ther").open().await.unwrap(), "grace", "{way}");
        let runs = steel.runs.load(Ordering::Relaxed);
        let nobody = VaultClient::new(channel.clone()).open().await;
        assert_eq!(fault_code(nobody), Some(code::UNAUTHENTICATED), "{way}");
        for wrong in [
            "Bearer",
            "Bearer x",
            "Bearer s3cr3",
            "Bearer s3cr3t2",
            "s3cr3t",
            "Basic s3cr3t",
        ] {
            let outcome = with(wrong).open().await;
            assert_eq!(
                fault_code(outcome),
                Some(code::UNAUTHENTICATED),
                "{way} {wrong}"
            );
        }
        assert_eq!(steel.runs.load(Ordering::Relaxed), runs, "{way}");
    }
    let bare = VaultClient::connect(&format!("json+tcp://{address}"))
        .await
        .unwrap();
    assert_eq!(fault_code(bare.open().await), Some(code::UNAUTHENTICATED));
}

/// The answer to a body of JSON.
async fn post(address: std::net::SocketAddr, body: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let mut io = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Authorization: Bearer s3cr3t\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_check_is_asked_about_the_method_that_would_run_before_its_parameters_are_read() {
    let steel = Steel::default();
    let address = serve(&steel, Careful(tokens())).await;
    for method in ["erase", "destroy"] {
        for params in ["[7]", "[\"no number\"]", "{\"nonsense\":1}"] {
            let call =
                format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params},"id":1}}"#);
            let answer = post(address, &call).await;
            assert!(answer.contains("-32007"), "{call}: {answer}");
        }
    }
    let call =
        |method: &str| format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":[],"id":1}}"#);
    let batch = format!("[{},{}]", call("open"), call("destroy"));
    let answer = post(address, &batch).await;
    assert!(
        answer.contains("\"ada\"") && answer.contains("-32007"),
        "{answer}"
    );
    assert_eq!(steel.runs.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_multicall_is_asked_about_member_by_member() {
    let guarded = Guarded::new(VaultServer::new(Steel::default()), Careful(tokens()));
    let channel = farcall::in_memory(guarded, Encoding::Xml);
    let channel = channel.with_metadata("authorization", "Bearer s3cr3t");
    let vault = VaultClient::new(channel);
    let (open, erase) = vault.batch((vault.open(), vault.erase(7))).await.unwrap();
    assert_eq!(open.unwrap(), "ada");
    assert_eq!(fault_code(erase), Some(code::FORBIDDEN));
}
