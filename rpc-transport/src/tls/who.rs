//! Who a verified certificate belongs to.

use farcall_core::context::TlsPeer;
use tokio_rustls::rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// What is known of a peer that showed these certificates, which were verified.
pub(super) fn who(certificates: &[CertificateDer<'_>]) -> TlsPeer {
    let mut peer = TlsPeer::default();
    if let Some(own) = certificates.first()
        && let Ok(own) = EndEntityCert::try_from(own)
    {
        let names = own.valid_dns_names().chain(own.valid_uri_names());
        peer.names = names.map(str::to_owned).collect();
        peer.names.extend(common_name(own.subject()));
    }
    peer.certificates = certificates.iter().map(|der| der.to_vec()).collect();
    peer
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
/// id-at-commonName, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// The kinds of strings that are ASCII or UTF-8: UTF8String, PrintableString, IA5String.
const TEXT: [u8; 3] = [0x0c, 0x13, 0x16];

/// The last common name of a subject: RDNSequence, RelativeDistinguishedName and
/// AttributeTypeAndValue of RFC 5280 §4.1.2.4, in DER. webpki gives the content of the outer
/// sequence.
fn common_name(mut subject: &[u8]) -> Option<String> {
    let mut name = None;
    while let Some((SET, mut attributes)) = value(&mut subject) {
        while let Some((SEQUENCE, mut attribute)) = value(&mut attributes) {
            let kind = value(&mut attribute);
            let text = value(&mut attribute);
            if kind == Some((OBJECT_IDENTIFIER, COMMON_NAME))
                && let Some((tag, text)) = text
                && TEXT.contains(&tag)
                && let Ok(text) = std::str::from_utf8(text)
            {
                name = Some(text.to_owned());
            }
        }
    }
    name
}

/// Takes a value off DER: its tag and what is in it.
fn value<'a>(der: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // No name needs more than two bytes to say how long it is.
        0x81 => {
            let (&length, rest) = rest.split_first()?;
            (usize::from(length), rest)
        }
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *der = rest;
    Some((tag, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_name_is_found_behind_others() {
        let country = [
            0x31, 0x0b, 0x30, 0x09, 6, 3, 0x55, 4, 6, 0x13, 2, b'D', b'E',
        ];
        let name = [
            0x31, 0x0c, 0x30, 0x0a, 6, 3, 0x55, 4, 3, 0x0c, 3, b'a', b'd', b'a',
        ];
        let subject = [&country[..], &name].concat();
        assert_eq!(common_name(&subject).as_deref(), Some("ada"));
        assert_eq!(common_name(&country), None);
        for end in 0..name.len() {
            assert_eq!(common_name(&name[..end]), None, "{end}");
        }
    }

    #[test]
    fn bytes_that_are_no_subject_have_no_name() {
        for subject in [
            &b""[..],
            b"\x31",
            b"\x31\x84\xff\xff\xff\xff",
            b"\x31\x82\x01",
        ] {
            assert_eq!(common_name(subject), None);
        }
        assert_eq!(who(&[CertificateDer::from(vec![1, 2, 3])]).names, [""; 0]);
    }
}
