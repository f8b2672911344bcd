//! Grants: the proof, as a value, that the policy engine allowed an action.
//!
//! Every store function on customer data demands a [`Grant`] of its action. [`Grant::mint`] may be
//! named in one file, `envora-identity/src/policy.rs`; `cargo xtask tidy` checks that.

use core::marker::PhantomData;

use crate::id::TenantId;

/// Something that may be allowed or refused.
pub trait Action: 'static {
    /// Its name, `noun:verb`.
    const NAME: &'static str;
}

macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident = $name:literal;)*) => {
        /// The actions, one type each.
        pub mod actions {
            $($(#[$doc])* #[derive(Clone, Copy, Debug)] pub enum $action {}
            impl super::Action for $action { const NAME: &'static str = $name; })*
            /// The names of all actions.
            pub const ALL: &[&str] = &[$($name),*];
        }
    };
}

actions! {
    /// Read the organization and its settings.
    ReadOrganization = "organization:read";
    /// Change the organization's settings.
    EditOrganization = "organization:edit";
    /// Read facilities.
    ReadFacilities = "facilities:read";
    /// Add or change facilities.
    EditFacilities = "facilities:edit";
    /// Read sources.
    ReadSources = "sources:read";
    /// Add or change sources.
    EditSources = "sources:edit";
    /// Read entities.
    ReadEntities = "entities:read";
    /// Add or change entities.
    EditEntities = "entities:edit";
    /// Read suppliers.
    ReadSuppliers = "suppliers:read";
    /// Add or change suppliers.
    EditSuppliers = "suppliers:edit";
    /// Read activities, segments and imports.
    ReadActivities = "activities:read";
    /// Add activities and imports.
    WriteActivities = "activities:write";
    /// Read factors, packs, methods.
    ReadFactors = "factors:read";
    /// Activate a factor pack.
    ActivatePack = "packs:activate";
    /// Read the footprint, figures and traces.
    ReadResults = "results:read";
    /// Calculate: the process role's own work.
    Calculate = "results:calculate";
    /// Read the audit log.
    ReadAudit = "audit:read";
    /// Put an older copy of everything in the place of what is lost.
    AcceptRestore = "restore:accept";
    /// Manage credentials and sessions.
    ManageCredentials = "credentials:manage";
}

/// The policy engine allowed `A` to this actor in this tenant.
pub struct Grant<A> {
    tenant: TenantId,
    actor: [u8; 16],
    action: PhantomData<fn() -> A>,
}

impl<A: Action> Grant<A> {
    /// Makes a grant. Only the policy engine may call this.
    #[must_use]
    pub const fn mint(tenant: TenantId, actor: [u8; 16]) -> Self {
        Self { tenant, actor, action: PhantomData }
    }

    /// Whose data it opens.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The random id of the credential's row: goes into audit leaves.
    #[must_use]
    pub const fn actor(&self) -> [u8; 16] {
        self.actor
    }
}

impl<A> Clone for Grant<A> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<A> Copy for Grant<A> {}
impl<A: Action> core::fmt::Debug for Grant<A> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Grant<{}>({})", A::NAME, self.tenant)
    }
}
