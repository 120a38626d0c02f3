//! A server's side of one call without a connection around it, for measuring the codec alone.

use serde::Serialize;

use super::document::{head, in_utf8};
use super::write::{AFTER_RESULT, BEFORE_RESULT};
use crate::codec::xml;
use crate::encoding::Encoding;
use crate::fault::{Fault, code};
use crate::limits::Budget;
use crate::method::Method;
use crate::params::{Arguments, DecodeParams, Part, Tuple};
use crate::payload::Payload;

/// Appends to `out` the document that answers a call of `method`, `body`: what `handle` makes of
/// the parameters.
///
/// # Errors
/// If `body` is another call, or the values do not fit.
#[doc(hidden)]
pub fn serve<P, T>(
    out: &mut Vec<u8>,
    body: Payload,
    method: &'static Method,
    absent: <P as Tuple>::Absent,
    handle: impl FnOnce(P) -> T,
) -> Result<(), Fault>
where
    P: for<'de> DecodeParams<'de>,
    T: Serialize,
{
    let refused = |words: String| Fault::new(code::INVALID_REQUEST, words);
    let body = in_utf8(body)?;
    let head = head(&body)?;
    if head.method != method.name {
        return Err(Fault::method_not_found(&head.method));
    }
    let at = head.params..body.len();
    let arguments = Arguments::new(Encoding::Xml, Part::XmlParams, body, at);
    let params = arguments.decode(method.params, absent, Budget::default());
    let result = handle(params.map_err(|error| refused(error.to_string()))?);
    out.extend_from_slice(BEFORE_RESULT);
    xml::encode(&result, out).map_err(|error| refused(error.to_string()))?;
    out.extend_from_slice(AFTER_RESULT);
    Ok(())
}
