//! Host names: their one normal form, and the map from a host to the tenant it names.
//!
//! The Host alone decides whose data a request is about; path, token, header and query change
//! nothing. There is no default tenant.

use std::collections::BTreeMap;

use envora_crypto::seal::Seal;
use envora_domain::hash;
use envora_domain::id::TenantId;
use serde::{Deserialize, Serialize};

/// A host name in normal form: lower case, without port and without a dot at its end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HostName(String);

/// The names under which a machine calls itself.
pub const LOOPBACK: &[&str] = &["localhost", "127.0.0.1", "[::1]"];

impl HostName {
    /// Reads a Host header; `None` for anything odd.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let (name, port) = match lower.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                address.parse::<std::net::Ipv6Addr>().ok()?;
                (format!("[{address}]"), port)
            }
            None => match lower.find(':') {
                Some(at) => (lower[..at].to_owned(), &lower[at..]),
                None => (lower.clone(), ""),
            },
        };
        let port_is_odd = match port.strip_prefix(':') {
            Some(digits) => digits.parse::<u16>().is_err() || digits.starts_with('+'),
            None => !port.is_empty(),
        };
        if port_is_odd {
            return None;
        }
        if name.starts_with('[') {
            return Some(Self(name));
        }
        let name = name.strip_suffix('.').unwrap_or(&name);
        let label_is_odd = |label: &str| {
            label.is_empty()
                || label.len() > 63
                || label.starts_with('-')
                || label.ends_with('-')
                || !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if name.len() > 253 || name.split('.').any(label_is_odd) {
            return None;
        }
        Some(Self(name.to_owned()))
    }

    /// The host of an organization's environment without TLS.
    #[must_use]
    pub fn of(slug: &str, environment: &str) -> Self {
        match environment {
            "live" => Self(format!("{slug}.localhost")),
            other => Self(format!("{slug}-{other}.localhost")),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The map of hosts, an allow-list: `instance/map.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostMap {
    /// The version of the file's form.
    pub v: u32,
    /// Host to tenant.
    pub hosts: BTreeMap<HostName, TenantId>,
    /// Under which the instance's key wrote it, in hexadecimal digits; absent in a map of an earlier
    /// program, until the folder is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
}

impl HostMap {
    /// A map without hosts.
    #[must_use]
    pub fn new() -> Self {
        Self { v: 1, hosts: BTreeMap::new(), mac: None }
    }

    /// The same, signed under the instance's key.
    #[must_use]
    pub fn signed(self, seal: &Seal) -> Self {
        Self { mac: Some(self.mac_under(seal)), ..self }
    }

    /// Whether it is as the instance wrote it; nothing when it is not signed.
    #[must_use]
    pub fn is_signed(&self, seal: &Seal) -> Option<bool> {
        self.mac.as_ref().map(|mac| *mac == self.mac_under(seal))
    }

    fn mac_under(&self, seal: &Seal) -> String {
        let pairs =
            self.hosts.iter().map(|(host, tenant)| format!("{}\t{tenant}\n", host.as_str()));
        let text = std::iter::once(format!("{}\n", self.v)).chain(pairs).collect::<String>();
        hash::hex(&seal.instance_key("map").mac(&[b"envora/map/1", text.as_bytes()]))
    }

    /// The tenants it names, each once.
    #[must_use]
    pub fn tenants(&self) -> Vec<TenantId> {
        let mut tenants: Vec<TenantId> = self.hosts.values().copied().collect();
        tenants.sort_unstable();
        tenants.dedup();
        tenants
    }
}

#[cfg(test)]
mod tests {
    use super::HostName;

    #[track_caller]
    fn check(text: &str, want: Option<&str>) {
        assert_eq!(HostName::parse(text).as_ref().map(HostName::as_str), want, "{text:?}");
    }

    #[test]
    fn a_host_has_one_form_and_odd_ones_have_none() {
        check("acme.localhost", Some("acme.localhost"));
        check("ACME.localhost:8080", Some("acme.localhost"));
        check("acme.localhost.", Some("acme.localhost"));
        check("127.0.0.1:80", Some("127.0.0.1"));
        check("[::1]:8080", Some("[::1]"));
        check("[::1]", Some("[::1]"));
        for odd in [
            "",
            ".",
            "a..b",
            "a b",
            "acme_x.localhost",
            "acme.localhost:",
            "acme.localhost:x",
            "acme.localhost:99999",
            "acme.localhost..",
            "[::1",
            "[evil]",
            "a/b",
            "é.localhost",
            "-a.localhost",
            "acme.localhost:80:80",
            "[::1]x",
            "user@acme.localhost",
            "a:+80",
        ] {
            check(odd, None);
        }
    }
}
