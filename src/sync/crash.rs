//! Named places where a process can be made to die, for the tests that kill it there.
//!
//! Only in builds with debug assertions, and only when `ML_CONNECTOR_CRASH_AT` names a place, as
//! `NAME` or `NAME:N` for the N-th time it is passed. Dying is an abort: nothing is unwound, no
//! buffer flushed, as when the power goes.

macro_rules! crash_points {
    ($($variant:ident => $name:literal),+ $(,)?) => {
        /// A place between two steps that must not be lost.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum CrashPoint { $($variant),+ }

        impl CrashPoint {
            /// All of them: a test walks this list, so a new point is tested without being named there.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

crash_points! {
    OwnershipTaken => "ownership.taken",
    RecoveredIntended => "recover.intended",
    ReferenceKept => "reference.kept",
    IndexPageKept => "index.page_kept",
    IndexWatermarkMoved => "index.watermark_moved",
    ReceivePageRead => "receive.page_read",
    ReceivePageKept => "receive.page_kept",
    ReceiveBeforeWatermark => "receive.before_watermark",
    ReceiveWatermarkMoved => "receive.watermark_moved",
    DecisionMade => "decide.made",
    DecisionKept => "decide.kept",
    PostingBeforeIntent => "post.before_intent",
    PostingIntended => "post.intended",
    PostingAnswered => "post.answered",
    PostingOutcomeKept => "post.outcome_kept",
    SettleFound => "settle.found",
    SettleKept => "settle.kept",
    CompareMade => "compare.made",
    CompareKept => "compare.kept",
    AuditHeadMoved => "audit.head_moved",
    RoundKept => "round.kept",
}

impl CrashPoint {
    /// Dies here if told to.
    #[inline]
    pub fn pass(self) {
        #[cfg(debug_assertions)]
        armed::pass(self.name());
    }
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static TARGET: OnceLock<Option<(String, u32)>> = OnceLock::new();
    static PASSED: AtomicU32 = AtomicU32::new(0);

    pub(super) fn pass(name: &str) {
        let target = TARGET.get_or_init(|| {
            let value = std::env::var("ML_CONNECTOR_CRASH_AT").ok()?;
            Some(match value.split_once(':') {
                Some((name, n)) => (name.to_owned(), n.parse().unwrap_or(1)),
                None => (value, 1),
            })
        });
        if let Some((target, times)) = target
            && target == name
            && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *times
        {
            std::process::abort();
        }
    }
}
