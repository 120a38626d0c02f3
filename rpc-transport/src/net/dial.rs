//! A client's connections over TCP, in clear or encrypted.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(feature = "tls")]
use tokio_rustls::client::TlsStream;

#[cfg(feature = "tls")]
use super::said;
use super::socket;
use crate::address::Address;
#[cfg(feature = "tls")]
use crate::tls::Secured;

/// Makes connections to one address.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    authority: String,
    #[cfg(feature = "tls")]
    secured: Option<Secured>,
    /// What the server said in the words of TLS or HTTP/2 as it last refused a connection.
    refused: Refused,
}

/// Words for those who do not get to see the error that had them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refused(Arc<Mutex<Option<String>>>);

impl Refused {
    #[cfg(any(feature = "http", feature = "tls"))]
    pub(crate) fn say(&self, words: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    #[cfg(feature = "http")]
    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Dialer {
    /// For an address whose connections are not encrypted.
    pub(crate) fn plain(address: &Address) -> Self {
        Self {
            authority: address.authority().to_owned(),
            #[cfg(feature = "tls")]
            secured: None,
            refused: Refused::default(),
        }
    }

    /// For an address whose connections are encrypted.
    #[cfg(feature = "tls")]
    pub(crate) fn secure(address: &Address, secured: Secured) -> Self {
        Self {
            secured: Some(secured),
            ..Self::plain(address)
        }
    }

    /// A new connection, past its TLS handshake.
    pub(crate) async fn dial(&self) -> io::Result<Dialed> {
        let io = TcpStream::connect(&self.authority).await?;
        socket::set_up(&io)?;
        #[cfg(feature = "tls")]
        if let Some(secured) = &self.secured {
            // What happens in between is larger than all the rest of a call.
            let io = Box::pin(secured.connect(io)).await?;
            return Ok(Dialed::Secure(Box::new(io), self.refused.clone()));
        }
        Ok(Dialed::Plain(io))
    }

    /// What the server said as it refused the last connection, for those who do not get to see the
    /// error.
    #[cfg(feature = "http")]
    pub(crate) fn refused(&self) -> Option<String> {
        self.refused.take()
    }

    /// Where such words are put.
    #[cfg(feature = "http")]
    pub(crate) fn refusal(&self) -> Refused {
        self.refused.clone()
    }
}

/// A connection that was made.
#[derive(Debug)]
pub(crate) enum Dialed {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Secure(Box<TlsStream<TcpStream>>, Refused),
}

impl Dialed {
    /// True if both sides agreed on HTTP/2 in the TLS handshake.
    #[cfg(feature = "http")]
    pub(crate) fn is_http2(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            #[cfg(feature = "tls")]
            Self::Secure(io, _) => io.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }
}

impl AsyncRead for Dialed {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_read(cx, buf),
            #[cfg(feature = "tls")]
            Self::Secure(io, refused) => {
                let read = Pin::new(io).poll_read(cx, buf);
                if let Poll::Ready(Err(error)) = &read
                    && let Some(words) = said(error)
                {
                    refused.say(words);
                }
                read
            }
        }
    }
}

impl AsyncWrite for Dialed {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write(cx, buf),
            #[cfg(feature = "tls")]
            Self::Secure(io, _) => Pin::new(io).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_write_vectored(cx, bufs),
            #[cfg(feature = "tls")]
            Self::Secure(io, _) => Pin::new(io).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_flush(cx),
            #[cfg(feature = "tls")]
            Self::Secure(io, _) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(io) => Pin::new(io).poll_shutdown(cx),
            #[cfg(feature = "tls")]
            Self::Secure(io, _) => Pin::new(io).poll_shutdown(cx),
        }
    }
}
