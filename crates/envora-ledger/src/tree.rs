//! The tree of RFC 6962 as it grows: a compact range, and the complete nodes that it leaves behind.

use envora_domain::hash::{Digest, leaf_hash, node_hash};

/// A complete node of the tree. Once there it never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// 0 for a leaf hash; a node of level `l` stands over `2^l` leaves.
    pub level: u8,
    /// Its place in the level, from 0: it stands over the leaves from `index * 2^level`.
    pub index: u64,
    /// Its hash.
    pub hash: Digest,
}

/// The roots of the complete trees that a log of this size is made of, largest first: as many as the
/// size has one-bits. With it alone the log can grow and tell its root.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CompactRange {
    size: u64,
    nodes: Vec<Digest>,
}

impl CompactRange {
    /// The range of an empty log.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, nodes: Vec::new() }
    }

    /// The range of so many leaves with these roots, or `None` when their number does not fit.
    #[must_use]
    pub fn from_parts(size: u64, nodes: Vec<Digest>) -> Option<Self> {
        (nodes.len() == usize::try_from(size.count_ones()).ok()?).then_some(Self { size, nodes })
    }

    /// The range of so many leaves, its roots as one byte string (see [`Self::node_bytes`]).
    #[must_use]
    pub fn from_node_bytes(size: u64, bytes: &[u8]) -> Option<Self> {
        let (nodes, rest) = bytes.as_chunks::<32>();
        rest.is_empty()
            .then(|| nodes.iter().copied().map(Digest).collect())
            .and_then(|nodes| Self::from_parts(size, nodes))
    }

    /// The roots, one after the other: what a database column holds.
    #[must_use]
    pub fn node_bytes(&self) -> Vec<u8> {
        self.nodes.iter().flat_map(|node| node.0).collect()
    }

    /// How many leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots, largest tree first.
    #[must_use]
    pub fn nodes(&self) -> &[Digest] {
        &self.nodes
    }

    /// Adds one leaf hash and returns the nodes that are complete now, the leaf first. They are to be
    /// kept where [`crate::proof`] can look them up.
    pub fn append(&mut self, leaf: Digest) -> Vec<Node> {
        let mut node = Node { level: 0, index: self.size, hash: leaf };
        let mut complete = vec![node];
        while node.index & 1 == 1 {
            let Some(left) = self.nodes.pop() else { break };
            node = Node {
                level: node.level.saturating_add(1),
                index: node.index >> 1,
                hash: node_hash(&left, &node.hash),
            };
            complete.push(node);
        }
        self.nodes.push(node.hash);
        self.size = self.size.saturating_add(1);
        complete
    }

    /// The range of a log that holds exactly these leaves, from the first: what a start compares with
    /// the size and root that were written down.
    pub fn of_leaves<'a>(leaves: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut range = Self::new();
        for leaf in leaves {
            range.append(leaf_hash(leaf));
        }
        range
    }

    /// The root of the log at this size.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.nodes
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(|| Digest::of(&[]))
    }
}

#[cfg(test)]
mod tests {
    use envora_domain::hash::tree_root;
    use proptest::prelude::*;

    use super::*;

    fn leaves(count: u64) -> Vec<Digest> {
        (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
    }

    #[test]
    fn a_range_has_the_root_of_the_tree_at_each_size() {
        let leaves = leaves(300);
        let mut range = CompactRange::new();
        assert_eq!(range.root(), tree_root(&[]));
        for (place, leaf) in leaves.iter().enumerate() {
            let complete = range.append(*leaf);
            assert_eq!(complete.first().map(|node| (node.level, node.hash)), Some((0, *leaf)));
            for node in complete {
                let first = usize::try_from(node.index << node.level).unwrap();
                assert_eq!(node.hash, tree_root(&leaves[first..first + (1 << node.level)]));
            }
            assert_eq!(range.root(), tree_root(&leaves[..=place]), "size {}", place + 1);
        }
    }

    #[test]
    fn a_range_survives_its_parts_and_refuses_others() {
        let mut range = CompactRange::new();
        for leaf in leaves(13) {
            range.append(leaf);
        }
        let bytes = range.node_bytes();
        assert_eq!(CompactRange::from_node_bytes(13, &bytes), Some(range));
        assert_eq!(CompactRange::from_node_bytes(12, &bytes), None);
        assert_eq!(CompactRange::from_node_bytes(13, &bytes[1..]), None);
    }

    proptest! {
        #[test]
        fn a_range_equals_the_tree_over_any_leaves(
            entries in prop::collection::vec(any::<[u8; 8]>(), 0..200)
        ) {
            let leaves: Vec<Digest> = entries.iter().map(|entry| leaf_hash(entry)).collect();
            let mut range = CompactRange::new();
            for leaf in &leaves {
                range.append(*leaf);
            }
            prop_assert_eq!(range.root(), tree_root(&leaves));
            let bytes = entries.iter().map(<[u8; 8]>::as_slice);
            prop_assert_eq!(&CompactRange::of_leaves(bytes), &range);
            prop_assert_eq!(range.size(), leaves.len() as u64);
        }
    }
}
