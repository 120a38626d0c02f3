//! Traits from elsewhere: out of a macro, with bodies, of a crate under another name.

use farcall::{Encoding, Fault, TypedFault};

use crate::methods;

/// A trait that comes out of somebody's macro.
macro_rules! getters {
    ($name:ident: $($method:ident($given:ty) -> $gives:ty),*) => {
        #[farcall::service]
        trait $name {
            $(async fn $method(&self, given: $given, maybe: Option<$given>) -> $gives;)*
        }
    };
}

getters!(Getters: text(&str) -> String, bytes(&[u8]) -> Result<u8, Fault>, number(i64) -> ());

impl Getters for () {
    async fn text(&self, given: &str, _: Option<&str>) -> String {
        given.to_owned()
    }
    async fn bytes(&self, _: &[u8], _: Option<&[u8]>) -> Result<u8, Fault> {
        Err(Fault::new(1, "none"))
    }
    async fn number(&self, _: i64, _: Option<i64>) {}
}

#[test]
fn a_trait_may_come_out_of_a_macro() {
    let table = methods(&GettersServer::new(()));
    let shapes = table.iter().map(|method| (method.params[0].shape)());
    assert_eq!(
        format!("{:?}", shapes.collect::<Vec<_>>()),
        "[String, Bytes, Integer]"
    );
}

mod bodies {
    #[farcall::service]
    pub trait Bodies {
        async fn twice(&self, x: i64) -> i64 {
            self.once(x).await + self.once(x).await
        }
        async fn once(&self, mut x: i64) -> i64 {
            x += 1;
            x
        }
        async fn fails(&self, text: &str) -> Result<i64, farcall::Fault> {
            let number = text
                .parse()
                .map_err(|_| farcall::Fault::new(5, "no number"))?;
            if number > 7 {
                return Err(farcall::Fault::new(6, "too much"));
            }
            Ok(number)
        }
        async fn nothing(&self) {}
    }

    impl Bodies for () {}
}

#[test]
fn a_trait_may_have_bodies() {
    assert_eq!(methods(&bodies::BodiesServer::new(())).len(), 4);
}

mod elsewhere {
    pub use ::farcall as rpc;

    pub mod inner {
        #[farcall::service(crate = super::rpc)]
        pub(super) trait Renamed {
            async fn greet(&self, #[rpc(default = "you")] name: &str, raw: &[u8]) -> String;
        }

        #[derive(Debug, super::rpc::Fault)]
        #[fault(code = 7, crate = super::rpc)]
        pub struct Broken<T> {
            pub part: T,
            pub fault: u8,
            pub encoding: String,
        }

        impl<T> std::fmt::Display for Broken<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("broken")
            }
        }
    }

    pub(super) fn names() -> Vec<&'static str> {
        crate::names(inner::RenamedClient::METHODS)
    }
}

#[test]
fn the_crate_may_be_elsewhere() {
    assert_eq!(elsewhere::names(), ["greet"]);
    let broken = elsewhere::inner::Broken {
        part: 3_u8,
        fault: 4,
        encoding: "none".to_owned(),
    };
    let fault = broken.to_fault(Encoding::Json);
    let again = elsewhere::inner::Broken::<u8>::from_fault(&fault).unwrap();
    assert_eq!((again.part, again.fault, &*again.encoding), (3, 4, "none"));
}
