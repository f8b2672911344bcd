//! P09: audit proofs hold. Every entry is included, every checkpoint is consistent with every later
//! one, and nothing that was changed is believed.

use std::process::Command;

use envora_domain::hash::{Digest, leaf_hash};
use envora_domain::planted;
use envora_ledger::note::VerifierKey;
use envora_ledger::proof::{
    Growth, Inclusion, ProofError, consistency_proof, inclusion_proof, verify_consistency,
    verify_inclusion,
};
use envora_ledger::verify::{EntryProof, GrowthProof, verify_entry, verify_growth};

use crate::log::Log;

const SIZE: u64 = 300;

/// A small generator with a seed: the same mutants each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    fn flip(&mut self, bytes: &mut [u8]) {
        let place = self.below(bytes.len());
        bytes[place] ^= 1 << self.below(8);
    }
}

#[test]
fn p09_every_entry_is_included_at_every_size() {
    let log = Log::of(SIZE);
    let node = |level, index| log.node(level, index);
    for size in 1..=SIZE {
        for index in 0..size {
            let path = inclusion_proof(index, size, &node).unwrap();
            let leaf = leaf_hash(&log.leaves[usize::try_from(index).unwrap()]);
            let inclusion = Inclusion { leaf, index, size };
            assert_eq!(verify_inclusion(&inclusion, &path, &log.root(size)), Ok(()));
        }
    }
    assert_eq!(inclusion_proof(SIZE, SIZE, &node), Err(ProofError::OutOfRange));
}

#[test]
fn p09_every_pair_of_sizes_is_consistent() {
    let log = Log::of(SIZE);
    let node = |level, index| log.node(level, index);
    for new_size in 0..=SIZE {
        for old_size in 0..=new_size {
            let path = consistency_proof(old_size, new_size, &node).unwrap();
            let growth = Growth {
                old_size,
                old_root: log.root(old_size),
                new_size,
                new_root: log.root(new_size),
            };
            assert_eq!(verify_consistency(&growth, &path), Ok(()), "{old_size} {new_size}");
        }
    }
    assert_eq!(consistency_proof(2, 1, &node), Err(ProofError::OutOfRange));
}

#[test]
fn p09_a_missing_node_is_told_and_not_invented() {
    let log = Log::of(8);
    let node = |level, index| log.node(level, index).filter(|_| (level, index) != (1, 1));
    let missing = Err(ProofError::NodeMissing { level: 1, index: 1 });
    assert_eq!(inclusion_proof(0, 8, &node), missing);
}

#[test]
fn p09_audit_proofs_hold() {
    let log = Log::of(SIZE);
    let keys = [log.key()];
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut mutants = 0;
    for _ in 0..700 {
        let size = 5 + u64::try_from(dice.below(295)).unwrap();
        let index = u64::try_from(dice.below(usize::try_from(size).unwrap())).unwrap();
        let entry = log.entry(index, size);
        assert!(verify_entry(&entry, &keys).is_ok(), "{index} of {size}");
        for mutant in entry_mutants(&log, &entry, (index, size), &mut dice) {
            assert!(verify_entry(&mutant, &keys).is_err(), "{index} of {size}: {mutant:?}");
            mutants += 1;
        }
        let (old, new) = (index.max(1), size + 1);
        let growth = log.growth(old.min(SIZE), new.min(SIZE));
        assert!(verify_growth(&growth, &keys).is_ok(), "{old} to {new}");
        for mutant in growth_mutants(&log, &growth, old, &mut dice) {
            assert!(verify_growth(&mutant, &keys).is_err(), "{old} to {new}: {mutant:?}");
            mutants += 1;
        }
    }
    assert!(mutants >= 10_000, "only {mutants} mutants");
}

