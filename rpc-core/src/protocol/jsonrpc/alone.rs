//! A server's side of one call without a connection around it, for measuring the codec alone.

use serde::Serialize;

use super::canonical;
use super::write::write_reply;
use crate::codec::json;
use crate::encoding::Encoding;
use crate::fault::{Fault, code};
use crate::limits::Budget;
use crate::method::Method;
use crate::params::{Arguments, DecodeParams, Part, Tuple};
use crate::payload::Payload;

/// Appends to `out` the reply to a call of `method` in the usual member order, `text`, as a
/// connection writes it: what `handle` makes of the parameters.
///
/// # Errors
/// If `text` is another call or in another order, or the values do not fit.
#[doc(hidden)]
pub fn serve<P, T>(
    out: &mut Vec<u8>,
    text: Payload,
    method: &'static Method,
    absent: <P as Tuple>::Absent,
    handle: impl FnOnce(P) -> T,
) -> Result<(), Fault>
where
    P: for<'de> DecodeParams<'de>,
    T: Serialize,
{
    let refused = |words: String| Fault::new(code::INVALID_REQUEST, words);
    let call = canonical::request(&text).filter(|call| call.method == method.name);
    let call = call.ok_or_else(|| refused("another call, or in another order".to_owned()))?;
    let (id, params) = (Payload::copied_from(call.id), call.params);
    let arguments = Arguments::new(Encoding::Json, Part::Value, text, params);
    let params = arguments.decode(method.params, absent, Budget::default());
    let result = handle(params.map_err(|error| refused(error.to_string()))?);
    write_reply(out, &id, false, |out| json::encode(&result, out))
        .map_err(|error| refused(error.to_string()))
}
