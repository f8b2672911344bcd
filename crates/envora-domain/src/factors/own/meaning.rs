//! What a factor may be for: the parts of the supply chain that methods of this program take from
//! factors of a type.

use crate::catalogue::{self, Bucket, When};
use crate::factors::{Boundary, FactorKind};
use crate::methods::{self, Source};

/// Which methods a factor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Those that take a published factor.
    Published,
    /// Those that take what the row's supplier states.
    Supplier,
    /// Those that take a residual mix.
    ResidualMix,
}

impl Role {
    pub(super) const fn of(kind: FactorKind, of_supplier: bool) -> Self {
        match (kind, of_supplier) {
            (FactorKind::ResidualMix, _) => Self::ResidualMix,
            (_, true) => Self::Supplier,
            (_, false) => Self::Published,
        }
    }

    /// In words.
    pub(super) const fn says(self) -> &'static str {
        match self {
            Self::Published => "a factor",
            Self::Supplier => "a supplier's own factor",
            Self::ResidualMix => "a residual mix",
        }
    }

    const fn takes(self, source: Source) -> bool {
        match self {
            Self::Published => matches!(source, Source::Emission),
            Self::Supplier => matches!(source, Source::Supplier),
            Self::ResidualMix => matches!(source, Source::ResidualMix),
        }
    }
}

/// The boundaries that some slot takes from factors of this type in this role.
pub(super) fn boundaries(of: &str, role: Role) -> Vec<Boundary> {
    let mut found = Vec::new();
    for kind in catalogue::ALL {
        for slot in kind.slots {
            if slot.bucket != Bucket::InScope || slot.when.contains(&When::Co2Alone) {
                continue;
            }
            let usable = slot.methods.iter().filter_map(|id| methods::find(id));
            let usable = usable.filter(|method| method.lacks.is_none());
            for method in usable.filter(|method| role.takes(method.source)) {
                let own = [kind.code];
                let types: &[&str] = match (method.types, slot.types) {
                    ([], []) => &own,
                    ([], types) | (types, _) => types,
                };
                if types.contains(&of) {
                    found.push(method.boundary.unwrap_or(slot.boundary));
                }
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The types that have factors in this role.
pub(super) fn types(role: Role) -> Vec<&'static str> {
    let all = catalogue::ALL.iter().map(|kind| kind.code);
    all.filter(|code| !boundaries(code, role).is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(of: &str, role: Role, want: &[Boundary]) {
        assert_eq!(boundaries(of, role), want, "{of}");
    }

    #[test]
    fn methods_say_what_a_factor_may_be_for() {
        let power = "electricity.purchased";
        check(power, Role::Supplier, &[Boundary::Generation]);
        check(power, Role::ResidualMix, &[Boundary::Generation]);
        check("goods.purchased", Role::Supplier, &[Boundary::CradleToGate]);
        check("capital.purchased", Role::Supplier, &[Boundary::CradleToGate]);
        check("heat.purchased", Role::Supplier, &[Boundary::Generation]);
        check("waste.treated", Role::Supplier, &[Boundary::EndOfLife]);
        check("fuel.combusted.mobile", Role::Supplier, &[]);
        check("spend.purchased", Role::Published, &[]);
        assert_eq!(types(Role::ResidualMix), [power]);
        let four = ["electricity.purchased", "heat.purchased", "waste.treated"];
        assert!(four.iter().all(|code| types(Role::Supplier).contains(code)));
        assert!(boundaries(power, Role::Published).contains(&Boundary::Upstream));
    }
}
