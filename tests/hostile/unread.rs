//! Who asks much and reads nothing.

use std::time::{Duration, Instant};

use farcall::Limits;
use tokio::io::AsyncWriteExt;

use crate::beside::GoodCalls;
use crate::service::{Attacked, post, until};

/// So much is sent in all, if it is taken.
const ALL: usize = 64 << 20;

#[tokio::test]
async fn who_reads_no_answers_is_not_read_from_for_ever_and_let_go() {
    let mut limits = Limits::default();
    limits.write_time = Duration::from_secs(1);
    let attacked = Attacked::with(limits).await;
    let good = GoodCalls::beside(&attacked).await;
    let held = attacked.gauges.connections();
    let echo = format!(
        r#"{{"jsonrpc":"2.0","method":"echo","params":["{}"],"id":1}}"#,
        "x".repeat(32 * 1024)
    );
    let batch = format!("[{}]", vec![&*echo; 64].join(","));
    for request in [
        echo.clone() + "\n",
        batch + "\n",
        post("", &echo),
        // Not plain: hyper answers it.
        post("X: \u{fc}\r\nConnection: keep-alive, x\r\n", &echo),
    ] {
        let mut io = attacked.connect().await;
        let began = Instant::now();
        let mut taken = 0;
        while taken < ALL {
            let write = io.write_all(request.as_bytes());
            match tokio::time::timeout(Duration::from_secs(30), write).await {
                Ok(Ok(())) => taken += request.len(),
                Ok(Err(_)) => break,
                Err(_) => panic!("it is neither read from nor closed"),
            }
        }
        // Buffers of sockets are some megabytes on both sides.
        assert!(taken < ALL / 2, "{taken} bytes were taken");
        assert!(began.elapsed() < Duration::from_secs(20));
    }
    good.were_answered().await;
    until("they are gone", || attacked.gauges.connections() <= held).await;
}
