//! Waiting for something to become true, in place of sleeping for as long as it usually takes.

use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(5);
const TRIES: u32 = 6_000;

/// Asks again and again until there is an answer, for about so long.
pub fn within<T>(time: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let tries = time.as_millis() / PAUSE.as_millis() + 1;
    (0..tries).find_map(|_| {
        let answer = ask();
        if answer.is_none() {
            std::thread::sleep(PAUSE);
        }
        answer
    })
}

/// Asks again and again until there is an answer; fails the test after about 30 seconds.
///
/// # Panics
/// When there is none.
#[track_caller]
pub fn wait_for<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    let answer = within(PAUSE * TRIES, ask);
    answer.ok_or_else(|| format!("waited too long for {what}")).unwrap()
}

/// Says that a tier of tests did not run, and what it would take.
pub fn skipped(what: &str, remedy: &str) {
    #[expect(clippy::print_stdout, reason = "a tier that did not run says so")]
    {
        println!("SKIPPED {what}: {remedy}");
    }
}
