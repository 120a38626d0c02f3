//! A chat room: each caller sends a stream of lines, and gets a stream of everybody's.

use farcall::{Server, Stream};
use futures_util::{StreamExt, stream};
use tokio::sync::{broadcast, mpsc};

#[farcall::service]
trait Chat {
    /// Says `lines` in the room and gives what is said there, until `lines` end.
    fn join(&self, name: String, lines: impl Stream<Item = String>) -> impl Stream<Item = String>;
}

struct Room {
    said: broadcast::Sender<String>,
}

impl Chat for Room {
    fn join(
        &self,
        name: String,
        lines: impl Stream<Item = String> + Send,
    ) -> impl Stream<Item = String> {
        let heard = stream::unfold(self.said.subscribe(), |mut heard| async {
            Some((heard.recv().await.ok()?, heard))
        });
        let speaking = lines.for_each(move |line| {
            let _ = self.said.send(format!("{name}: {line}"));
            std::future::ready(())
        });
        heard.take_until(speaking)
    }
}

/// Somebody in the room: what is sent here is said there.
fn mouth() -> (mpsc::Sender<String>, impl Stream<Item = String>) {
    let (say, said) = mpsc::channel(8);
    let said = stream::unfold(said, |mut said| async { Some((said.recv().await?, said)) });
    (say, said)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let room = Room {
        said: broadcast::channel(64).0,
    };
    let server = Server::new().service(ChatServer::new(room));
    let listening = server.listen("tcp://127.0.0.1:0").await?;
    let address = format!("tcp://{}", listening.local_addr().ok_or("no port")?);
    tokio::spawn(listening.run());

    let (ada_says, lines) = mouth();
    let ada = ChatClient::connect(&address).await?;
    let mut ada_hears = ada.join("Ada".to_owned(), lines).await?;
    let (bob_says, lines) = mouth();
    let bob = ChatClient::connect(&address).await?;
    let mut bob_hears = bob.join("Bob".to_owned(), lines).await?;

    for (who, line) in [(&ada_says, "Hello!"), (&bob_says, "Hello, Ada.")] {
        who.send(line.to_owned()).await?;
        let heard = ada_hears.next().await.ok_or("the room is closed")??;
        assert_eq!(bob_hears.next().await.ok_or("the room is closed")??, heard);
        println!("{heard}");
    }
    // Who says no more leaves, and the others stay.
    drop(bob_says);
    assert!(bob_hears.next().await.is_none());
    ada_says.send("Bye, Bob.".to_owned()).await?;
    println!("{}", ada_hears.next().await.ok_or("the room is closed")??);
    Ok(())
}
