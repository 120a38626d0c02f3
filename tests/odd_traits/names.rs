//! Names: those on the wire, and those that meet ours in the generated code.

use std::time::Duration;

use farcall::Fault;

use crate::{methods, names, param_names};

mod spelled {
    /// Every option there is.
    #[farcall::service(namespace = "phone.book", rename_all = "camelCase")]
    pub trait PhoneBook {
        /// Finds.
        ///
        /// By number.
        #[rpc(idempotent, timeout = "50ms", alias = "lookup", alias = "book.lookup")]
        async fn find_by_number(&self, #[rpc(name = "phoneNumber")] number: &str)
        -> Option<String>;
        #[rpc(name = "Forget_It", notify)]
        async fn forget(&self, #[rpc(default = 3)] how_many: u64, #[rpc(default)] all: bool);
        async fn r#match(&self, r#type: Option<&str>, #[rpc(default = "x")] tag: String);
    }
}

#[test]
fn names_on_the_wire_are_as_asked() {
    let table = spelled::PhoneBookClient::METHODS;
    assert_eq!(
        names(table),
        [
            "phone.book.findByNumber",
            "phone.book.Forget_It",
            "phone.book.match"
        ]
    );
    let [find, forget, matches] = table else {
        panic!("three methods");
    };
    assert_eq!(find.doc, "Finds.\n\nBy number.");
    assert_eq!(find.aliases, ["lookup", "book.lookup"]);
    assert_eq!(param_names(find), ["phoneNumber"]);
    assert!(find.idempotent && !find.notification);
    assert_eq!(find.timeout, Some(Duration::from_millis(50)));
    assert!(forget.notification && !forget.idempotent);
    assert_eq!(param_names(matches), ["type", "tag"]);
    assert!(matches.params.iter().all(|param| !param.required));
}

/// Parameters named like the locals of the generated code, and like its fields.
#[farcall::service]
trait Clash {
    async fn all(
        &self,
        request: i32,
        service: i32,
        answer: i32,
        self_: i32,
        index: i32,
        channel: i32,
    ) -> i32;
    async fn clone(&self, answer: &str) -> String;
    async fn call(&self, service: Vec<u8>) -> Result<(), Fault>;
    async fn borrow(&self) -> u8;
    async fn fmt(&self);
}

impl Clash for () {
    async fn all(&self, a: i32, b: i32, c: i32, d: i32, e: i32, f: i32) -> i32 {
        a + b + c + d + e + f
    }
    async fn clone(&self, answer: &str) -> String {
        answer.to_owned()
    }
    async fn call(&self, _: Vec<u8>) -> Result<(), Fault> {
        Ok(())
    }
    async fn borrow(&self) -> u8 {
        0
    }
    async fn fmt(&self) {}
}

#[test]
fn parameters_may_be_called_as_our_locals_are() {
    let table = methods(&ClashServer::new(()));
    assert_eq!(names(table), ["all", "clone", "call", "borrow", "fmt"]);
    assert_eq!(
        param_names(&table[0])[..3],
        ["request", "service", "answer"]
    );
}

/// Types named like our type parameters.
mod letters {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub struct S;
    pub type Result<T> = std::result::Result<T, super::Fault>;
    pub type Option = u8;

    #[farcall::service]
    pub trait Letters {
        async fn s(&self, s: S) -> S;
        async fn may_fail(&self, name: &str) -> core::result::Result<u8, super::Fault>;
    }

    const _: Option = 0;
    const _: fn() -> Result<()> = || Ok(());
}

#[test]
fn a_user_type_may_be_called_s() {
    assert_eq!(letters::LettersClient::METHODS.len(), 2);
}
