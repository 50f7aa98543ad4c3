use super::{BusinessHours, Flow, When};
use jiff::tz::TimeZone;
use serde::Deserialize;
use sha2::{Digest, Sha256};

const SECOND: i64 = 1_000_000;
/// More than an hour is no longer a spread of starts but another timetable.
const MOST_JITTER: u32 = 3600;

/// The keys of `[schedule]` and of `[connection.schedule]`, as they were written. What is left out there is taken
/// from here, and what is left out here has a default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScheduleTable {
    orders: Option<When>,
    invoices: Option<When>,
    suppliers: Option<When>,
    accounts: Option<When>,
    dimensions: Option<When>,
    status_back: Option<When>,
    reconcile: Option<When>,
    time_zone: Option<TimeZone>,
    business_hours: Option<BusinessHours>,
    jitter_seconds: Option<u32>,
}

/// The texts before they are read: a fault then names its key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleText {
    orders: Option<String>,
    invoices: Option<String>,
    suppliers: Option<String>,
    accounts: Option<String>,
    dimensions: Option<String>,
    status_back: Option<String>,
    reconcile: Option<String>,
    time_zone: Option<String>,
    business_hours: Option<Vec<String>>,
    jitter_seconds: Option<u32>,
}

impl<'de> Deserialize<'de> for ScheduleTable {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = ScheduleText::deserialize(deserializer)?;
        Self::try_from(text).map_err(serde::de::Error::custom)
    }
}

impl TryFrom<ScheduleText> for ScheduleTable {
    type Error = String;

    fn try_from(text: ScheduleText) -> Result<Self, String> {
        let when = |flow: Flow, text: Option<String>| {
            text.map(|text| text.parse().map_err(|error| format!("schedule.{flow}: {error}")))
                .transpose()
        };
        let time_zone = text.time_zone.map(|name| {
            TimeZone::get(&name).map_err(|_| {
                format!("schedule.time_zone: `{name}` is not a time zone; write for example \"Europe/Oslo\"")
            })
        });
        let business_hours = text.business_hours.map(|texts| {
            BusinessHours::parse(texts.iter().map(String::as_str))
                .map_err(|error| format!("schedule.business_hours: {error}"))
        });
        if let Some(jitter) = text.jitter_seconds.filter(|jitter| *jitter > MOST_JITTER) {
            return Err(format!(
                "schedule.jitter_seconds: {jitter} is more than {MOST_JITTER}; write for example 60"
            ));
        }
        Ok(Self {
            orders: when(Flow::Orders, text.orders)?,
            invoices: when(Flow::Invoices, text.invoices)?,
            suppliers: when(Flow::Suppliers, text.suppliers)?,
            accounts: when(Flow::Accounts, text.accounts)?,
            dimensions: when(Flow::Dimensions, text.dimensions)?,
            status_back: when(Flow::StatusBack, text.status_back)?,
            reconcile: when(Flow::Reconcile, text.reconcile)?,
            time_zone: time_zone.transpose()?,
            business_hours: business_hours.transpose()?,
            jitter_seconds: text.jitter_seconds,
        })
    }
}

impl ScheduleTable {
    /// What counts where nothing is written. Documents by the five minutes; what they are judged by, by the half hour
    /// and before work begins.
    pub fn defaults() -> Self {
        let when = |text: &str| Some(text.parse().expect("the defaults are well written"));
        Self {
            orders: when("every 5 minutes"),
            invoices: when("every 5 minutes"),
            suppliers: when("every 30 minutes"),
            accounts: when("0 4 * * *"),
            dimensions: when("15 4 * * *"),
            status_back: when("every 15 minutes"),
            reconcile: when("30 4 * * *"),
            time_zone: None,
            business_hours: Some(BusinessHours::default()),
            jitter_seconds: Some(60),
        }
    }

    /// What is written here, and from `other` what is not.
    pub fn or(&self, other: &Self) -> Self {
        let when = |flow| self.when(flow).or_else(|| other.when(flow)).cloned();
        Self {
            orders: when(Flow::Orders),
            invoices: when(Flow::Invoices),
            suppliers: when(Flow::Suppliers),
            accounts: when(Flow::Accounts),
            dimensions: when(Flow::Dimensions),
            status_back: when(Flow::StatusBack),
            reconcile: when(Flow::Reconcile),
            time_zone: self.time_zone.as_ref().or(other.time_zone.as_ref()).cloned(),
            business_hours: self.business_hours.as_ref().or(other.business_hours.as_ref()).cloned(),
            jitter_seconds: self.jitter_seconds.or(other.jitter_seconds),
        }
    }

