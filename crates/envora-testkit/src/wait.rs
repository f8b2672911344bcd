//! Waiting for something to become true, in place of sleeping for as long as it usually takes.

use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(5);
const TRIES: u32 = 6_000;

/// Asks again and again until there is an answer; fails the test after about 30 seconds.
///
/// # Panics
/// When there is none.
#[track_caller]
pub fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    for _ in 0..TRIES {
        if let Some(answer) = ask() {
            return answer;
        }
        std::thread::sleep(PAUSE);
    }
    let answer: Option<T> = None;
    answer.ok_or_else(|| format!("waited too long for {what}")).unwrap()
}

/// Says that a tier of tests did not run, and what it would take.
pub fn skipped(what: &str, remedy: &str) {
    #[expect(clippy::print_stdout, reason = "a tier that did not run says so")]
    {
        println!("SKIPPED {what}: {remedy}");
    }
}
