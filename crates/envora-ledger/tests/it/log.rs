//! A log in memory with a signer: what store and keys are to the real one.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};
use envora_domain::hash::Digest;
use envora_ledger::checkpoint::Checkpoint;
use envora_ledger::leaf::{Deed, Leaf};
use envora_ledger::note::VerifierKey;
use envora_ledger::proof::{consistency_proof, inclusion_proof};
use envora_ledger::tree::CompactRange;
use envora_ledger::verify::{EntryProof, GrowthProof};

pub(crate) const ORIGIN: &str = "envora.test/0123456789abcdef0123456789abcdef";

pub(crate) struct Log {
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) roots: Vec<Digest>,
    nodes: BTreeMap<(u8, u64), Digest>,
    signer: SigningKey,
}

impl Log {
    pub(crate) fn of(size: u64) -> Self {
        let signer = SigningKey::from_bytes(&[0x42; 32]);
        let mut range = CompactRange::new();
        let mut log =
            Self { leaves: Vec::new(), roots: vec![range.root()], nodes: BTreeMap::new(), signer };
        for seq in 0..size {
            let leaf = leaf(seq);
            for node in range.append(leaf.hash()) {
                log.nodes.insert((node.level, node.index), node.hash);
            }
            log.leaves.push(leaf.encode());
            log.roots.push(range.root());
        }
        log
    }

    pub(crate) fn key(&self) -> VerifierKey {
        VerifierKey::new(ORIGIN, self.signer.verifying_key().to_bytes()).unwrap()
    }

    pub(crate) fn node(&self, level: u8, index: u64) -> Option<Digest> {
        self.nodes.get(&(level, index)).copied()
    }

    pub(crate) fn root(&self, size: u64) -> Digest {
        self.roots[usize::try_from(size).unwrap()]
    }

    pub(crate) fn checkpoint(&self, size: u64) -> String {
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: self.root(size) };
        checkpoint.sign(&self.key(), &|text| self.signer.sign(text).to_bytes())
    }

    pub(crate) fn entry(&self, index: u64, size: u64) -> EntryProof {
        EntryProof {
            leaf: self.leaves[usize::try_from(index).unwrap()].clone(),
            path: inclusion_proof(index, size, &|level, index| self.node(level, index)).unwrap(),
            checkpoint: self.checkpoint(size),
        }
    }

    pub(crate) fn growth(&self, old: u64, new: u64) -> GrowthProof {
        GrowthProof {
            old: self.checkpoint(old),
            new: self.checkpoint(new),
            path: consistency_proof(old, new, &|level, index| self.node(level, index)).unwrap(),
        }
    }
}

pub(crate) fn leaf(seq: u64) -> Leaf {
    let place = usize::try_from(seq).unwrap();
    Leaf {
        object: Some(u128::from(seq).to_be_bytes()),
        digest: Some(Digest::of(&seq.to_be_bytes())),
        count: Some(seq * 7),
        prev: seq.checked_sub(3),
        ..Leaf::new(Deed::ALL[place % Deed::ALL.len()], seq, 1_650_000_000_000 + seq)
    }
}
