//! The state machine of a call: one that sends, or one that only reads the source.

use std::time::Duration;

use justcall_auth_protocol::error::Error;
use justcall_auth_protocol::event::Event;
use justcall_auth_protocol::keyring::SourceRead;
use justcall_auth_protocol::{Action, Exchange, Moment, Refresh, RefreshAction};

/// The state machine of a call.
#[derive(Debug)]
pub(crate) enum Machine {
    Exchange(Box<Exchange>),
    Refresh(Refresh),
}

impl Machine {
    pub(crate) fn sends(exchange: Exchange) -> Self {
        Self::Exchange(Box::new(exchange))
    }

    pub(crate) fn next(&mut self, now: &Moment) -> Result<Action, Error> {
        match self {
            Self::Exchange(exchange) => exchange.next(now),
            Self::Refresh(refresh) => refresh.next(now).map(|action| match action {
                RefreshAction::Load => Action::Load,
                RefreshAction::Wait(wait) => Action::Wait(wait),
                RefreshAction::Done(_) => Action::Done,
            }),
        }
    }

    pub(crate) fn loaded(&mut self, result: Result<SourceRead, Error>, now: &Moment) -> bool {
        match self {
            Self::Exchange(exchange) => exchange.loaded(result, now),
            Self::Refresh(refresh) => refresh.loaded(result, now),
        }
    }

    pub(crate) fn cancel(&mut self, error: Error) {
        match self {
            Self::Exchange(exchange) => exchange.cancel(error),
            Self::Refresh(refresh) => refresh.cancel(error),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        match self {
            Self::Exchange(exchange) => exchange.deadline(),
            Self::Refresh(refresh) => refresh.deadline(),
        }
    }

    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        match self {
            Self::Exchange(exchange) => exchange.take_events(),
            Self::Refresh(refresh) => refresh.take_events(),
        }
    }

    /// The call that sends: no other one has a request.
    pub(crate) fn sending(&mut self) -> &mut Exchange {
        match self {
            Self::Exchange(exchange) => exchange,
            Self::Refresh(_) => panic!("a refresh sends nothing"),
        }
    }
}
