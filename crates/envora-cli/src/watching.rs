//! Watching an import: by its events, and by asking now and then where no events come through.

use core::time::Duration;

use envora_api::imports::{Import, ImportEvent};
use envora_api::media;
use envora_domain::decimal::group_thousands;
use envora_domain::id::ImportId;

use crate::client::Client;
use crate::failures::Failure;
use crate::progress::Sending;

/// How long nothing may be heard, not even that there is nothing new.
const SILENCE: Duration = Duration::from_secs(60);
/// How often the server is asked where it does not tell.
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// No event is longer.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// Waits until the rows of an import are no longer being read, and gives what it came to.
///
/// # Errors
/// The server's problem, or that there is no server.
pub(crate) async fn ended(
    client: &Client,
    sending: &Sending,
    id: ImportId,
) -> Result<Import, Failure> {
    // Whatever broke the events off, the import itself says whether that matters.
    drop(by_events(client, sending, id).await);
    loop {
        let import: Import = client.get(&format!("/imports/{id}"), &[]).await?;
        if import.status != "running" {
            return Ok(import);
        }
        moved(sending, &ImportEvent::of(&import));
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Moves the bar by events, up to the last one or to where they break off.
async fn by_events(client: &Client, sending: &Sending, id: ImportId) -> Result<(), Failure> {
    let path = format!("/imports/{id}/events");
    let mut answer = client.stream(&path, &[], media::EVENTS).await?;
    let mut events = Events::default();
    while let Ok(Ok(Some(part))) = tokio::time::timeout(SILENCE, answer.chunk()).await {
        events.add(&part);
        while let Some(event) = events.next() {
            moved(sending, &event);
            if event.status != "running" {
                return Ok(());
            }
        }
        if events.held.len() > EVENT_BYTES_MAX {
            break;
        }
    }
    Ok(())
}

fn moved(sending: &Sending, event: &ImportEvent) {
    sending.at(event.bytes_done);
    if event.rows > 0 {
        let count = |rows: u64| group_thousands(&rows.to_string());
        let refused = match event.counts.rejected {
            0 => String::new(),
            rows => format!(", {} rejected", count(rows)),
        };
        sending.tells(format!("checking and storing: {} rows{refused}", count(event.rows)));
    }
}

/// Events as they arrive, cut wherever the network cut them.
#[derive(Default)]
struct Events {
    held: Vec<u8>,
}

impl Events {
    fn add(&mut self, part: &[u8]) {
        self.held.extend_from_slice(part);
    }

    /// The next whole event; what tells nothing, such as a comment, is passed over.
    fn next(&mut self) -> Option<ImportEvent> {
        loop {
            let end = self.held.windows(2).position(|two| two == b"\n\n")?;
            let event: Vec<u8> = self.held.drain(..end + 2).collect();
            let data = event.split(|byte| *byte == b'\n').find_map(|line| {
                let data = line.strip_prefix(b"data:")?;
                Some(data.strip_prefix(b" ").unwrap_or(data))
            });
            if let Some(event) = data.and_then(|data| serde_json::from_slice(data).ok()) {
                return Some(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use envora_api::writes::Counts;
    use envora_domain::id::Id;

    use super::*;

    #[test]
    fn events_are_the_same_in_whatever_pieces_they_arrive() {
        let event = |status: &str, bytes_done| ImportEvent {
            id: Id::from_bytes([1; 16]),
            status: status.to_owned(),
            bytes: 100,
            bytes_arrived: 100,
            bytes_done,
            rows: 3,
            counts: Counts::default(),
            problem: None,
        };
        let all = [event("running", 7), event("succeeded", 100)];
        let [first, second] = all.each_ref().map(|event| serde_json::to_string(event).expect("it"));
        let text = format!(
            ": nothing new\n\nevent: import.progress\ndata: {first}\nid: a\nretry: 2000\n\n: nothing new\n\nevent: other\ndata: {{}}\n\nevent: import.finished\ndata:{second}\n\n: cut"
        );
        for piece in [1, 2, 3, 50, 10_000] {
            let (mut events, mut found) = (Events::default(), Vec::new());
            for part in text.as_bytes().chunks(piece) {
                events.add(part);
                found.extend(core::iter::from_fn(|| events.next()));
            }
            assert_eq!(found, all, "{piece}");
        }
    }
}
