//! Stands in for a codec that this build leaves out.

macro_rules! absent {
    ($name:ident) => {
        pub(crate) mod $name {
            use serde::{Serialize, de::DeserializeSeed};

            use crate::error::{DecodeError, EncodeError};
            use crate::limits::Budget;

            const ABSENT: &str = concat!(
                "this build has no ",
                stringify!($name),
                " (a feature of farcall)"
            );

            pub(crate) fn encode<T: Serialize + ?Sized>(
                _: &T,
                _: &mut Vec<u8>,
            ) -> Result<(), EncodeError> {
                Err(EncodeError::new(ABSENT))
            }

            pub(crate) fn decode<'de, S: DeserializeSeed<'de> + Clone>(
                _: S,
                _: &'de [u8],
                _: Budget,
            ) -> Result<S::Value, DecodeError> {
                Err(DecodeError::new(ABSENT))
            }
        }
    };
}

#[cfg(not(feature = "bincode"))]
absent!(bincode);
#[cfg(not(feature = "json"))]
absent!(json);
#[cfg(not(feature = "xml"))]
absent!(xml);
