//! What went wrong with TLS, in words for whoever has to mend it.

use std::io;
use std::time::Duration;

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error, InvalidMessage, OtherError};

/// A failed handshake of a client, explained.
pub(crate) fn explained(error: &io::Error) -> io::Error {
    let words = match rustls(error) {
        Some(error) => of_server(error),
        None => match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::BrokenPipe => {
                "the server hung up during the TLS handshake; it may not speak TLS".to_owned()
            }
            io::ErrorKind::TimedOut => {
                "the TLS handshake took too long (`Limits::handshake_time`); the server may not \
                 speak TLS"
                    .to_owned()
            }
            _ => error.to_string(),
        },
    };
    io::Error::new(error.kind(), words)
}

/// What a server said of this client after the handshake, if it refused it: in TLS 1.3 it looks at a
/// client's certificate when the client has finished.
pub(crate) fn refusal(error: &io::Error) -> Option<String> {
    match rustls(error) {
        Some(Error::AlertReceived(alert)) => alerted(*alert),
        _ => None,
    }
}

fn rustls(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn of_server(error: &Error) -> String {
    match error {
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => "the server does not speak TLS: it answered in clear".to_owned(),
        Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            "the server speaks no TLS there, or no version of it that is taken here (1.2 and 1.3)"
                .to_owned()
        }
        Error::AlertReceived(alert) => {
            alerted(*alert).unwrap_or_else(|| format!("the server refused TLS: {alert:?}"))
        }
        Error::InvalidCertificate(why) => of_certificate(why),
        Error::PeerIncompatible(why) => {
            format!("the server and this client have no way of TLS in common: {why:?}")
        }
        other => other.to_string(),
    }
}

/// What an alert says that has to do with the client's certificate.
fn alerted(alert: AlertDescription) -> Option<String> {
    use AlertDescription as Alert;

    let words = match alert {
        Alert::CertificateRequired => "the server asks for a client certificate",
        Alert::UnknownCA => "the server does not trust the CA of the client certificate",
        Alert::CertificateExpired => "the client certificate has expired",
        Alert::CertificateRevoked => "the client certificate was revoked",
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateUnknown
        | Alert::AccessDenied => {
            "the server does not take the client certificate, or the lack of one"
        }
        _ => return None,
    };
    Some(format!(
        "{words} (`cert` and `key` in the address, or `ClientTls::identity_files`)"
    ))
}

fn of_certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "the server's certificate is signed by nobody who is trusted here; a CA of your own is \
             named by `ca` in the address, or by `ClientTls::ca_file`"
                .to_owned()
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let presented: Vec<_> = presented.iter().map(|name| shown(name)).collect();
            let presented = match presented.is_empty() {
                true => "no name (a subject alternative name is needed)".to_owned(),
                false => farcall_core::fault::shown(&presented.join(", ")),
            };
            let expected = expected.to_str();
            format!("the server's certificate is for {presented}, not for {expected}")
        }
        CertificateError::ExpiredContext { time, not_after } => format!(
            "the server's certificate expired {} ago (by this machine's clock)",
            about(time.as_secs().abs_diff(not_after.as_secs()))
        ),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "the server's certificate is not valid before {} from now (by this machine's clock)",
            about(time.as_secs().abs_diff(not_before.as_secs()))
        ),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not meant for servers (extended key usage)".to_owned()
        }
        CertificateError::Other(OtherError(other)) if is_of_a_ca(&**other) => {
            "the server shows the certificate of a CA (basicConstraints CA:TRUE), which cannot be \
             its own; with openssl: -addext basicConstraints=critical,CA:FALSE"
                .to_owned()
        }
        other => format!("the server's certificate is not valid: {other}"),
    }
}

fn is_of_a_ca(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

/// A name as webpki has it: `DnsName("h")`, `IpAddress(127.0.0.1)`.
fn shown(name: &str) -> String {
    let inner = name.split_once('(').map_or(name, |(_, inner)| inner);
    inner.trim_matches([')', '"']).escape_debug().to_string()
}

/// Some time, roughly.
fn about(seconds: u64) -> String {
    const DAY: u64 = 24 * 60 * 60;

    match seconds {
        0..120 => format!("{:?}", Duration::from_secs(seconds)),
        120..7200 => format!("{} minutes", seconds / 60),
        7200..172_800 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / DAY),
    }
}