fn entry_mutants(
    log: &Log,
    entry: &EntryProof,
    (index, size): (u64, u64),
    dice: &mut Dice,
) -> Vec<EntryProof> {
    let mut mutants = Vec::new();
    let mut mutate = |change: &mut dyn FnMut(&mut EntryProof)| {
        let mut mutant = entry.clone();
        change(&mut mutant);
        if mutant != *entry {
            mutants.push(mutant);
        }
    };
    for _ in 0..3 {
        mutate(&mut |mutant| dice.flip(&mut mutant.leaf));
        mutate(&mut |mutant| mutant.checkpoint = flipped_text(&mutant.checkpoint, dice));
        mutate(&mut |mutant| {
            let place = dice.below(mutant.path.len());
            dice.flip(&mut mutant.path[place].0);
        });
    }
    mutate(&mut |mutant| {
        mutant.leaf.pop();
    });
    mutate(&mut |mutant| mutant.leaf.push(0));
    mutate(&mut |mutant| {
        mutant.path.pop();
    });
    mutate(&mut |mutant| {
        mutant.path.remove(0);
    });
    mutate(&mut |mutant| mutant.path.push(Digest([0; 32])));
    mutate(&mut |mutant| mutant.path.reverse());
    mutate(&mut |mutant| mutant.path.clear());
    let other = usize::try_from((index + 1) % size).unwrap();
    mutate(&mut |mutant| mutant.leaf = log.leaves[other].clone());
    mutate(&mut |mutant| mutant.checkpoint = log.checkpoint(size - 1));
    mutants
}

fn growth_mutants(log: &Log, growth: &GrowthProof, old: u64, dice: &mut Dice) -> Vec<GrowthProof> {
    let mut mutants = Vec::new();
    let mut mutate = |change: &mut dyn FnMut(&mut GrowthProof)| {
        let mut mutant = growth.clone();
        change(&mut mutant);
        if mutant != *growth {
            mutants.push(mutant);
        }
    };
    mutate(&mut |mutant| mutant.path.push(Digest([0; 32])));
    mutate(&mut |mutant| mutant.path.reverse());
    mutate(&mut |mutant| {
        mutant.path.pop();
    });
    mutate(&mut |mutant| mutant.old = flipped_text(&mutant.old, dice));
    mutate(&mut |mutant| mutant.new = flipped_text(&mutant.new, dice));
    mutate(&mut |mutant| core::mem::swap(&mut mutant.old, &mut mutant.new));
    mutate(&mut |mutant| {
        let Some(last) = mutant.path.len().checked_sub(1) else { return };
        let place = dice.below(last + 1);
        dice.flip(&mut mutant.path[place].0);
    });
    if old > 1 && !growth.path.is_empty() {
        mutate(&mut |mutant| mutant.old = log.checkpoint(old - 1));
    }
    mutants
}

/// Changes one character of a note to another printable one.
fn flipped_text(text: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let place = dice.below(letters.len());
    letters[place] = if letters[place] == 'B' { 'C' } else { 'B' };
    letters.into_iter().collect()
}

#[test]
fn p09_another_logs_signature_is_not_believed() {
    let log = Log::of(9);
    let entry = log.entry(4, 9);
    let stranger = VerifierKey::new("envora.test/stranger", *log.key().public()).unwrap();
    assert!(verify_entry(&entry, &[stranger]).is_err());
    assert!(verify_entry(&entry, &[]).is_err());
}

/// The suite proves that it can fail: with a verifier that leaves the middle of a proof unchecked, the
/// test above must not pass. The bug is armed in a process of its own.
#[test]
fn p09_a_verifier_that_skips_the_middle_is_caught() {
    const BUG: &str = "middle_of_proof_unchecked";
    let armed = std::env::args().any(|argument| argument == BUG);
    if armed {
        planted::arm(BUG);
        p09_audit_proofs_hold();
        return;
    }
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "p09::p09_a_verifier_that_skips_the_middle_is_caught", BUG])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&run.stdout);
    assert!(text.contains("running 1 test"), "the armed run found its test: {text}");
    assert!(!run.status.success(), "a verifier that skips the middle passed the suite");
}
