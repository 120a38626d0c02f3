//! The calculator of the README: a trait, its server, its client.

use farcall::{Error, Server};

/// Integer arithmetic.
#[farcall::service]
trait Calc {
    /// Returns `x + y`.
    async fn add(&self, x: i64, y: i64) -> i64;
    /// Returns `x / y`, rounded toward zero.
    async fn divide(&self, x: i64, y: i64) -> Result<i64, CalcError>;
}

#[derive(Debug, thiserror::Error, farcall::Fault)]
enum CalcError {
    #[error("division by zero")]
    #[fault(code = 1)]
    DivisionByZero,
}

struct Pocket;

impl Calc for Pocket {
    async fn add(&self, x: i64, y: i64) -> i64 {
        x.wrapping_add(y)
    }

    async fn divide(&self, x: i64, y: i64) -> Result<i64, CalcError> {
        if y == 0 {
            return Err(CalcError::DivisionByZero);
        }
        Ok(x.wrapping_div(y))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::new().service(CalcServer::new(Pocket));
    let listening = server.listen("tcp://127.0.0.1:0").await?;
    let port = listening.local_addr().ok_or("no port")?.port();
    tokio::spawn(listening.run());

    // The same server, the same client; only the address differs.
    for address in [
        format!("bincode+tcp://127.0.0.1:{port}"),
        format!("json+tcp://127.0.0.1:{port}"),
        format!("json+http://127.0.0.1:{port}"),
        format!("xml+http://127.0.0.1:{port}/RPC2"),
    ] {
        let calc = CalcClient::connect(&address).await?;
        assert_eq!(calc.add(7, 3).await?, 10);
        match calc.divide(7, 0).await {
            Err(Error::Fault(CalcError::DivisionByZero)) => println!("{address}: 7 / 0 is a fault"),
            other => return Err(format!("7 / 0 is {other:?}?").into()),
        }
    }
    Ok(())
}
