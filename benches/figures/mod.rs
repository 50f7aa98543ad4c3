//! What the kernel tells of a process. Linux only: it reads `/proc`.

use super::Failure;
use std::time::Duration;

/// The kernel counts a process's time in hundredths of a second, whatever its own clock.
const TICK: Duration = Duration::from_millis(10);

/// The largest resident set so far, in KiB; none of a process that has ended.
pub fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// Whether it has ended, and its user and system time.
pub fn times_of(stat: &str) -> Result<(bool, Duration), Failure> {
    // The name, in parentheses, may hold anything; the state follows the last of them.
    let (_, after) = stat.rsplit_once(") ").ok_or("a process without a state")?;
    let fields: Vec<&str> = after.split(' ').collect();
    let ticks = |field: usize| -> Result<u32, Failure> {
        Ok(fields.get(field).ok_or("a process without times")?.parse()?)
    };
    Ok((matches!(fields[0], "Z" | "X"), TICK * (ticks(11)? + ticks(12)?)))
}
