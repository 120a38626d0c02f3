//! Calls every method over one address, checks each answer, and times the simplest.

use std::time::{Duration, Instant};

use farcall::{Address, Channel, Error, Transport};

use crate::AnyError;
use crate::phone_book::PhoneBookClient;
use crate::relay::Relay;
use crate::services::{
    ArithmeticClient, ArithmeticError, GreetingClient, GreetingError, OddsClient, OddsError,
    SystemClient,
};
use crate::table::Row;

/// How many calls are timed, one after the other.
const TIMED: usize = 200;

/// Calls everything; an error says what was wrong.
pub(crate) async fn check(address: &Address, port: u16) -> Result<Row, AnyError> {
    let channel = farcall::connect(&address.to_string()).await?;
    let mut calls = arithmetic(&channel).await?;
    calls += greeting(&channel).await?;
    calls += phone_book(&channel).await?;
    calls += odds(&channel).await?;
    calls += system(&channel).await?;
    let median = time(&ArithmeticClient::new(channel)).await?;
    calls += TIMED;
    let (request, reply) = wire_bytes(address, port).await?;
    Ok(Row {
        address: address.to_string(),
        calls,
        median,
        request,
        reply,
    })
}

/// Fails unless `got` is `expected`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "so that each check is one line"
)]
fn equal<T: PartialEq + std::fmt::Debug>(what: &str, got: T, expected: T) -> Result<(), AnyError> {
    if got == expected {
        Ok(())
    } else {
        Err(format!("{what}: got {got:?}, expected {expected:?}").into())
    }
}

/// The method's own error, or what else came instead.
fn fault<T: std::fmt::Debug, E>(outcome: Result<T, Error<E>>) -> Result<E, AnyError>
where
    E: std::fmt::Debug,
{
    match outcome {
        Err(Error::Fault(fault)) => Ok(fault),
        other => Err(format!("a fault was expected, not {other:?}").into()),
    }
}

async fn arithmetic(channel: &Channel) -> Result<usize, AnyError> {
    let client = ArithmeticClient::new(channel.clone());
    equal("add", client.add(7, 3).await?, 10)?;
    equal("subtract", client.subtract(7, 3).await?, 4)?;
    equal("multiply", client.multiply(-7, 3).await?, -21)?;
    equal("divide", client.divide(-7, 3).await?, -2)?;
    equal(
        "a large number",
        client.add(i64::MAX - 1, 1).await?,
        i64::MAX,
    )?;
    equal(
        "add",
        fault(client.add(i64::MAX, 1).await)?,
        ArithmeticError::Overflow,
    )?;
    equal(
        "subtract",
        fault(client.subtract(i64::MIN, 1).await)?,
        ArithmeticError::Overflow,
    )?;
    equal(
        "multiply",
        fault(client.multiply(i64::MAX, 2).await)?,
        ArithmeticError::Overflow,
    )?;
    equal(
        "divide",
        fault(client.divide(7, 0).await)?,
        ArithmeticError::DivisionByZero,
    )?;
    equal(
        "divide",
        fault(client.divide(i64::MIN, -1).await)?,
        ArithmeticError::Overflow,
    )?;
    Ok(10)
}

async fn greeting(channel: &Channel) -> Result<usize, AnyError> {
    let client = GreetingClient::new(channel.clone());
    for text in ["", "  a  ", "<&>]]>\"'", "line\r\nend\t", "Grüße, 世界 🦀"] {
        equal("echo", client.echo(text).await?, text.to_owned())?;
    }
    equal("woca", client.woca("Ada").await?, "Hello, Ada!".to_owned())?;
    equal("woca", fault(client.woca("").await)?, GreetingError::NoName)?;
    Ok(7)
}

async fn phone_book(channel: &Channel) -> Result<usize, AnyError> {
    let client = PhoneBookClient::new(channel.clone());
    let hopper = Some("Hopper".to_owned());
    equal("all", client.search(None, None, None).await?.len(), 5)?;
    equal(
        "by last name",
        client.search(None, hopper.clone(), None).await?.len(),
        2,
    )?;
    let found = client
        .search(None, hopper, Some("Grace".to_owned()))
        .await?;
    let numbers: Vec<_> = found.iter().map(|person| person.number.as_str()).collect();
    equal("by both names", numbers, vec!["555-0101"])?;
    let quote = Some("' OR 1=1 --".to_owned());
    equal(
        "a quote is just text",
        client.search(quote, None, None).await?.len(),
        0,
    )?;
    Ok(4)
}

async fn odds(channel: &Channel) -> Result<usize, AnyError> {
    let client = OddsClient::new(channel.clone());
    equal("sleep", client.sleep(1).await?, 1)?;
    let too_long = OddsError::TooLong {
        ms: 60_001,
        most: 60_000,
    };
    equal("sleep", fault(client.sleep(60_001).await)?, too_long)?;
    let late = client
        .sleep(50_000)
        .timeout(Duration::from_millis(20))
        .await;
    equal(
        "a deadline",
        late.is_err_and(|error| error.is_timeout()),
        true,
    )?;
    equal(
        "checksum",
        client.checksum(b"123456789").await?,
        0xcbf4_3926,
    )?;
    equal("checksum of nothing", client.checksum(b"").await?, 0)?;
    let panicked = client.panic().await;
    let code = panicked
        .as_ref()
        .err()
        .and_then(Error::fault)
        .map(|fault| fault.code);
    equal("panic", code, Some(farcall::code::INTERNAL_ERROR))?;
    equal("after the panic", client.sleep(0).await?, 0)?;
    Ok(7)
}

async fn system(channel: &Channel) -> Result<usize, AnyError> {
    let client = SystemClient::new(channel.clone());
    let methods = client.list_methods().await?;
    equal(
        "listMethods",
        methods.iter().any(|name| name == "woca"),
        true,
    )?;
    let help = client.method_help("add").await?;
    equal("methodHelp", help, "Returns `x + y`.".to_owned())?;
    let unknown = fault(client.method_help("nobody").await)?;
    equal("methodHelp", unknown.code, farcall::code::METHOD_NOT_FOUND)?;
    let signatures = client.method_signature("add").await?;
    equal(
        "methodSignature",
        signatures,
        vec![vec!["int".to_owned(); 3]],
    )?;
    Ok(4)
}

/// The median of some calls, in µs.
async fn time(client: &ArithmeticClient) -> Result<f64, AnyError> {
    let mut times = Vec::with_capacity(TIMED);
    for _ in 0..TIMED {
        let start = Instant::now();
        client.add(7, 3).await?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2].as_secs_f64() * 1e6)
}

/// How many bytes `add(7, 3)` and its reply are, on a connection that is open already. The bytes
/// on a Unix socket and in memory are those on TCP.
async fn wire_bytes(address: &Address, port: u16) -> Result<(u64, u64), AnyError> {
    let relay = Relay::start(port).await?;
    let place = match address.transport() {
        Transport::Http if address.is_http2() => {
            format!("http://127.0.0.1:{}/?version=2", relay.port())
        }
        Transport::Http => format!("http://127.0.0.1:{}/", relay.port()),
        _ => format!("tcp://127.0.0.1:{}", relay.port()),
    };
    let client = ArithmeticClient::connect(&format!("{}+{place}", address.encoding())).await?;
    // The first calls open the connection, and let its greetings pass.
    for _ in 0..3 {
        client.add(7, 3).await?;
    }
    let before = relay.counts();
    client.add(7, 3).await?;
    let after = relay.counts();
    Ok((after.0 - before.0, after.1 - before.1))
}
