//! The handler's access to the connection of its request.

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
    /// The number of the connection, from 1.
    pub(crate) number: u64,
    pub(crate) tap: TapHandle,
    orders: mpsc::UnboundedSender<ConnectionOrder>,
}

/// An order of a handler to its connection.
pub(crate) enum ConnectionOrder {
    TakeOver(Takeover),
    CloseWhenIdle(Duration),
}

impl ConnectionHandle {
    /// Creates a handle. Returns it with the receiver of its orders.
    pub(crate) fn new(
        peer: IpAddr,
        number: u64,
        tap: TapHandle,
    ) -> (Self, mpsc::UnboundedReceiver<ConnectionOrder>) {
        let (orders, inbox) = mpsc::unbounded_channel();
        (Self { peer, number, tap, orders }, inbox)
    }

    /// Ends HTTP on the connection instead of answering. Never resolves.
    pub(crate) async fn take_over(&self, takeover: Takeover) -> Response<Payload> {
        // If the connection has ended, this future is dropped as well.
        let _ = self.orders.send(ConnectionOrder::TakeOver(takeover));
        std::future::pending().await
    }

    /// Returns a body that closes the connection `after` it was sent.
    pub(crate) fn then_close(&self, body: Payload, after: Duration) -> Payload {
        let orders = self.orders.clone();
        body.at_end(move || drop(orders.send(ConnectionOrder::CloseWhenIdle(after))))
    }
}
