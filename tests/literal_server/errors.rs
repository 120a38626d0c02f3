//! Errors in forms of the server's own.

use farcall::Encoding;

use crate::Literal;

#[farcall::service]
trait Disk {
    async fn free(&self) -> u64;
}

#[tokio::test]
async fn what_a_server_says_is_kept_whatever_form_its_error_has() {
    for (error, code, message) in [
        (
            r#"{"code":"E1","message":"disk full"}"#,
            -32603,
            "disk full",
        ),
        (
            r#"{"code":4294967296,"message":"disk full"}"#,
            -32603,
            "disk full",
        ),
        (r#"{"code":1.5,"message":"disk full"}"#, -32603, "disk full"),
        (
            r#"{"name":"JSONRPCError","message":"boom"}"#,
            -32603,
            "boom",
        ),
        (r#""disk full""#, -32603, "disk full"),
        (r#"{"code":7.0,"message":"disk full"}"#, 7, "disk full"),
    ] {
        let answer = format!(r#"{{"jsonrpc":"2.0","error":{error},"id":ID}}"#);
        for way in ["json+tcp", "json+http"] {
            let server = Literal::new(way, [answer.as_str()]).await;
            let failed = DiskClient::new(server.channel).free().await.unwrap_err();
            let fault = failed.fault().unwrap();
            assert_eq!(
                (fault.code, &*fault.message),
                (code, message),
                "{way} {error}"
            );
            if code == -32603 {
                let data = fault.data.as_ref().unwrap();
                assert_eq!(data.encoding, Encoding::Json);
                assert_eq!(&data.bytes[..], error.as_bytes(), "{way}");
            }
        }
    }
}

#[tokio::test]
async fn an_error_without_a_text_says_what_is_known() {
    for (error, code) in [("17", -32603), (r#"{"code":7,"message":{"en":"no"}}"#, 7)] {
        let answer = format!(r#"{{"jsonrpc":"2.0","error":{error},"id":ID}}"#);
        let server = Literal::new("json+tcp", [answer.as_str()]).await;
        let failed = DiskClient::new(server.channel).free().await.unwrap_err();
        let fault = failed.fault().unwrap();
        assert_eq!(fault.code, code);
        assert!(
            fault.message.contains("an error of its own form"),
            "{fault}"
        );
        assert_eq!(&fault.data.as_ref().unwrap().bytes[..], error.as_bytes());
    }
}
