//! The policy: the one place where a grant is minted.

use envora_domain::access::{Action, Grant};
use envora_domain::id::TenantId;

/// Who acts, in which tenant. Made by sign-in, or for the process' own work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    tenant: TenantId,
    credential: [u8; 16],
    role: Role,
}

/// What an actor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs the server and owns its data: may do everything in the tenant.
    Operator,
    /// The process itself: calculation, setting up.
    System,
}

/// The policy does not allow the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this credential may not {action}")]
pub struct Denied {
    /// The action's name.
    pub action: &'static str,
}

impl Actor {
    /// The bearer of this credential.
    pub(crate) const fn operator(tenant: TenantId, credential: [u8; 16]) -> Self {
        Self { tenant, credential, role: Role::Operator }
    }

    /// The process itself, at work in a tenant: its leaves carry sixteen zero bytes.
    #[must_use]
    pub const fn system(tenant: TenantId) -> Self {
        Self { tenant, credential: [0; 16], role: Role::System }
    }

    /// The tenant it acts in.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The random id of its credential.
    #[must_use]
    pub const fn credential(&self) -> [u8; 16] {
        self.credential
    }
}

/// Asks whether the actor may do `A` in its tenant.
///
/// # Errors
/// [`Denied`].
pub fn allow<A: Action>(actor: &Actor) -> Result<Grant<A>, Denied> {
    match actor.role {
        Role::Operator | Role::System => Ok(Grant::mint(actor.tenant, actor.credential)),
    }
}

/// The process' own grant: what it does for a tenant without anyone asking.
#[must_use]
pub fn own_work<A: Action>(tenant: TenantId) -> Grant<A> {
    let actor = Actor::system(tenant);
    Grant::mint(actor.tenant, actor.credential)
}

#[cfg(test)]
mod tests {
    use envora_domain::access::actions::ReadResults;
    use envora_domain::id::TenantId;

    use super::{Actor, allow};

    #[test]
    fn a_grant_is_of_the_actors_own_tenant() {
        let tenant = TenantId::from_bytes([7; 16]);
        let grant = allow::<ReadResults>(&Actor::operator(tenant, [9; 16])).expect("allowed");
        assert_eq!((grant.tenant(), grant.actor()), (tenant, [9; 16]));
    }
}
