//! Answers that are right in another way than ours.

use farcall::{Error, code};
use serde::{Deserialize, Serialize};

use crate::Literal;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Person {
    name: String,
    age: Option<u8>,
}

#[farcall::service]
trait Directory {
    async fn first(&self) -> Person;
    async fn all(&self) -> Vec<Person>;
    async fn forget(&self) -> Result<(), NotHere>;
}

#[derive(Debug, PartialEq, thiserror::Error, farcall::Fault)]
#[error("not here")]
#[fault(code = 4)]
struct NotHere;

fn ada(age: Option<u8>) -> Person {
    Person {
        name: "Ada".to_owned(),
        age,
    }
}

#[tokio::test]
async fn unknown_members_of_json_are_ignored_and_absent_ones_none() {
    for way in ["json+tcp", "json+http"] {
        let server = Literal::new(
            way,
            [
                r#"{"jsonrpc":"2.0","result":{"id":7,"name":"Ada","tags":[{"a":[]}]},"id":ID}"#,
                r#"{"jsonrpc":"2.0","result":[{"age":null,"name":"Ada","x":null},{"name":"Ada","age":36}],"id":ID}"#,
            ],
        )
        .await;
        let directory = DirectoryClient::new(server.channel);
        assert_eq!(directory.first().await.unwrap(), ada(None));
        let all = directory.all().await.unwrap();
        assert_eq!(all, [ada(None), ada(Some(36))]);
    }
}

#[tokio::test]
async fn unknown_members_of_xml_are_ignored_and_absent_ones_none() {
    let server = Literal::new(
        "xml+http",
        [
            "<?xml version='1.0' encoding='UTF-8'?><methodResponse><params><param><value><struct>\
             <member><name>id</name><value><i4>7</i4></value></member>\
             <member><name>name</name><value>Ada</value></member>\
             <member><name>tags</name><value><array><data><value><struct/></value></data></array>\
             </value></member></struct></value></param></params></methodResponse>",
            "<methodResponse>\n<params>\n<param>\n<value><array><data>\
             <value><struct><member><name>age</name><value><nil/></value></member>\
             <member><name>name</name><value><string>Ada</string></value></member></struct></value>\
             </data></array></value>\n</param>\n</params>\n</methodResponse>",
        ],
    )
    .await;
    let directory = DirectoryClient::new(server.channel);
    assert_eq!(directory.first().await.unwrap(), ada(None));
    assert_eq!(directory.all().await.unwrap(), [ada(None)]);
}

#[tokio::test]
async fn members_of_a_json_reply_come_in_any_order_beside_others() {
    for way in ["json+tcp", "json+http"] {
        let server = Literal::new(
            way,
            [
                r#"{"jsonrpc":"2.0","error":null,"result":{"name":"Ada"},"id":ID}"#,
                r#"{"jsonrpc":"2.0","result":{"name":"Ada"},"error":null,"id":ID}"#,
                r#"{"id":ID,"result":{"name":"Ada"},"error":null}"#,
                r#"{"id":ID,"took":0.3,"jsonrpc":"2.0","result":{"name":"Ada"},"debug":{"id":9}}"#,
                r#" { "id" : ID , "result" : { "name" : "Ada" } , "jsonrpc" : "2.0" } "#,
                r#"{"jsonrpc":"2.0","result":{"name":"Ada","\u0061ge":null},"id":ID}"#,
            ],
        )
        .await;
        let directory = DirectoryClient::new(server.channel);
        for _ in 0..6 {
            assert_eq!(directory.first().await.unwrap(), ada(None), "{way}");
        }
    }
}

#[tokio::test]
async fn errors_come_in_any_order_and_a_null_result_beside_them() {
    for way in ["json+tcp", "json+http"] {
        let server = Literal::new(
            way,
            [
                r#"{"jsonrpc":"2.0","result":null,"error":{"code":4,"message":"gone"},"id":ID}"#,
                r#"{"error":{"data":{"more":[]},"message":"gone","code":4},"id":ID,"jsonrpc":"2.0"}"#,
                r#"{"jsonrpc":"2.0","error":{"code":4,"message":null,"data":null},"id":ID}"#,
                r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"what?"},"id":ID}"#,
                r#"{"jsonrpc":"2.0","error":null,"result":null,"id":ID}"#,
            ],
        )
        .await;
        let directory = DirectoryClient::new(server.channel);
        for _ in 0..3 {
            let error = directory.forget().await.unwrap_err();
            assert!(matches!(error, Error::Fault(NotHere)), "{error}");
        }
        let error = directory.forget().await.unwrap_err();
        assert_eq!(error.fault().unwrap().code, code::METHOD_NOT_FOUND);
        directory.forget().await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_of_another_type_is_told_with_its_place_and_not_repeated() {
    for (way, answer, place) in [
        (
            "json+tcp",
            r#"{"jsonrpc":"2.0","result":{"name":"secret","age":"secret"},"id":ID}"#,
            "line 1 column 57",
        ),
        (
            "json+http",
            "{\"result\":\n {\"name\":\"secret\",\n \"age\":\"secret\"},\n\"id\":ID}",
            "line 3 column 15",
        ),
        (
            "xml+http",
            "<methodResponse><params><param>\n<value><struct><member><name>name</name>\
             <value>secret</value></member>\n<member><name>age</name><value>secret</value></member>\
             </struct></value></param></params></methodResponse>",
            "line 3 column 32",
        ),
    ] {
        let server = Literal::new(way, [answer]).await;
        let error = DirectoryClient::new(server.channel)
            .first()
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the reply of `first` makes no sense: .age: expected u8, found a string at {place}"
            )
        );
    }
}
