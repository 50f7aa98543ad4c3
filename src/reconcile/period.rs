use jiff::ToSpan;
use jiff::civil::Date;
use std::fmt;
use std::str::FromStr;

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    first: Date,
}

impl Month {
    pub fn of(day: Date) -> Self {
        Self { first: day.first_of_month() }
    }

    pub fn first(self) -> Date {
        self.first
    }

    pub fn before(self) -> Self {
        Self { first: self.first.saturating_sub(1.month()) }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no month: write it as 2026-03");
        if text.len() != 7 {
            return Err(wrong());
        }
        let first = format!("{text}-01").parse::<Date>().map_err(|_| wrong())?;
        Ok(Self { first })
    }
}

/// Which documents a reconciliation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// Dated in this month.
    Month(Month),
    /// Everything that was ever received. What people keyed into Visma counts from this day on.
    All { from: Date },
}

impl Period {
    /// Whether a document of ours or of JAGGAER's belongs to it.
    pub fn holds(self, day: Date) -> bool {
        match self {
            Self::Month(month) => Month::of(day) == month,
            Self::All { .. } => true,
        }
    }

    /// Whether a document that is Visma's alone belongs to it.
    pub fn holds_of_visma(self, day: Option<Date>) -> bool {
        match self {
            Self::Month(month) => day.is_some_and(|day| Month::of(day) == month),
            Self::All { from } => day.is_none_or(|day| day >= from),
        }
    }
}

/// `2026-03` or `all`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month(month) => month.fmt(f),
            Self::All { .. } => f.write_str("all"),
        }
    }
}
