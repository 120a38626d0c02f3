//! A long job tells how far it is. Dropping its stream stops it, and that is all that Ctrl-C does.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use farcall::{Server, Stream};
use futures_util::{StreamExt, stream};
use tokio::sync::Notify;

#[farcall::service]
trait Jobs {
    /// Works in so many steps, and tells the number of each that is done.
    fn work(&self, steps: usize) -> impl Stream<Item = usize>;
}

#[derive(Clone, Default)]
struct Factory {
    over: Arc<Notify>,
}

/// A job at work. It is dropped when it is done, and when its caller is gone.
struct Job {
    done: usize,
    steps: usize,
    over: Arc<Notify>,
}

impl Drop for Job {
    fn drop(&mut self) {
        println!("\nserver: over after {} of {}", self.done, self.steps);
        self.over.notify_one();
    }
}

impl Jobs for Factory {
    fn work(&self, steps: usize) -> impl Stream<Item = usize> {
        let (done, over) = (0, Arc::clone(&self.over));
        stream::unfold(Job { done, steps, over }, |mut job| async {
            if job.done == job.steps {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            job.done += 1;
            Some((job.done, job))
        })
    }
}

/// Draws a bar of `steps` steps, and loses patience after `patience` of them.
async fn watch(jobs: &JobsClient, steps: usize, patience: usize) -> farcall::Result<()> {
    let mut progress = jobs.work(steps).await?.take(patience);
    while let Some(done) = progress.next().await {
        let filled = done? * 40 / steps;
        print!("\r[{:40}]", "#".repeat(filled));
        let _ = std::io::stdout().flush();
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let factory = Factory::default();
    let server = Server::new().service(JobsServer::new(factory.clone()));
    let listening = server.listen("tcp://127.0.0.1:0").await?;
    let port = listening.local_addr().ok_or("no port")?.port();
    tokio::spawn(listening.run());

    let jobs = JobsClient::connect(&format!("tcp://127.0.0.1:{port}")).await?;
    // One job to its end, and one that is given up on the way.
    for patience in [100, 30] {
        tokio::select! {
            watched = watch(&jobs, 100, patience) => watched?,
            _ = tokio::signal::ctrl_c() => { factory.over.notified().await; return Ok(()) }
        }
        factory.over.notified().await;
    }
    Ok(())
}
