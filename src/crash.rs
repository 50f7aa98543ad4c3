//! Named places where a process can be made to die, for the tests that kill it there.
//!
//! Only in builds with debug assertions, and only when `ML_CONNECTOR_CRASH_AT` names a place, as
//! `NAME` or `NAME:N` for the N-th time it is passed; of several with commas between, the first
//! that is reached. Dying is an abort: nothing is unwound, no buffer flushed, as when the power goes.

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
    TakenBackSeen => "correct.taken_back",
    AnewKept => "correct.anew",
    SettleFound => "settle.found",
    SettleKept => "settle.kept",
    CompareMade => "compare.made",
    CompareKept => "compare.kept",
    AuditHeadMoved => "audit.head_moved",
    CommitDurable => "commit.durable",
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

    struct Target {
        name: String,
        /// Passes until the end.
        left: AtomicU32,
    }

    static TARGETS: OnceLock<Vec<Target>> = OnceLock::new();

    fn targets() -> Vec<Target> {
        let value = std::env::var("ML_CONNECTOR_CRASH_AT").unwrap_or_default();
        value
            .split(',')
            .filter(|target| !target.is_empty())
            .map(|target| {
                let (name, times) = target.split_once(':').unwrap_or((target, "1"));
                let left = AtomicU32::new(times.parse().unwrap_or(1));
                Target { name: name.to_owned(), left }
            })
            .collect()
    }

    pub(super) fn pass(name: &str) {
        for target in TARGETS.get_or_init(targets) {
            if target.name == name && target.left.fetch_sub(1, Ordering::SeqCst) == 1 {
                std::process::abort();
            }
        }
    }
}
