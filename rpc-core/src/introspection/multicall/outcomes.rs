//! What the members of a multicall gave, within the size that a reply may have.

use super::only_text;
use crate::encoding::Encoding;
use crate::fault::Fault;
use crate::service::Request;

/// Bytes that are left for what stands around the result in its message.
const ENVELOPE: usize = 256;

/// The outcomes in order, encoded, each a result in an array of one, or a fault.
///
/// Together they are no larger than a reply may be, or hardly: what does not fit is not kept, and a
/// fault stands in its place.
pub(super) struct Outcomes {
    marks: Marks,
    with_data: bool,
    written: Vec<Vec<u8>>,
    size: usize,
    room: usize,
    refusal: Vec<u8>,
}

/// What stands around and between.
struct Marks {
    encoding: Encoding,
    list: [&'static [u8]; 2],
    result: [&'static [u8]; 2],
    between: &'static [u8],
}

impl Marks {
    fn of(encoding: Encoding) -> Option<Self> {
        match encoding {
            #[cfg(feature = "xml")]
            Encoding::Xml => Some(Self {
                encoding,
                list: [b"<value><array><data>", b"</data></array></value>"],
                result: [b"<value><array><data>", b"</data></array></value>"],
                between: b"",
            }),
            #[cfg(feature = "json")]
            Encoding::Json => Some(Self {
                encoding,
                list: [b"[", b"]"],
                result: [b"[", b"]"],
                between: b",",
            }),
            _ => None,
        }
    }
}

impl Outcomes {
    /// Of the members of `request`, none yet.
    pub(super) fn new(request: &Request) -> Result<Self, Fault> {
        let limit = request.message_limit();
        let mut outcomes = Self {
            marks: Marks::of(request.encoding()).ok_or_else(only_text)?,
            with_data: request.is_from_farcall(),
            written: Vec::new(),
            size: 0,
            room: limit.saturating_sub(ENVELOPE),
            refusal: Vec::new(),
        };
        outcomes.refusal = outcomes.encoded(Err(Fault::replies_too_large(limit)));
        Ok(outcomes)
    }

    /// Adds the outcome of the next member, or a refusal if it does not fit.
    pub(super) fn push(&mut self, outcome: Result<Vec<u8>, Fault>) {
        let mut written = self.encoded(outcome);
        if self.size.saturating_add(written.len()) > self.room && written.len() > self.refusal.len()
        {
            written.clone_from(&self.refusal);
        }
        self.size = self.size.saturating_add(written.len());
        self.written.push(written);
    }

    /// Makes room for the refusals, which came on top: the largest outcomes give way.
    pub(super) fn shrink(&mut self) {
        let mut largest: Vec<_> = self.written.iter_mut().collect();
        largest.sort_by_key(|written| std::cmp::Reverse(written.len()));
        for written in largest {
            if self.size <= self.room || written.len() <= self.refusal.len() {
                return;
            }
            self.size -= written.len() - self.refusal.len();
            written.clone_from(&self.refusal);
        }
    }

    /// Appends the list of them.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let [open, close] = self.marks.list;
        out.extend_from_slice(open);
        for (index, written) in self.written.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(self.marks.between);
            }
            out.extend_from_slice(written);
        }
        out.extend_from_slice(close);
    }

    fn encoded(&self, outcome: Result<Vec<u8>, Fault>) -> Vec<u8> {
        let mut out = Vec::new();
        match outcome {
            Ok(value) => {
                let [open, close] = self.marks.result;
                out.reserve_exact(open.len() + value.len() + close.len());
                out.extend_from_slice(open);
                out.extend_from_slice(&value);
                out.extend_from_slice(close);
            }
            Err(fault) => match self.marks.encoding {
                #[cfg(feature = "xml")]
                Encoding::Xml => {
                    crate::protocol::xmlrpc::write_fault_value(&mut out, &fault, self.with_data);
                }
                #[cfg(feature = "json")]
                Encoding::Json => super::json::write_fault(&mut out, &fault),
                _ => {}
            },
        }
        out
    }
}
