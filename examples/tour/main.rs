//! The tour: one server, every encoding and transport, every method, checked and timed.
//!
//! - `cargo run --release --example tour` serves on a free loopback port, calls everything over
//!   every way there is, and prints a table. It ends with 0 only if every answer was right.
//! - `cargo run --release --example tour -- --serve 127.0.0.1:8000` only serves, until Ctrl-C.
//!   `--db FILE` keeps the phone book in a file.

mod check;
mod phone_book;
mod python;
mod relay;
mod services;
mod table;

use std::process::ExitCode;

use farcall::{Address, Encoding, Listening, Server};

type AnyError = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("tour: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// What the command line asks for.
#[derive(Default)]
struct Options {
    serve: Option<String>,
    db: Option<String>,
}

fn options() -> Result<Options, AnyError> {
    let mut options = Options::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let place = match word.as_str() {
            "--serve" => &mut options.serve,
            "--db" => &mut options.db,
            _ => {
                return Err(
                    format!("`{word}`? usage: tour [--serve HOST:PORT] [--db FILE]").into(),
                );
            }
        };
        *place = Some(
            words
                .next()
                .ok_or_else(|| format!("{word} needs a value"))?,
        );
    }
    Ok(options)
}

async fn run() -> Result<bool, AnyError> {
    let Options { serve, db } = options()?;
    let server = server(db.as_deref())?;
    match serve {
        Some(address) => {
            let listening = server.listen(&format!("tcp://{address}")).await?;
            if let Some(address) = listening.local_addr() {
                println!("listening on {address}");
            }
            let report = listening.run_until(ctrl_c()).await;
            println!("served {} connections", report.connections);
            Ok(true)
        }
        None => tour(server).await,
    }
}

fn server(db: Option<&str>) -> Result<Server, AnyError> {
    Ok(Server::new()
        .service(services::ArithmeticServer::new(services::Pocket))
        .service(services::GreetingServer::new(services::Polite))
        .service(phone_book::PhoneBookServer::new(phone_book::Sqlite::open(
            db,
        )?))
        .service(services::OddsServer::new(services::Ends)))
}

async fn ctrl_c() {
    // Without signals there is no way to ask for the end: serve on.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Calls everything over every way, and shows what came of it.
async fn tour(server: Server) -> Result<bool, AnyError> {
    // A panic is part of the tour; its message belongs into a log, not between the rows.
    std::panic::set_hook(Box::new(|_| {}));
    let socket = std::env::temp_dir().join(format!("farcall-tour-{}.sock", std::process::id()));
    let socket = socket.to_string_lossy().into_owned();
    let listening = server.listen("tcp://127.0.0.1:0").await?;
    let listening = listening.listen(&format!("unix://{socket}")).await?;
    let listening = listening.listen("mem://tour").await?;
    let port = listening
        .local_addr()
        .ok_or("the server has no port")?
        .port();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let serving = serve(listening, ended);

    println!("one server, on 127.0.0.1:{port}\n");
    let mut table = table::Table::default();
    let mut right = true;
    for address in addresses(port, &socket)? {
        match check::check(&address, port).await {
            Ok(row) => table.add(row),
            Err(error) => {
                right = false;
                table.fail(&address, &*error);
            }
        }
    }
    table.print();
    right &= python::run(port).await?;
    let _ = end.send(());
    serving.await?;
    println!(
        "\n{}",
        if right {
            "everything agreed"
        } else {
            "NOT everything agreed"
        }
    );
    Ok(right)
}

fn serve(
    listening: Listening,
    ended: tokio::sync::oneshot::Receiver<()>,
) -> tokio::task::JoinHandle<farcall::Report> {
    tokio::spawn(listening.run_until(async {
        let _ = ended.await;
    }))
}

/// Every pair of encoding and transport, but for those over TLS.
fn addresses(port: u16, socket: &str) -> Result<Vec<Address>, AnyError> {
    let mut addresses = Vec::new();
    for place in [
        format!("tcp://127.0.0.1:{port}"),
        format!("unix://{socket}"),
        "mem://tour".to_owned(),
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}/?version=2"),
    ] {
        for encoding in Encoding::ALL {
            addresses.push(format!("{encoding}+{place}").parse()?);
        }
    }
    Ok(addresses)
}
