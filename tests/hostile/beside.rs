//! Good calls beside an attack.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::service::Attacked;

/// How long a good call may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// Calls that are made one after the other, over several ways at a time, as long as this is there.
pub(crate) struct GoodCalls {
    callers: JoinSet<usize>,
    is_over: Arc<AtomicBool>,
}

impl GoodCalls {
    /// Over connections of their own, that are made before the attack; those of HTTP/1.1 may be made anew.
    pub(crate) async fn beside(attacked: &Attacked) -> Self {
        Self::over(
            attacked,
            &["bincode+tcp", "json+tcp", "json+http", "xml+http"],
        )
        .await
    }

    pub(crate) async fn over(attacked: &Attacked, ways: &[&str]) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        for way in ways {
            let client = attacked.client(way).await;
            assert_eq!(client.add(7, 3).timeout(PATIENCE).await.unwrap(), 10);
            let (way, is_over) = (way.to_string(), Arc::clone(&is_over));
            callers.spawn(async move {
                let mut count = 0;
                while !is_over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let sum = client.add(count, 1).timeout(PATIENCE).await;
                    let took = began.elapsed();
                    assert_eq!(sum.ok(), Some(count + 1), "{way}, after {took:?}");
                    count += 1;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                usize::try_from(count).unwrap()
            });
        }
        Self { callers, is_over }
    }

    /// Asserts that all were answered, each in time.
    pub(crate) async fn were_answered(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(count) = self.callers.join_next().await {
            assert!(count.expect("a good call failed") > 0, "none was made");
        }
    }
}
