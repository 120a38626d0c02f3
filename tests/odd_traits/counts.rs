//! Few methods and many parameters, and methods that are not always there.

use farcall::{Context, Encoding};

use crate::names;

#[farcall::service]
trait Wide {
    async fn sixteen(
        &self,
        a: u8,
        b: u8,
        c: u8,
        d: u8,
        e: u8,
        f: u8,
        g: u8,
        h: u8,
        cx: &Context,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
        o: u8,
        p: &[u8],
    );
    async fn none(&self);
}

#[test]
fn sixteen_parameters_and_none() {
    let [sixteen, none] = WideClient::METHODS else {
        panic!("two methods");
    };
    assert_eq!(sixteen.params.len(), 16);
    assert_eq!(format!("{:?}", (sixteen.params[15].shape)()), "Bytes");
    assert!(none.params.is_empty());
}

mod conditional {
    #[farcall::service]
    pub trait Conditional {
        async fn always(&self);
        #[cfg(any())]
        async fn never(&self, what: ThereIsNoSuchType) -> ThereIsNoSuchType;
        async fn after_one(&self);
        #[cfg(not(any()))]
        async fn sometimes(&self);
        #[cfg(any())]
        async fn sometimes(&self, another: u8);
        #[cfg(not(any()))]
        #[cfg(panic = "unwind")]
        async fn twice(&self);
        async fn last(&self) -> u8;
    }
}

#[tokio::test]
async fn a_method_that_is_not_there_moves_no_other() {
    let table = conditional::ConditionalClient::METHODS;
    assert_eq!(
        names(table),
        ["always", "after_one", "sometimes", "twice", "last"]
    );
    let client = conditional::ConditionalClient::new(farcall::in_memory(
        EmptyServer::new(()),
        Encoding::Json,
    ));
    assert_eq!(format!("{:?}", client.always()), "Call(always)");
    assert_eq!(format!("{:?}", client.sometimes()), "Call(sometimes)");
    assert_eq!(format!("{:?}", client.last()), "Call(last)");
}

#[farcall::service]
pub trait AllConditional {
    #[cfg(any())]
    async fn never(&self);
}

#[farcall::service]
pub trait Empty {}

impl Empty for () {}
