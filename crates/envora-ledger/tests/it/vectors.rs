//! The vectors of `docs/formats/`, recomputed: what the page prints is what the code writes.

use envora_domain::hash::{Digest, hex};
use envora_ledger::leaf::{Ack, Deed, Leaf};

use crate::log::{Log, ORIGIN};

pub(crate) fn page(name: &str) -> String {
    let path = format!("../../docs/formats/{name}");
    std::fs::read_to_string(path).unwrap()
}

#[track_caller]
pub(crate) fn prints(page: &str, what: &str) {
    assert!(page.contains(what), "the page does not print {what}");
}

#[test]
fn the_leaf_page_prints_our_bytes() {
    let leaf = Leaf {
        object: Some([0x11; 16]),
        digest: Some(Digest([0x22; 32])),
        count: Some(8_760),
        ack: Some(Ack::Local),
        epoch: Some(1),
        actor: Some([0x33; 16]),
        prev: Some(41),
        ..Leaf::new(Deed::Segment, 42, 1_672_531_200_000)
    };
    let page = page("leaf.md");
    prints(&page, &hex(&leaf.encode()));
    prints(&page, &leaf.hash().hex());
    let least = Leaf::new(Deed::Config, 0, 0);
    prints(&page, &hex(&least.encode()));
    prints(&page, &least.hash().hex());
    for deed in Deed::ALL {
        prints(&page, &format!("| {} | `{}` |", deed.code(), deed.as_str()));
    }
}

#[test]
fn the_checkpoint_page_prints_our_note() {
    let log = Log::of(3);
    let page = page("checkpoint.md");
    prints(&page, ORIGIN);
    prints(&page, &log.key().to_string());
    prints(&page, &log.checkpoint(3));
    for leaf in &log.leaves {
        prints(&page, &hex(leaf));
    }
    for node in &log.entry(1, 3).path {
        prints(&page, &node.hex());
    }
    for node in &log.growth(2, 3).path {
        prints(&page, &node.hex());
    }
}
