//! Writing documents.

use crate::channel::Outbound;
use crate::codec::xml::text;
use crate::encoding::Encoding;
use crate::error::EncodeError;
use crate::fault::Fault;
use crate::params::Style;

/// How a result's document begins; the `<value>` comes next.
pub(super) const BEFORE_RESULT: &[u8] = b"<?xml version=\"1.0\"?>\n<methodResponse><params><param>";
/// How it ends.
pub(super) const AFTER_RESULT: &[u8] = b"</param></params></methodResponse>\n";

/// Appends the document of `call`.
///
/// # Errors
/// If a parameter has no form in XML-RPC.
pub fn write_call(out: &mut Vec<u8>, call: &Outbound<'_>) -> Result<(), EncodeError> {
    out.extend_from_slice(b"<?xml version=\"1.0\"?>\n<methodCall><methodName>");
    text::write(out, call.method.name)?;
    out.extend_from_slice(b"</methodName>");
    call.params
        .encode(call.method, Encoding::Xml, Style::Positional, out)?;
    out.extend_from_slice(b"</methodCall>\n");
    Ok(())
}

/// Appends the document of `fault`; its data only for a farcall client, as others allow for
/// exactly two members.
pub(crate) fn write_fault(out: &mut Vec<u8>, fault: &Fault, with_data: bool) {
    out.extend_from_slice(b"<?xml version=\"1.0\"?>\n<methodResponse><fault>");
    write_fault_value(out, fault, with_data);
    out.extend_from_slice(b"</fault></methodResponse>\n");
}

/// Appends `fault` as a `<value>`: faultCode first, as one client depends on it.
pub(crate) fn write_fault_value(out: &mut Vec<u8>, fault: &Fault, with_data: bool) {
    out.extend_from_slice(b"<value><struct><member><name>faultCode</name><value><int>");
    out.extend_from_slice(itoa::Buffer::new().format(fault.code).as_bytes());
    out.extend_from_slice(
        b"</int></value></member><member><name>faultString</name><value><string>",
    );
    text::write_anyway(out, &fault.message);
    out.extend_from_slice(b"</string></value></member>");
    if let Some(data) = fault
        .data
        .as_ref()
        .filter(|data| with_data && data.encoding == Encoding::Xml)
    {
        out.extend_from_slice(b"<member><name>data</name>");
        out.extend_from_slice(&data.bytes);
        out.extend_from_slice(b"</member>");
    }
    out.extend_from_slice(b"</struct></value>");
}
