//! `params = "named"`.

use farcall::Encoding;

use crate::Literal;

#[farcall::service(params = "named")]
trait Editor {
    async fn open(
        &self,
        uri: &str,
        line: Option<u32>,
        #[rpc(name = "readOnly", default = Some(true))] read_only: Option<bool>,
    ) -> String;
    async fn ping(&self) -> u8;
    #[rpc(params = "positional")]
    async fn close(&self, uri: &str, force: Option<bool>) -> u8;
}

struct Vi;

impl Editor for Vi {
    async fn open(&self, uri: &str, line: Option<u32>, read_only: Option<bool>) -> String {
        format!("{uri} {line:?} {read_only:?}")
    }
    async fn ping(&self) -> u8 {
        7
    }
    async fn close(&self, _: &str, force: Option<bool>) -> u8 {
        u8::from(force == Some(true))
    }
}

#[tokio::test]
async fn json_has_the_names_and_leaves_out_what_is_none() {
    const TEXT: &str = r#"{"jsonrpc":"2.0","result":"text","id":ID}"#;
    const SEVEN: &str = r#"{"jsonrpc":"2.0","result":7,"id":ID}"#;
    for way in ["json+tcp", "json+http"] {
        let mut server = Literal::new(way, [TEXT, TEXT, SEVEN, SEVEN]).await;
        let editor = EditorClient::new(server.channel.clone());

        editor.open("a", Some(3), Some(false)).await.unwrap();
        assert_eq!(
            server.asked().await,
            r#"{"jsonrpc":"2.0","method":"open","params":{"uri":"a","line":3,"readOnly":false},"id":ID}"#
        );
        editor.open("a", None, Some(true)).await.unwrap();
        assert_eq!(
            server.asked().await,
            r#"{"jsonrpc":"2.0","method":"open","params":{"uri":"a","readOnly":true},"id":ID}"#
        );
        editor.ping().await.unwrap();
        assert_eq!(
            server.asked().await,
            r#"{"jsonrpc":"2.0","method":"ping","params":{},"id":ID}"#
        );
        editor.close("a", None).await.unwrap();
        assert_eq!(
            server.asked().await,
            r#"{"jsonrpc":"2.0","method":"close","params":["a"],"id":ID}"#
        );
    }
}

#[tokio::test]
async fn xml_has_no_names() {
    const TEXT: &str = "<methodResponse><params><param><value>text</value></param></params>\
                        </methodResponse>";
    let mut server = Literal::new("xml+http", [TEXT]).await;
    let editor = EditorClient::new(server.channel.clone());
    editor.open("a", None, Some(true)).await.unwrap();
    let asked = server.asked().await;
    let positional = "<params><param><value><string>a</string></value></param>\
                      <param><value><nil/></value></param>\
                      <param><value><boolean>1</boolean></value></param></params>";
    assert!(asked.contains(positional), "{asked}");
}

#[tokio::test]
async fn every_encoding_calls_our_own_server_and_none_is_not_the_default() {
    for encoding in Encoding::ALL {
        let editor = EditorClient::in_memory(EditorServer::new(Vi), encoding);
        let opened = editor.open("a", None, None).await.unwrap();
        assert_eq!(opened, "a None None", "{encoding}");
        let opened = editor.open("b", Some(3), Some(true)).await.unwrap();
        assert_eq!(opened, "b Some(3) Some(true)", "{encoding}");
        assert_eq!(editor.ping().await.unwrap(), 7);
        assert_eq!(editor.close("a", Some(true)).await.unwrap(), 1);
        assert_eq!(editor.close("a", None).await.unwrap(), 0);
    }
}
