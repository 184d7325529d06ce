//! The bytes of a connection, encrypted or not, and the ways in which it can end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;

/// How long a closed connection waits for the peer to close too.
const LINGER: Duration = Duration::from_secs(2);

/// How long a connection stays open unread. A peer that closes is not noticed while its bytes are unread.
const STALL: Duration = Duration::from_secs(60);
/// How often to check whether such a connection still exists.
const STALL_POLL: Duration = Duration::from_millis(20);

/// The bytes of a connection, encrypted or not.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// The end of HTTP on a connection.
pub(crate) struct Takeover {
    /// The bytes to write first.
    pub(crate) bytes: Vec<u8>,
    /// The pause after each of the bytes. `None`: they are written at once.
    pub(crate) every: Option<Duration>,
    /// What then happens to the connection.
    pub(crate) ending: Ending,
}

/// An unencrypted `internal_error`, which a client must not trust after the handshake.
const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 80];

/// How a connection ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    /// An orderly end: a TLS `close_notify`, then the end of the stream.
    Close,
    /// A TCP reset.
    Reset,
    /// The end of TCP without a TLS `close_notify`.
    Cut,
    /// An unencrypted TLS alert, then the same end.
    Alert,
    /// The peer ends it.
    Hang,
    /// The peer ends it, or a minute passes. Its bytes are not read.
    Stall,
}

impl Takeover {
    /// Creates an end that writes the bytes at once.
    pub(crate) fn new(bytes: Vec<u8>, ending: Ending) -> Self {
        Self { bytes, every: None, ending }
    }

    /// Writes the bytes and ends the connection.
    pub(crate) async fn run(self, mut stream: Stream) {
        if self.write(&mut stream).await.is_err() {
            return;
        }
        match self.ending {
            Ending::Close => stream.close().await,
            Ending::Reset => stream.reset(),
            Ending::Cut => stream.cut(&[]).await,
            Ending::Alert => stream.cut(&ALERT).await,
            Ending::Hang => stream.drain().await,
            Ending::Stall => {
                let _ = timeout(STALL, stream.stall()).await;
            }
        }
    }

    async fn write(&self, stream: &mut Stream) -> io::Result<()> {
        let Some(every) = self.every else {
            stream.write_all(&self.bytes).await?;
            return stream.flush().await;
        };
        for byte in &self.bytes {
            stream.write_all(&[*byte]).await?;
            stream.flush().await?;
            sleep(every).await;
        }
        Ok(())
    }
}

impl Stream {
    /// Ends the connection with a TCP reset. Unsent bytes are lost, and the peer gets `ECONNRESET`.
    pub(crate) fn reset(self) {
        reset(self.tcp());
    }

    /// Closes the connection in an orderly way. Reads what the peer still sends for a moment, since closing a socket with
    /// unread bytes resets it.
    async fn close(mut self) {
        if self.shutdown().await.is_ok() {
            let _ = timeout(LINGER, self.drain()).await;
        }
    }

    /// Writes these bytes without TLS, and ends TCP without a TLS `close_notify`.
    async fn cut(self, last: &[u8]) {
        let mut tcp = match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.into_inner().0,
        };
        if tcp.write_all(last).await.is_ok() && tcp.shutdown().await.is_ok() {
            let _ = timeout(LINGER, Self::Plain(tcp).drain()).await;
        }
    }

    /// Reads until the peer closes.
    async fn drain(&mut self) {
        let mut scrap = [0; 4096];
        while matches!(self.read(&mut scrap).await, Ok(1..)) {}
    }

    /// Waits until the peer closes, without reading.
    async fn stall(&self) {
        while self.tcp().ready(Interest::READABLE).await.is_ok_and(|ready| !ready.is_read_closed()) {
            sleep(STALL_POLL).await;
        }
    }

    /// Asks the peer for new TLS keys, and changes those of this side. Does nothing with plain HTTP.
    pub(crate) fn update_keys(&mut self) {
        if let Self::Tls(tls) = self {
            // Fails only before the end of the handshake, and with TLS 1.2.
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

/// Makes the next close of this socket a reset.
fn reset(tcp: &TcpStream) {
    // Fails only on a socket that has ended already.
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
