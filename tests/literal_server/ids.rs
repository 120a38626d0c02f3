//! Replies whose ids are not written as ours are, and replies that name nobody.

use crate::Literal;

#[farcall::service]
trait Desk {
    async fn add(&self, x: i64, y: i64) -> i64;
}

#[tokio::test]
async fn an_id_may_come_back_as_text_or_with_a_fraction_of_zero() {
    for id in [r#""ID""#, "ID.0", "ID.0e0", "ID"] {
        let one = format!(r#"{{"jsonrpc":"2.0","result":10,"id":{id}}}"#);
        let of = |at: &str| one.replace("ID", at);
        let batch = format!("[{},{}]", of("ID1"), of("ID0"));
        for way in ["json+tcp", "json+http"] {
            let server = Literal::new(way, [&one, &batch]).await;
            let desk = DeskClient::new(server.channel);
            assert_eq!(desk.add(7, 3).await.unwrap(), 10, "{way} {id}");
            let (one, two) = desk.batch((desk.add(7, 3), desk.add(7, 3))).await.unwrap();
            assert_eq!((one.unwrap(), two.unwrap()), (10, 10), "{way} {id}");
        }
    }
}

#[tokio::test]
async fn over_http_a_reply_to_another_call_is_none() {
    for (id, taken) in [
        ("1", true),
        ("2", false),
        (r#""x""#, false),
        ("1.5", false),
        ("[1]", false),
        ("null", false),
    ] {
        let answer = format!(r#"{{"jsonrpc":"2.0","result":10,"id":{id}}}"#);
        let server = Literal::new("json+http", [answer.as_str()]).await;
        let outcome = DeskClient::new(server.channel).add(7, 3).await;
        assert_eq!(outcome.is_ok(), taken, "{id}");
        if let Err(error) = outcome {
            let words = error.to_string();
            assert!(
                words.starts_with("the other side broke the protocol: a reply "),
                "{words}"
            );
        }
    }
}

#[tokio::test]
async fn over_http_an_error_for_nobody_is_for_the_one_call() {
    for answer in [
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"what?"},"id":null}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"what?"}}"#,
    ] {
        let server = Literal::new("json+http", [answer]).await;
        let error = DeskClient::new(server.channel).add(7, 3).await.unwrap_err();
        assert_eq!(error.to_string(), "what? (fault -32700)");
    }
    let another = r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"what?"},"id":2}"#;
    let server = Literal::new("json+http", [another]).await;
    let error = DeskClient::new(server.channel).add(7, 3).await.unwrap_err();
    assert!(error.fault().is_none(), "{error}");
}

#[tokio::test]
async fn on_a_stream_a_reply_for_somebody_else_harms_nobody() {
    let stream = r#"{"jsonrpc":"2.0","result":1,"id":"x"}
        {"jsonrpc":"2.0","result":2,"id":77}
        {"jsonrpc":"2.0","error":{"code":1,"message":"no"},"id":[1]}
        {"jsonrpc":"2.0","result":10,"id":ID}"#
        .replace('\n', "");
    let server = Literal::new("json+tcp", [&stream, &stream]).await;
    let desk = DeskClient::new(server.channel);
    for _ in 0..2 {
        assert_eq!(desk.add(7, 3).await.unwrap(), 10);
    }
}

#[tokio::test]
async fn a_batch_that_is_answered_for_nobody_ends_at_once() {
    const NO: &str =
        r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"no batches"},"id":null}"#;
    let twice = format!("[{NO},{NO}]");
    let half = format!(r#"[{{"jsonrpc":"2.0","result":10,"id":ID1}},{NO}]"#);
    for way in ["json+tcp", "json+http"] {
        let server = Literal::new(way, ["[]", &twice, &half]).await;
        let desk = DeskClient::new(server.channel);
        let calls = || (desk.add(7, 3), desk.add(7, 3));
        let (one, two) = desk.batch(calls()).await.unwrap();
        for error in [one.unwrap_err(), two.unwrap_err()] {
            assert!(error.to_string().contains("leaves this call out"), "{way}");
        }
        let (one, two) = desk.batch(calls()).await.unwrap();
        for error in [one.unwrap_err(), two.unwrap_err()] {
            assert_eq!(error.to_string(), "no batches (fault -32000)", "{way}");
        }
        let (one, two) = desk.batch(calls()).await.unwrap();
        let error = one.unwrap_err();
        assert_eq!(error.to_string(), "no batches (fault -32000)", "{way}");
        assert_eq!(two.unwrap(), 10, "{way}");
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_a_reply_is_no_harm() {
    let reply = "\u{feff}{\"jsonrpc\":\"2.0\",\"result\":10,\"id\":ID}";
    let batch = "\u{feff}[{\"jsonrpc\":\"2.0\",\"result\":11,\"id\":ID0}]";
    for way in ["json+tcp", "json+http"] {
        let server = Literal::new(way, [reply, batch]).await;
        let desk = DeskClient::new(server.channel);
        assert_eq!(desk.add(7, 3).await.unwrap(), 10, "{way}");
        let (sum,) = desk.batch((desk.add(7, 3),)).await.unwrap();
        assert_eq!(sum.unwrap(), 11, "{way}");
    }
}