    fn when(&self, flow: Flow) -> Option<&When> {
        match flow {
            Flow::Orders => self.orders.as_ref(),
            Flow::Invoices => self.invoices.as_ref(),
            Flow::Suppliers => self.suppliers.as_ref(),
            Flow::Accounts => self.accounts.as_ref(),
            Flow::Dimensions => self.dimensions.as_ref(),
            Flow::StatusBack => self.status_back.as_ref(),
            Flow::Reconcile => self.reconcile.as_ref(),
        }
    }
}

/// When each flow of one connection runs, with nothing left open.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable {
    flows: [(Flow, When); 7],
    zone: TimeZone,
    hours: BusinessHours,
    /// Microseconds that each planned time lies behind what the text says.
    offset: i64,
}

impl Timetable {
    /// `zone` counts where the table names none: the company's. `unit` decides the jitter: connections that are polled
    /// together have the same.
    pub fn new(table: &ScheduleTable, zone: &TimeZone, unit: &str) -> Self {
        let whole = table.or(&ScheduleTable::defaults());
        Self {
            flows: Flow::ALL.map(|flow| (flow, whole.when(flow).cloned().unwrap_or(When::Never))),
            zone: whole.time_zone.unwrap_or_else(|| zone.clone()),
            hours: whole.business_hours.unwrap_or_default(),
            offset: offset(unit, whole.jitter_seconds.unwrap_or_default()),
        }
    }

    pub fn when(&self, flow: Flow) -> &When {
        let found = self.flows.iter().find(|(known, _)| *known == flow);
        &found.expect("every flow has an entry").1
    }

    /// How far behind the written times this unit runs, in microseconds.
    pub fn offset(&self) -> i64 {
        self.offset
    }

    /// The first planned time of a flow that lies after `after`.
    pub fn next_after(&self, flow: Flow, after: i64) -> Option<i64> {
        match self.when(flow) {
            When::Never => None,
            // The written time is looked for from `after` less the offset, so that none is skipped.
            cron @ When::Cron(_) => cron
                .next_on_the_wall(after.saturating_sub(self.offset), &self.zone)
                .map(|at| at + self.offset),
            When::Every(every) if self.hours.are_always() => {
                Some(next_step(0, self.offset % every, *every, after))
            }
            When::Every(every) => self.next_within_hours(*every, after),
        }
    }

    /// Counting begins anew with each opening, so that every opening has a run.
    fn next_within_hours(&self, every: i64, after: i64) -> Option<i64> {
        let mut from = after;
        // The window that holds `after` may have no step left; the one after it has one.
        for _ in 0..2 {
            let (opens, closes) = self.hours.open_at_or_after(from, &self.zone)?;
            let offset = (self.offset % every).min(closes - opens - 1);
            let next = next_step(opens, offset, every, after);
            if next < closes {
                return Some(next);
            }
            from = closes;
        }
        None
    }

    /// `at` itself if the flow may run then, else the next opening. Only what goes by `every` keeps to business hours: a cron
    /// expression says its own.
    pub fn allowed_from(&self, flow: Flow, at: i64) -> i64 {
        match self.when(flow) {
            When::Cron(_) | When::Never => at,
            When::Every(_) => {
                self.hours.open_at_or_after(at, &self.zone).map_or(at, |(opens, _)| opens.max(at))
            }
        }
    }
}

/// The first of `start + offset`, `+ every`, `+ every` ... that lies after `after`.
fn next_step(start: i64, offset: i64, every: i64, after: i64) -> i64 {
    let first = start + offset;
    if after < first {
        return first;
    }
    first + ((after - first).div_euclid(every) + 1) * every
}

/// The same for ever for one id, and spread evenly over many.
fn offset(unit: &str, jitter_seconds: u32) -> i64 {
    let hash = Sha256::digest(unit.as_bytes());
    let number = u64::from_be_bytes(hash[..8].try_into().expect("a hash has 32 bytes"));
    let most = u64::from(jitter_seconds) * u64::try_from(SECOND).unwrap_or(1);
    if most == 0 { 0 } else { i64::try_from(number % most).unwrap_or(0) }
}
