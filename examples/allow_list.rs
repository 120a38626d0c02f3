//! A server whose allow-list changes while it runs: a client is let in, and then not.

use std::path::Path;

use farcall::{AllowList, Server};
use tokio::sync::mpsc;

#[farcall::service]
trait Door {
    async fn knock(&self) -> String;
}

struct Porter;

impl Door for Porter {
    async fn knock(&self) -> String {
        "come in".to_owned()
    }
}

/// Writes a list as it should be done: whole, under another name, and then moved to its own.
fn write(list: &Path, entries: &str) -> std::io::Result<()> {
    let beside = list.with_extension("new");
    std::fs::write(&beside, entries)?;
    std::fs::rename(beside, list)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::temp_dir().join(format!("farcall-allow-{}", std::process::id()));
    write(&file, "# who may come in\n127.0.0.0/8\n")?;

    let (told, mut reloads) = mpsc::unbounded_channel();
    let list = AllowList::from_file(&file)?.on_reload(move |outcome| {
        let words = match outcome {
            Ok(entries) => format!("the list has {entries} entries now"),
            Err(error) => format!("the old list stays: {error}"),
        };
        println!("server: {words}");
        let _ = told.send(words);
    });
    let server = Server::new().service(DoorServer::new(Porter));
    let server = server.allow(list.clone());
    let listening = server.listen("tcp://127.0.0.1:0").await?;
    let address = format!("tcp://{}", listening.local_addr().ok_or("no port")?);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(listening.run_until(async { drop(stopped.await) }));
    // A daemon says how often it looks at the file, and that `kill -HUP` makes it look at once.
    tokio::spawn(list.reload_on_change(std::time::Duration::from_millis(20)));
    tokio::spawn(list.reload_on_hangup()?);

    let door = DoorClient::connect(&address).await?;
    println!("client: {}", door.knock().await?);

    write(&file, "# nobody from here\n192.0.2.0/24\n2001:db8::/32\n")?;
    reloads.recv().await;
    let error = door.knock().await.expect_err("no longer let in");
    println!("client: {error}");
    let again = DoorClient::connect(&address).await;
    let refused = match again {
        Ok(door) => door.knock().await.is_err(),
        Err(_) => true,
    };
    assert!(refused, "nor by a new connection");

    write(&file, "127.0.0.0/33\n")?;
    let words = reloads.recv().await.unwrap_or_default();
    assert!(words.contains("line 1"), "{words}");

    write(&file, "127.0.0.1\n")?;
    reloads.recv().await;
    println!(
        "client: {}",
        DoorClient::connect(&address).await?.knock().await?
    );

    drop(stop);
    println!("server: turned away {}", running.await?.refused);
    std::fs::remove_file(file)?;
    Ok(())
}
