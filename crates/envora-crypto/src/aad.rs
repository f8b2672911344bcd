//! Additional authenticated data, frozen v1: what a sealed object is and whom it belongs to.
//!
//! An envelope opens only under the very same fields. Tenant and region stop a swap between tenants,
//! object id and column one within.

use core::fmt;

use envora_domain::id::TenantId;

/// The region of a server that knows no regions.
pub const REGION_LOCAL: &str = "onprem:local";

macro_rules! purposes {
    ($($(#[$doc:meta])* $purpose:ident = $name:literal;)*) => {
        /// What a data key is for. Each purpose has a key of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Purpose { $($(#[$doc])* $purpose,)* }

        impl Purpose {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$purpose),*];

            /// Its word in the additional data.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$purpose => $name,)* }
            }

            /// The purpose of this word.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|purpose| purpose.as_str() == text)
            }
        }
    };
}

purposes! {
    /// The tenant's database.
    Db = "db";
    /// Segments, source files, calculation blocks.
    Segment = "segment";
    /// Evidence payloads.
    Evidence = "evidence";
    /// Secrets that customers entrust.
    Secret = "secret";
    /// Sessions.
    Session = "session";
    /// Keyed fingerprints and blind indexes.
    Index = "index";
    /// Backups.
    Backup = "backup";
    /// The signing keys.
    Signing = "signing";
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The fields that an envelope is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aad {
    /// Whose it is; lower-case hex on the wire.
    pub tenant: TenantId,
    /// Where the key version was born, so that a move of the tenant breaks nothing.
    pub region: String,
    /// What the key is for.
    pub purpose: Purpose,
    /// What sort of object.
    pub object_type: String,
    /// Which object; ids in lower-case hex without a prefix.
    pub object_id: String,
    /// Which column, or empty.
    pub column: String,
    /// Which version of the key.
    pub key_version: u32,
}

impl Aad {
    /// `"EVA1"`, then each field as u16 big-endian length and UTF-8, the first being `v1`.
    ///
    /// A field is cut at 65,535 bytes; ours are words and hex of at most some hundred.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let tenant = self.tenant.hex();
        let version = self.key_version.to_string();
        let fields = [
            "v1",
            &tenant,
            &self.region,
            self.purpose.as_str(),
            &self.object_type,
            &self.object_id,
            &self.column,
            &version,
        ];
        let mut bytes = b"EVA1".to_vec();
        for field in fields {
            let length = u16::try_from(field.len()).unwrap_or(u16::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(field.bytes().take(usize::from(length)));
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use envora_domain::hash::hex;

    use super::*;

    #[test]
    fn the_fields_stand_in_their_order_with_their_lengths() {
        let aad = Aad {
            tenant: TenantId::from_bytes([0xab; 16]),
            region: REGION_LOCAL.to_owned(),
            purpose: Purpose::Segment,
            object_type: "segment".to_owned(),
            object_id: "cd".repeat(16),
            column: String::new(),
            key_version: 1,
        };
        let want = [
            "45564131",
            "00027631",
            "0020",
            &hex("ab".repeat(16).as_bytes()),
            "000c6f6e7072656d3a6c6f63616c",
            "00077365676d656e74",
            "00077365676d656e74",
            "0020",
            &hex("cd".repeat(16).as_bytes()),
            "0000",
            "000131",
        ];
        assert_eq!(hex(&aad.encode()), want.concat());
    }

    #[test]
    fn a_purpose_is_its_word() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::parse(purpose.as_str()), Some(*purpose));
        }
        assert_eq!(Purpose::parse("other"), None);
    }
}
