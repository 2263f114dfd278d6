//! Faults of one call: it is lost before the server executes it, its answer is lost, or it is
//! refused.

use std::time::Duration;

use roomform::imbachat::{Cause, Delivery, Failure};

/// The fault of a write call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    NoConnection,
    WrongCertificate,
    Later,
    LaterWith(u64),
    Refused,
    Denied,
    ErrorBefore,
    ErrorAfter,
    CutBefore,
    CutAfter,
    /// No answer in time; the server may still execute the call.
    TimeOut,
    TimeOutAfter,
    Garbage,
    Huge,
}

impl Fault {
    pub const ALL: [Self; 14] = [
        Self::NoConnection,
        Self::WrongCertificate,
        Self::Later,
        Self::LaterWith(7),
        Self::Refused,
        Self::Denied,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::CutBefore,
        Self::CutAfter,
        Self::TimeOut,
        Self::TimeOutAfter,
        Self::Garbage,
        Self::Huge,
    ];

    /// Whether the server executed the call.
    pub fn commits(self) -> bool {
        matches!(
            self,
            Self::ErrorAfter | Self::CutAfter | Self::TimeOutAfter | Self::Garbage | Self::Huge
        )
    }

    /// The failure that the sender sees.
    pub fn failure(self) -> Failure {
        let of = |cause| Failure::from_cause(cause, "simulated");
        match self {
            Self::NoConnection => of(Cause::NoConnection),
            Self::WrongCertificate => of(Cause::Tls),
            Self::Later => of(Cause::Status(429)),
            Self::LaterWith(seconds) => Failure {
                retry_after: Some(Duration::from_secs(seconds)),
                ..of(Cause::Status(429))
            },
            Self::Refused => of(Cause::Status(422)),
            Self::Denied => of(Cause::Status(401)),
            Self::ErrorBefore | Self::ErrorAfter => of(Cause::Status(500)),
            Self::CutBefore | Self::CutAfter => of(Cause::Cut),
            Self::TimeOut | Self::TimeOutAfter => of(Cause::NoAnswer),
            Self::Garbage => of(Cause::Unreadable),
            Self::Huge => Failure::lasting(Delivery::Uncertain, "simulated"),
        }
    }

    /// The name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoConnection => "no connection",
            Self::WrongCertificate => "a wrong certificate",
            Self::Later => "429",
            Self::LaterWith(_) => "429 with Retry-After",
            Self::Refused => "422",
            Self::Denied => "401",
            Self::ErrorBefore => "500 before the commit",
            Self::ErrorAfter => "500 after the commit",
            Self::CutBefore => "cut before the commit",
            Self::CutAfter => "cut after the commit",
            Self::TimeOut => "time-out before the commit",
            Self::TimeOutAfter => "time-out after the commit",
            Self::Garbage => "garbage after the commit",
            Self::Huge => "a huge answer",
        }
    }

    /// Milliseconds until the sender gives up.
    pub fn delay(self) -> u64 {
        match self {
            Self::TimeOut | Self::TimeOutAfter => 30_000,
            _ => 1,
        }
    }
}
