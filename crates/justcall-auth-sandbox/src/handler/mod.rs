//! Handles one request to the simulated service: records it, applies a fault, answers it.

mod strike;
mod upload;

pub(crate) use strike::instead_of_handshake;

use std::net::IpAddr;

use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};

use crate::api::{self, Call};
use crate::shared::Shared;
use crate::state::{FaultKind, RequestRecord};
use crate::wire::{ConnectionHandle, Head, Payload, Reply};
use upload::Upload;

/// A request that is being answered.
struct ServedRequest<'a> {
    shared: &'a Shared,
    connection: &'a ConnectionHandle,
    /// The number of its record.
    n: u64,
    call: Call,
}

/// Answers one request, or ends the connection instead.
pub(crate) async fn handle(
    shared: &Shared,
    connection: &ConnectionHandle,
    request: Request<Incoming>,
) -> Response<Payload> {
    let (parts, body) = request.into_parts();
    let call = Call {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        head: connection.tap.take_head().unwrap_or_default(),
        body: Bytes::new(),
        peer: connection.peer,
    };
    let (exchange, fault) = ServedRequest::begin(shared, connection, call);
    exchange.answer(body, fault).await.unwrap_or_else(Reply::into_response)
}

/// Records a head that broke off.
pub(crate) fn record_broken(shared: &Shared, peer: IpAddr, connection: u64, head: &Head) {
    let request = record(shared, peer, connection, head);
    shared.state().add_broken_request(request);
}

/// Returns the record of a head, complete or not.
fn record(shared: &Shared, peer: IpAddr, connection: u64, head: &Head) -> RequestRecord {
    let (method, target) = head.method_and_target();
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    RequestRecord {
        t_ms: shared.elapsed_ms(),
        connection,
        peer: Some(peer),
        client: head.value("x-justcall-client").or_else(|| head.value("user-agent")).map(str::to_owned),
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.map(str::to_owned),
        request_id: head.value("x-request-id").map(str::to_owned),
        header_names: head.names().map(str::to_owned).collect(),
        raw_head: head.redacted(),
        ..RequestRecord::default()
    }
}

impl<'a> ServedRequest<'a> {
    /// Records the request. Returns it with the fault that strikes it, if any.
    fn begin(shared: &'a Shared, connection: &'a ConnectionHandle, call: Call) -> (Self, Option<FaultKind>) {
        let request = RequestRecord {
            method: call.method.clone(),
            path: call.path.clone(),
            query: call.query.clone(),
            ..record(shared, connection.peer, connection.number, &call.head)
        };
        let (n, fault) = shared.state().begin_request(request, call.head.authorization());
        (Self { shared, connection, n, call }, fault)
    }

    /// Answers the request after reading as much of its body as the answer needs. Fails if the body is refused.
    async fn answer(mut self, body: Incoming, fault: Option<FaultKind>) -> Result<Response<Payload>, Reply> {
        let mut upload = Upload::new(self.shared, self.n, body);
        if let Some((kind, after)) = fault.as_ref().and_then(|kind| Some((kind, kind.strikes_after()?))) {
            upload.take(after).await.map_err(|refusal| self.noted(refusal))?;
            if let Some(takeover) = self.strike_early(kind) {
                return Ok(self.connection.take_over(takeover).await);
            }
        }
        upload.take(usize::MAX).await.map_err(|refusal| self.noted(refusal))?;
        self.call.body = upload.into_bytes();
        match fault {
            None => Ok(self.normal().into_response()),
            Some(kind) => Ok(self.strike(kind).await),
        }
    }

    /// Returns the service's own answer.
    fn normal(&self) -> Reply {
        self.noted(api::answer(self.shared, &self.call))
    }

    /// Records the status of the answer, and returns the answer.
    fn noted(&self, reply: Reply) -> Reply {
        self.shared.state().set_status(self.n, reply.status);
        reply
    }
}
