//! A connection's bytes, encrypted or not, and the ways it can end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;

/// How long a closed connection waits for the peer to close as well.
const LINGER: Duration = Duration::from_secs(2);

/// How long nothing is read from a connection at most: a peer that closes behind what is not read is not noticed.
const STALL: Duration = Duration::from_secs(60);
/// How often such a connection is asked whether it still is one.
const STALL_POLL: Duration = Duration::from_millis(20);

/// A connection's bytes, encrypted or not.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// What to do with a connection that stops being HTTP.
pub(crate) struct Takeover {
    /// Written first.
    pub(crate) bytes: Vec<u8>,
    /// What then becomes of the connection.
    pub(crate) ending: Ending,
}

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    /// In good order: a TLS `close_notify`, then the end of the stream.
    Close,
    /// By a TCP reset.
    Reset,
    /// When the peer gives up.
    Hang,
    /// When the peer gives up, or after a minute; what it still sends is not read.
    Stall,
}

impl Takeover {
    /// Writes what there is to write and ends the connection.
    pub(crate) async fn run(self, mut stream: Stream) {
        let written = async {
            stream.write_all(&self.bytes).await?;
            stream.flush().await
        };
        if written.await.is_err() {
            return;
        }
        match self.ending {
            Ending::Close => stream.close().await,
            Ending::Reset => stream.reset(),
            Ending::Hang => stream.drain().await,
            Ending::Stall => {
                let _ = timeout(STALL, stream.stall()).await;
            }
        }
    }
}

impl Stream {
    /// Ends the connection by a TCP reset: unsent bytes are lost, the peer sees `ECONNRESET`.
    pub(crate) fn reset(self) {
        reset(self.tcp());
    }

    /// Closes in good order. What the peer still sends is read for a moment, since closing a socket with
    /// unread bytes makes it a reset.
    async fn close(mut self) {
        if self.shutdown().await.is_ok() {
            let _ = timeout(LINGER, self.drain()).await;
        }
    }

    /// Reads until the peer closes.
    async fn drain(&mut self) {
        let mut scrap = [0; 4096];
        while matches!(self.read(&mut scrap).await, Ok(1..)) {}
    }

    /// Waits, without reading, until the peer closes.
    async fn stall(&self) {
        while self.tcp().ready(Interest::READABLE).await.is_ok_and(|ready| !ready.is_read_closed()) {
            sleep(STALL_POLL).await;
        }
    }

    /// Lets the peer change its TLS keys, and changes those of this end; nothing under plain HTTP.
    pub(crate) fn update_keys(&mut self) {
        if let Self::Tls(tls) = self {
            // It fails only before the end of the handshake, and under TLS 1.2.
            let _ = tls.get_mut().1.refresh_traffic_keys();
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref().0,
        }
    }
}

/// Makes the closing of this socket, which is to follow, a reset.
fn reset(tcp: &TcpStream) {
    // It fails only on a socket that has ended already.
    let _ = tcp.set_zero_linger();
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, slices),
            Self::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
