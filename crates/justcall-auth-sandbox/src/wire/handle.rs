//! What the handler of a request may do to the connection that the request came by.

use std::net::IpAddr;
use std::time::Duration;

use hyper::Response;
use tokio::sync::mpsc;

use super::payload::Payload;
use super::stream::Takeover;
use super::tap::TapHandle;

/// A connection as the handlers of its requests see it.
pub(crate) struct ConnectionHandle {
    pub(crate) peer: IpAddr,
    /// From 1, in the order of connecting.
    pub(crate) number: u64,
    pub(crate) tap: TapHandle,
    orders: mpsc::UnboundedSender<ConnectionOrder>,
}

/// What a handler wants of its connection.
pub(crate) enum ConnectionOrder {
    TakeOver(Takeover),
    CloseWhenIdle(Duration),
}

impl ConnectionHandle {
    /// Returns a handle, and where its orders arrive.
    pub(crate) fn new(
        peer: IpAddr,
        number: u64,
        tap: TapHandle,
    ) -> (Self, mpsc::UnboundedReceiver<ConnectionOrder>) {
        let (orders, inbox) = mpsc::unbounded_channel();
        (Self { peer, number, tap, orders }, inbox)
    }

    /// Ends HTTP on the connection, instead of answering. Never resolves.
    pub(crate) async fn take_over(&self, takeover: Takeover) -> Response<Payload> {
        // Should the connection have ended meanwhile, this future is about to be dropped as well.
        let _ = self.orders.send(ConnectionOrder::TakeOver(takeover));
        std::future::pending().await
    }

    /// Returns the body, with the order to close the connection so long after it has been sent.
    pub(crate) fn then_close(&self, body: Payload, after: Duration) -> Payload {
        let orders = self.orders.clone();
        body.at_end(move || drop(orders.send(ConnectionOrder::CloseWhenIdle(after))))
    }
}
