//! One connection, from accept to its end.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Response;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use crate::fault::{BadCertificate, Kind};
use crate::payload::Payload;
use crate::requests::Arrival;
use crate::shared::Shared;
use crate::stream::{Stream, Takeover};
use crate::tap::{Tap, TapHandle};
use crate::{control_http, handler};

/// Who answers on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The pretended service.
    Api,
    /// The control calls: on a port of their own, so that no fault of a connection can strike them.
    Control,
}

/// What a handler knows of the connection that its request came by.
pub(crate) struct Connection {
    pub(crate) shared: Arc<Shared>,
    pub(crate) peer: IpAddr,
    /// From 1, in the order of connecting.
    pub(crate) number: u64,
    pub(crate) tap: TapHandle,
    orders: mpsc::UnboundedSender<Order>,
}

enum Order {
    TakeOver(Takeover),
    CloseWhenIdle(Duration),
}

impl Connection {
    /// Ends HTTP on the connection, instead of answering. Never resolves.
    pub(crate) async fn take_over(&self, takeover: Takeover) -> Response<Payload> {
        // Should the connection have ended meanwhile, this future is about to be dropped as well.
        let _ = self.orders.send(Order::TakeOver(takeover));
        std::future::pending().await
    }

    /// The body, with the order to close the connection so long after it has been sent.
    pub(crate) fn then_close(&self, body: Payload, after: Duration) -> Payload {
        let orders = self.orders.clone();
        body.at_end(move || drop(orders.send(Order::CloseWhenIdle(after))))
    }
}

/// Serves one accepted connection to its end.
pub(crate) async fn serve(shared: Arc<Shared>, tcp: TcpStream, peer: IpAddr, role: Role) {
    // It fails only on a socket that has ended already.
    let _ = tcp.set_nodelay(true);
    match role {
        Role::Control => {
            if let Some(stream) = handshake(&shared, tcp, None).await {
                serve_control(shared, stream).await;
            }
        }
        Role::Api => {
            let (number, _open) = shared.next_connection();
            if let Some(stream) = open(&shared, tcp).await {
                serve_api(&shared, stream, peer, number).await;
            }
        }
    }
}

/// The handshake of a connection to the API, with the fault that strikes it, if any.
async fn open(shared: &Shared, mut tcp: TcpStream) -> Option<Stream> {
    let strike = shared.state().faults.strike_connection();
    match strike.map(|strike| strike.kind) {
        Some(Kind::HangHandshake {}) => {
            let mut scrap = [0; 4096];
            while matches!(tcp.read(&mut scrap).await, Ok(1..)) {}
            None
        }
        Some(Kind::SlowHandshake { ms }) => {
            sleep(Duration::from_millis(ms)).await;
            handshake(shared, tcp, None).await
        }
        Some(Kind::Tls { certificate }) => handshake(shared, tcp, Some(certificate)).await,
        Some(Kind::ResetBeforeRequest {}) => {
            handshake(shared, tcp, None).await?.reset();
            None
        }
        _ => handshake(shared, tcp, None).await,
    }
}

async fn handshake(shared: &Shared, tcp: TcpStream, bad: Option<BadCertificate>) -> Option<Stream> {
    match &shared.certificates {
        None => Some(Stream::Plain(tcp)),
        Some(certificates) => {
            let tls = certificates.acceptor(bad).accept(tcp).await.ok()?;
            Some(Stream::Tls(Box::new(tls)))
        }
    }
}

async fn serve_control(shared: Arc<Shared>, stream: Stream) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(control_http::handle(&shared, request).await) }
    });
    // An error is the peer's doing, and the peer sees it too.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn serve_api(shared: &Arc<Shared>, stream: Stream, peer: IpAddr, number: u64) {
    let (tap, handle) = Tap::new(stream);
    let (orders, inbox) = mpsc::unbounded_channel();
    let connection = Connection { shared: Arc::clone(shared), peer, number, tap: handle.clone(), orders };
    serve_http(Arc::new(connection), tap, inbox).await;
    if let Some(head) = handle.unfinished_head() {
        let t_ms = shared.elapsed_ms();
        shared.state().requests.arrived(Arrival { t_ms, connection: number, ..Arrival::of(&head) });
    }
}

async fn serve_http(connection: Arc<Connection>, tap: Tap, mut inbox: mpsc::UnboundedReceiver<Order>) {
    let service = service_fn(move |request| {
        let connection = Arc::clone(&connection);
        async move { Ok::<_, Infallible>(handler::handle(&connection, request).await) }
    });
    let mut http =
        http1::Builder::new().title_case_headers(true).serve_connection(TokioIo::new(tap), service);
    let mut close_at: Option<Instant> = None;
    loop {
        let due = close_at.unwrap_or_else(Instant::now);
        tokio::select! {
            biased;
            Some(order) = inbox.recv() => match order {
                Order::CloseWhenIdle(after) => close_at = Some(Instant::now() + after),
                Order::TakeOver(takeover) => {
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
