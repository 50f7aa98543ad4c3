use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use ml_connector::sync::Progress;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Bars on stderr, only when it is a terminal.
pub struct Bars {
    multi: MultiProgress,
    bars: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    pub fn shared() -> Arc<Self> {
        let multi = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Arc::new(Self { multi, bars: Mutex::new(HashMap::new()) })
    }
}

impl Progress for Bars {
    fn begin(&self, flow: &str, total: Option<u64>) {
        let bar = match total {
            Some(total) => ProgressBar::new(total).with_style(
                ProgressStyle::with_template("{msg:<28} {bar:30} {pos}/{len}")
                    .expect("a valid template"),
            ),
            None => ProgressBar::new_spinner().with_style(
                ProgressStyle::with_template("{msg:<28} {spinner} {pos}")
                    .expect("a valid template"),
            ),
        };
        let bar = self.multi.add(bar.with_message(flow.to_owned()));
        bar.enable_steady_tick(Duration::from_millis(120));
        self.bars.lock().expect("no holder panics").insert(flow.to_owned(), bar);
    }

    fn advance(&self, flow: &str, n: u64) {
        if let Some(bar) = self.bars.lock().expect("no holder panics").get(flow) {
            bar.inc(n);
        }
    }

    fn end(&self, flow: &str) {
        if let Some(bar) = self.bars.lock().expect("no holder panics").remove(flow) {
            bar.finish_and_clear();
        }
    }
}
