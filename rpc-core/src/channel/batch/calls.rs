//! What can be a batch: a tuple of calls, or a list of them.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::channel::{Call, Channel, Inbound, Outbound, Replies};
use crate::error::{Error, Failure};
use crate::fault::TypedFault;
use crate::params::EncodeParams;

/// Calls that can be sent together: a tuple of up to 12, or a `Vec` of calls of one method.
///
/// ```
/// use farcall_core::channel::{Call, Calls};
///
/// fn is_a_batch<C: Calls>() {}
/// is_a_batch::<(Call<'_, (i64, i64), i64>, Call<'_, (), String>)>();
/// is_a_batch::<Vec<Call<'_, (u32,), u32>>>();
/// ```
pub trait Calls: Send {
    /// The results, in the shape of the calls.
    type Results;

    /// Each call, in order.
    fn members(&self) -> Vec<Member<'_>>;

    /// Reads the replies, in the order of the calls.
    fn finish(&self, replies: Replies) -> Self::Results;

    /// Sets how long each of the calls may take.
    fn set_timeout(&mut self, timeout: Duration);
}

/// One call of a batch.
///
/// ```
/// fn name<'a>(member: &farcall_core::channel::Member<'a>) -> &'a str {
///     member.call.method.name
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// Where its client sends it.
    pub channel: &'a Channel,
    /// The call.
    pub call: Outbound<'a>,
}

fn member<'m, P: EncodeParams, T, E>(call: &'m Call<'_, P, T, E>) -> Member<'m> {
    Member {
        channel: call.channel(),
        call: call.outbound(),
    }
}

/// The next reply. There is one for each call.
fn next(replies: &mut impl Iterator<Item = Result<Inbound, Failure>>) -> Result<Inbound, Failure> {
    replies.next().unwrap_or_else(|| Err(Failure::left_out()))
}

impl<P, T, E> Calls for Vec<Call<'_, P, T, E>>
where
    P: EncodeParams,
    T: DeserializeOwned,
    E: TypedFault,
{
    type Results = Vec<Result<T, Error<E>>>;

    fn members(&self) -> Vec<Member<'_>> {
        self.iter().map(member).collect()
    }

    fn finish(&self, replies: Replies) -> Self::Results {
        let mut replies = replies.into_iter();
        self.iter()
            .map(|call| call.finish(next(&mut replies)))
            .collect()
    }

    fn set_timeout(&mut self, timeout: Duration) {
        for call in self {
            call.set_timeout(timeout);
        }
    }
}

macro_rules! tuples {
    ($(($($P:ident $T:ident $E:ident $call:ident),*))*) => {$(
        impl<'a, $($P, $T, $E),*> Calls for ($(Call<'a, $P, $T, $E>,)*)
        where
            $($P: EncodeParams, $T: DeserializeOwned, $E: TypedFault),*
        {
            type Results = ($(Result<$T, Error<$E>>,)*);

            fn members(&self) -> Vec<Member<'_>> {
                let ($($call,)*) = self;
                vec![$(member($call)),*]
            }

            fn finish(&self, replies: Replies) -> Self::Results {
                let ($($call,)*) = self;
                let mut replies = replies.into_iter();
                ($($call.finish(next(&mut replies)),)*)
            }

            fn set_timeout(&mut self, timeout: Duration) {
                let ($($call,)*) = self;
                $($call.set_timeout(timeout);)*
            }
        }
    )*};
}

tuples! {
    (P0 T0 E0 c0)
    (P0 T0 E0 c0, P1 T1 E1 c1)
    (P0 T0 E0 c0, P1 T1 E1 c1, P2 T2 E2 c2)
    (P0 T0 E0 c0, P1 T1 E1 c1, P2 T2 E2 c2, P3 T3 E3 c3)
    (P0 T0 E0 c0, P1 T1 E1 c1, P2 T2 E2 c2, P3 T3 E3 c3, P4 T4 E4 c4)
    (P0 T0 E0 c0, P1 T1 E1 c1, P2 T2 E2 c2, P3 T3 E3 c3, P4 T4 E4 c4, P5 T5 E5 c5)
    (P0 T0 E0 c0, P1 T1 E1 c1, P2 T2 E2 c2, P3 T3 E3 c3, P4 T4 E4 c4, P5 T5 E5 c5, P6 T6 E6 c6)
    (P0 T0 E0 c0, P1 T1 E1 c1, P2 T2 E2 c2, P3 T3 E3 c3, P4 T4 E4 c4, P5 T5 E5 c5, P6 T6 E6 c6,
     P7 T7 E7 c7)
    (P0 T0 E0 c0, P1 T1 E1 c1, P2 T2 E2 c2, P3 T3 E3 c3, P4 T4 E4 c4, P5 T5 E5 c5, P6 T6 E6 c6,
     P7 T7 E7 c7, P8 T8 E8 c8)
    (P0 T0 E0 c0, P1 T1 E1 c1, P2 T2 E2 c2, P3 T3 E3 c3, P4 T4 E4 c4, P5 T5 E5 c5, P6 T6 E6 c6,
     P7 T7 E7 c7, P8 T8 E8 c8, P9 T9 E9 c9)
    (P0 T0 E0 c0, P1 T1 E1 c1, P2 T2 E2 c2, P3 T3 E3 c3, P4 T4 E4 c4, P5 T5 E5 c5, P6 T6 E6 c6,
     P7 T7 E7 c7, P8 T8 E8 c8, P9 T9 E9 c9, P10 T10 E10 c10)
    (P0 T0 E0 c0, P1 T1 E1 c1, P2 T2 E2 c2, P3 T3 E3 c3, P4 T4 E4 c4, P5 T5 E5 c5, P6 T6 E6 c6,
     P7 T7 E7 c7, P8 T8 E8 c8, P9 T9 E9 c9, P10 T10 E10 c10, P11 T11 E11 c11)
}
