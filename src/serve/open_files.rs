//! How many files and sockets the process may have open at a time.

use crate::config::Config;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The store, the listener and who asks there, and what the runtime itself has open.
const OWN: u64 = 64;

/// Raises the soft limit to the hard one, and says so where even that is too little for this
/// configuration. The soft one is low by custom, for programs that ask `select`; this is none.
pub(super) fn raise(config: &Config) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let allowed = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        // A sandbox around the process may forbid it: it goes on with what it has.
        Err(_) => limit.current,
    };
    let needed = needed(sockets(config));
    if let Some(allowed) = allowed.filter(|allowed| *allowed < needed) {
        tracing::warn!(
            allowed,
            needed,
            "the process may have {allowed} files and sockets open, and the {} of this configuration may need {needed}: \
             calls will fail when all are at work; raise the hard limit (systemd: LimitNOFILE)",
            match config.connections.len() {
                1 => "one connection".to_owned(),
                count => format!("{count} connections"),
            }
        );
    }
}

/// Each source and company has as many sockets as it has requests at a time, and one to sign in.
fn sockets(config: &Config) -> impl Iterator<Item = usize> {
    let sources = config.sources.iter().map(|source| source.concurrent_requests);
    sources.chain(config.companies.iter().map(|company| company.concurrent_requests))
}

fn needed(sockets: impl Iterator<Item = usize>) -> u64 {
    sockets.fold(OWN, |sum, requests| {
        sum.saturating_add(u64::try_from(requests).unwrap_or(u64::MAX)).saturating_add(1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_and_company_counts() {
        assert_eq!(needed([].into_iter()), OWN);
        assert_eq!(needed([4, 4].into_iter()), OWN + 10);
        // Three hundred connections as they come need more than the soft limit that is usual.
        assert!(needed(std::iter::repeat_n(4, 600)) > 1024);
        assert_eq!(needed([usize::MAX, 1].into_iter()), u64::MAX);
    }
}
