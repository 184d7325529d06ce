//! One connection, from accept to its end.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::certificates::Certificates;
use crate::control::ControlOrigin;
use crate::shared::Shared;
use crate::state::{BadCertificate, FaultKind};
use crate::wire::{ConnectionHandle, ConnectionOrder, Stream, Tap};
use crate::{control, handler};

/// The service on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The simulated service.
    Api,
    /// The control calls. Their port is separate, so that no fault of a connection can strike them.
    Control,
    /// The console and its control calls, without TLS, for a browser.
    Console(ControlOrigin),
}

/// What all connections are served with.
pub(crate) struct Server {
    pub(crate) shared: Arc<Shared>,
    /// `None` with plain HTTP.
    pub(crate) certificates: Option<Certificates>,
    /// The origin of the control calls.
    pub(crate) control_origin: ControlOrigin,
}

/// Serves an accepted connection to its end.
pub(super) async fn serve(server: Arc<Server>, tcp: TcpStream, peer: IpAddr, role: Role) {
    // Fails only on a socket that has ended already.
    let _ = tcp.set_nodelay(true);
    match role {
        Role::Control => {
            if let Some(stream) = server.handshake(tcp, None).await {
                serve_control(&server.shared, server.control_origin, stream).await;
            }
        }
        Role::Console(origin) => serve_control(&server.shared, origin, Stream::Plain(tcp)).await,
        Role::Api => {
            let (number, _open) = server.shared.next_connection();
            if let Some(stream) = server.open(tcp).await {
                serve_api(&server.shared, stream, peer, number).await;
            }
        }
    }
}

impl Server {
    /// Performs the handshake of a connection to the API, with the fault that strikes it, if any.
    async fn open(&self, mut tcp: TcpStream) -> Option<Stream> {
        let fault = self.shared.state().begin_connection();
        match fault {
            Some(FaultKind::HangHandshake {}) => {
                let mut scrap = [0; 4096];
                while matches!(tcp.read(&mut scrap).await, Ok(1..)) {}
                None
            }
            Some(FaultKind::SlowHandshake { ms }) => {
                sleep(Duration::from_millis(ms)).await;
                self.handshake(tcp, None).await
            }
            Some(FaultKind::RawHandshake(raw)) => {
                let mut hello = [0; 4096];
                let _ = tcp.read(&mut hello).await;
                handler::instead_of_handshake(&raw).run(Stream::Plain(tcp)).await;
                None
            }
            Some(FaultKind::Tls { certificate }) => self.handshake(tcp, Some(certificate)).await,
            Some(FaultKind::ResetBeforeRequest {}) => {
                self.handshake(tcp, None).await?.reset();
                None
            }
            _ => self.handshake(tcp, None).await,
        }
    }

    async fn handshake(&self, tcp: TcpStream, bad: Option<BadCertificate>) -> Option<Stream> {
        match &self.certificates {
            None => Some(Stream::Plain(tcp)),
            Some(certificates) => {
                let tls = certificates.acceptor(bad).accept(tcp).await.ok()?;
                Some(Stream::Tls(Box::new(tls)))
            }
        }
    }
}

async fn serve_control(shared: &Arc<Shared>, origin: ControlOrigin, stream: Stream) {
    let service = service_fn(|request| async {
        Ok::<_, Infallible>(control::http::handle(shared, origin, request).await)
    });
    // The peer caused the error and sees it too.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn serve_api(shared: &Shared, stream: Stream, peer: IpAddr, number: u64) {
    let (tap, heads) = Tap::new(stream);
    let (connection, inbox) = ConnectionHandle::new(peer, number, heads.clone());
    serve_http(shared, &connection, tap, inbox).await;
    if let Some(head) = heads.unfinished_head() {
        handler::record_broken(shared, peer, number, &head);
    }
}

async fn serve_http(
    shared: &Shared,
    connection: &ConnectionHandle,
    tap: Tap,
    mut inbox: mpsc::UnboundedReceiver<ConnectionOrder>,
) {
    let service = service_fn(|request| async {
        Ok::<_, Infallible>(handler::handle(shared, connection, request).await)
    });
    let mut http =
        http1::Builder::new().title_case_headers(true).serve_connection(TokioIo::new(tap), service);
    let mut close_at: Option<Instant> = None;
    loop {
        let due = close_at.unwrap_or_else(Instant::now);
        tokio::select! {
            biased;
            Some(order) = inbox.recv() => match order {
                ConnectionOrder::CloseWhenIdle(after) => close_at = Some(Instant::now() + after),
                ConnectionOrder::TakeOver(takeover) => {
                    return takeover.run(http.into_parts().io.into_inner().into_inner()).await;
                }
            },
            () = sleep_until(due), if close_at.is_some() => {
                close_at = None;
                std::pin::Pin::new(&mut http).graceful_shutdown();
            }
            _ = &mut http => return,
        }
    }
}
