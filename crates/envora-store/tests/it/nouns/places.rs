//! Settings, facilities, sources, and the log that their changes are in.

use std::collections::BTreeMap;

use envora_domain::access::actions::{
    AcceptRestore, EditFacilities, EditSources, ReadAudit, ReadFacilities, ReadOrganization,
    ReadSources,
};
use envora_domain::hash::{Digest, leaf_hash, tree_root};
use envora_domain::id::{EntityId, FacilityId, OrganizationId, SourceId, SupplierId};
use envora_domain::time::{Day, Span};
use envora_ledger::leaf::{Deed, Leaf};
use envora_ledger::proof::{Inclusion, inclusion_proof, verify_inclusion};
use envora_store::audit::{
    LeafDraft, audit_append, audit_entries_by_object, audit_entries_from, audit_entry_at,
    audit_entry_by_seq, audit_head, audit_node,
};
use envora_store::entities::EntityFields;
use envora_store::facilities::{Facility, FacilityFields};
use envora_store::nouns::{
    Noun, Saving, Version, noun_by_code, noun_by_id, noun_last_seq, noun_put, noun_put_as,
    noun_versions, nouns_all,
};
use envora_store::organization::{
    OrganizationSettings, organization_as_of, organization_now, organization_put,
};
use envora_store::restores::{GivenUp, restore_accept};
use envora_store::sources::SourceFields;
use envora_store::suppliers::SupplierFields;
use envora_testkit::databases::{TestDb, grant};

use super::{NOW, later};

pub(super) fn settings_are_read_as_of_a_seq(db: &mut TestDb) {
    let read = grant::<ReadOrganization>();
    assert_eq!(db.db.read_blocking(move |rd| organization_now(rd, &read)).unwrap(), None);
    let first = OrganizationSettings {
        id: OrganizationId::from_bytes([1; 16]),
        slug: "acme".into(),
        environment: "live".into(),
        name: "Acme \u{e9}nergie".into(),
        time_zone: "Europe/London".into(),
        domain: "envora.localhost".into(),
        default_gwp_set: "published".into(),
        source_retention_days: 2_555,
    };
    let second = OrganizationSettings { default_gwp_set: "ar5".into(), ..first.clone() };
    let (one, two) = (first.clone(), second.clone());
    let seqs = db
        .db
        .write_blocking(move |tx| {
            Ok((
                organization_put(tx, &grant(), &one, NOW)?,
                organization_put(tx, &grant(), &two, later(1))?,
            ))
        })
        .unwrap();
    assert_eq!(seqs, (0, 1));
    db.db
        .read_blocking(move |rd| {
            assert_eq!(organization_now(rd, &read)?.map(|now| now.settings), Some(second));
            assert_eq!(organization_as_of(rd, &read, 0)?.map(|then| then.settings), Some(first));
            Ok(())
        })
        .unwrap();
}

fn facility(number: u8, code: &str) -> FacilityFields {
    FacilityFields {
        id: FacilityId::from_bytes([number; 16]),
        code: code.into(),
        name: "Building 24".into(),
        country: "GB".into(),
        region: String::new(),
        time_zone: "Europe/London".into(),
        grid: String::new(),
        entity: Some(EntityId::from_bytes([number; 16])),
        opened: Day::from_ymd(1998, 9, 1),
        closed: None,
    }
}

fn put(db: &TestDb, fields: FacilityFields) -> Saving<Facility> {
    db.db.write_blocking(move |tx| noun_put(tx, &grant::<EditFacilities>(), &fields, NOW)).unwrap()
}

fn saved(saving: Saving<Facility>) -> Facility {
    let Saving::Saved(facility) = saving else { panic!("not saved: {saving:?}") };
    facility
}

pub(super) fn a_facility_has_versions(db: &mut TestDb) {
    let read = grant::<ReadFacilities>();
    let first = saved(put(db, facility(1, "b24")));
    assert_eq!((first.version, first.seq), (1, 0));
    assert_eq!(put(db, facility(1, "b24")), Saving::Unchanged(first.clone()));
    assert_eq!(put(db, facility(2, "b24")), Saving::CodeTaken);
    assert!(matches!(put(db, facility(2, "b01")), Saving::Saved(_)));
    let renamed = saved(put(db, facility(1, "b25")));
    assert_eq!((renamed.version, renamed.seq), (2, 2));
    assert!(matches!(put(db, facility(3, "b24")), Saving::Saved(_)), "the code is free again");
    db.db
        .read_blocking(move |rd| {
            assert_eq!(
                noun_by_id::<FacilityFields>(rd, &read, renamed.fields.id)?,
                Some(renamed.clone())
            );
            assert_eq!(noun_by_code::<FacilityFields>(rd, &read, "b25")?, Some(renamed.clone()));
            assert_eq!(noun_by_code::<FacilityFields>(rd, &read, "b99")?, None);
            let codes: Vec<_> = nouns_all::<FacilityFields>(rd, &read)?
                .into_iter()
                .map(|one| one.fields.code)
                .collect();
            assert_eq!(codes, ["b01", "b24", "b25"]);
            assert_eq!(noun_versions::<FacilityFields>(rd, &read, 0)?, [first]);
            assert_eq!(noun_versions::<FacilityFields>(rd, &read, u64::MAX)?.len(), 4);
            assert_eq!(noun_last_seq::<FacilityFields>(rd, &read)?, 3);
            Ok(())
        })
        .unwrap();
}

pub(super) fn a_source_has_versions(db: &mut TestDb) {
    let (read, edit) = (grant::<ReadSources>(), grant::<EditSources>());
    let meter = SourceFields {
        id: SourceId::from_bytes([1; 16]),
        code: "b24-electricity".into(),
        name: "Main meter".into(),
        facility: Some(FacilityId::from_bytes([1; 16])),
        kind: "electricity.purchased".into(),
        unit: "kW.h".into(),
        time_zone: "UTC".into(),
        opened: None,
        closed: Day::from_ymd(2030, 1, 1),
    };
    let moved = SourceFields { facility: None, ..meter.clone() };
    let other = SourceFields { id: SourceId::from_bytes([2; 16]), ..meter.clone() };
    let fields = [meter.clone(), meter.clone(), moved.clone(), other];
    let outcomes = db
        .db
        .write_blocking(move |tx| {
            fields.iter().map(|fields| noun_put(tx, &edit, fields, NOW)).collect()
        })
        .unwrap();
    let outcomes: Vec<_> = outcomes;
    assert!(matches!(outcomes[0], Saving::Saved(_)) && matches!(outcomes[1], Saving::Unchanged(_)));
    assert!(matches!(outcomes[2], Saving::Saved(_)) && matches!(outcomes[3], Saving::CodeTaken));
    db.db
        .read_blocking(move |rd| {
            let now = noun_by_id::<SourceFields>(rd, &read, meter.id)?.unwrap();
            assert_eq!((now.fields, now.version, now.seq), (moved, 2, 1));
            assert_eq!(
                noun_by_code::<SourceFields>(rd, &read, &meter.code)?.map(|one| one.version),
                Some(2)
            );
            assert_eq!(nouns_all::<SourceFields>(rd, &read)?.len(), 1);
            assert_eq!(noun_versions::<SourceFields>(rd, &read, 0)?[0].fields, meter);
            let last = noun_versions::<SourceFields>(rd, &read, u64::MAX)?.pop().unwrap().seq;
            assert_eq!(noun_last_seq::<SourceFields>(rd, &read)?, i64::try_from(last)?);
            Ok(())
        })
        .unwrap();
}

pub(super) fn an_older_database_put_back_says_so(db: &mut TestDb) {
    let (read, accept) = (grant::<ReadAudit>(), grant::<AcceptRestore>());
    let before = db.db.epoch();
    let lost = GivenUp { size: 9, root: Digest::of(b"what was") };
    let raised =
        db.db.write_blocking(move |tx| restore_accept(tx, &accept, lost, later(1))).unwrap();
    assert_eq!((raised, db.db.epoch()), (before + 1, before), "whoever has it open goes on");
    db.reopen();
    assert_eq!(db.db.epoch(), raised);
    let leaf = db.db.read_blocking(move |rd| {
        let last = audit_entries_from(rd, &read, 0, 100)?.pop();
        Ok(Leaf::decode(&last.expect("a leaf").leaf).unwrap())
    });
    let leaf = leaf.unwrap();
    assert_eq!((leaf.digest, leaf.epoch), (Some(lost.root), Some(raised)));
    assert_eq!(leaf.count, Some(9), "all of it was lost");
}

pub(super) fn the_log_grows_and_proves(db: &mut TestDb) {
    let read = grant::<ReadAudit>();
    for number in 0..21_u8 {
        let draft = LeafDraft {
            deed: Deed::Segment,
            object: [number % 7; 16],
            digest: Digest::of(&[number]),
            count: Some(u64::from(number)),
            ack: None,
            epoch: Some(1),
            actor: None,
        };
        let seq = db.db.write_blocking(move |tx| audit_append(tx, &draft, later(1))).unwrap();
        assert_eq!(seq, u64::from(number));
    }
    db.reopen();
    db.db
        .read_blocking(move |rd| {
            let head = audit_head(rd)?;
            let entries = audit_entries_from(rd, &read, 0, 100)?;
            let leaves: Vec<Digest> = entries.iter().map(|one| leaf_hash(&one.leaf)).collect();
            assert_eq!((head.size, head.root), (21, tree_root(&leaves)));
            assert_eq!(head.at, later(1));
            let object = audit_entries_by_object(rd, &read, [3; 16])?;
            assert_eq!(object.iter().map(|one| one.seq).collect::<Vec<_>>(), [3, 10, 17]);
            assert_eq!(Leaf::decode(&object[2].leaf).unwrap().prev, Some(10));
            assert_eq!(audit_entry_by_seq(rd, &read, 4)?, Some(entries[4].clone()));
            assert_eq!(audit_entry_by_seq(rd, &read, 21)?, None);
            assert_eq!(audit_entry_at(rd, &read, head.at)?, entries.last().cloned());
            let before = head.at + Span::from_secs(-100_000);
            assert_eq!(audit_entry_at(rd, &read, before)?, None);
            let mut nodes = BTreeMap::new();
            for level in 0..6_u8 {
                for index in 0..21 {
                    if let Some(hash) = audit_node(rd, &read, level, index)? {
                        nodes.insert((level, index), hash);
                    }
                }
            }
            assert_eq!(nodes.len(), 21 + 10 + 5 + 2 + 1);
            for index in 0..21 {
                let look_up = |level, place| nodes.get(&(level, place)).copied();
                let proof = inclusion_proof(index, 21, &look_up).unwrap();
                let leaf = leaves[usize::try_from(index)?];
                let inclusion = Inclusion { leaf, index, size: 21 };
                verify_inclusion(&inclusion, &proof, &head.root).unwrap();
            }
            Ok(())
        })
        .unwrap();
}

fn entity(number: u8, code: &str) -> EntityFields {
    EntityFields {
        id: EntityId::from_bytes([number; 16]),
        code: code.into(),
        name: "Acme UK".into(),
        country: "GB".into(),
        lei: String::new(),
        share: "0.75".into(),
        control: "both".into(),
    }
}

fn supplier(number: u8, code: &str) -> SupplierFields {
    SupplierFields {
        id: SupplierId::from_bytes([number; 16]),
        code: code.into(),
        name: "Northern Power".into(),
        country: String::new(),
        lei: String::new(),
    }
}

/// Two versions of one, and another that wants its code.
fn has_versions<N: Noun + core::fmt::Debug>(db: &TestDb, first: N, second: N, other: N) {
    let (read, edit, last) = (grant::<N::Read>(), grant::<N::Edit>(), second.clone());
    let sent = [first.clone(), first.clone(), second.clone(), other];
    let savings: Vec<Saving<Version<N>>> = db
        .db
        .write_blocking(move |tx| {
            sent.iter().map(|fields| noun_put(tx, &edit, fields, NOW)).collect()
        })
        .unwrap();
    assert!(matches!(&savings[0], Saving::Saved(one) if one.version == 1));
    assert!(matches!(&savings[1], Saving::Unchanged(one) if one.version == 1));
    assert!(matches!(&savings[2], Saving::Saved(one) if one.version == 2));
    assert!(matches!(&savings[3], Saving::CodeTaken));
    db.db
        .read_blocking(move |rd| {
            assert_eq!(noun_by_id::<N>(rd, &read, first.id())?.unwrap().fields, second);
            assert_eq!(noun_by_code::<N>(rd, &read, second.code())?.unwrap().version, 2);
            assert_eq!(nouns_all::<N>(rd, &read)?.len(), 1);
            let versions = noun_versions::<N>(rd, &read, u64::MAX)?;
            assert_eq!(versions.len(), 2);
            assert_eq!(versions[0].fields, first);
            assert!(versions[0].seq < versions[1].seq, "each version has a leaf of its own");
            assert_eq!(noun_last_seq::<N>(rd, &read)?, i64::try_from(versions[1].seq)?);
            Ok(())
        })
        .unwrap();
    is_archived_and_brought_back::<N>(db, last);
}

/// A state is a version, with a leaf whose digest tells it; a change keeps the state.
fn is_archived_and_brought_back<N: Noun + core::fmt::Debug>(db: &TestDb, one: N) {
    let (read, edit, audit) = (grant::<N::Read>(), grant::<N::Edit>(), grant::<ReadAudit>());
    let since = later(5);
    let savings: Vec<Saving<Version<N>>> = db
        .db
        .write_blocking(move |tx| {
            Ok(vec![
                noun_put_as(tx, &edit, (&one, Some(since)), since)?,
                noun_put_as(tx, &edit, (&one, Some(since)), later(6))?,
                noun_put(tx, &edit, &one, later(7))?,
                noun_put_as(tx, &edit, (&one, None), later(8))?,
            ])
        })
        .unwrap();
    let [
        Saving::Saved(archived),
        Saving::Unchanged(same),
        Saving::Unchanged(put),
        Saving::Saved(back),
    ] = &savings[..]
    else {
        panic!("{savings:?}")
    };
    assert_eq!((archived.version, archived.archived), (3, Some(since)));
    assert_eq!((same, put), (archived, archived), "what says the same adds nothing");
    assert_eq!((back.version, back.archived), (4, None));
    let (id, archived, back) = (back.fields.id(), archived.clone(), back.clone());
    db.db
        .read_blocking(move |rd| {
            assert_eq!(noun_by_id::<N>(rd, &read, id)?, Some(back.clone()));
            assert_eq!(noun_versions::<N>(rd, &read, archived.seq)?.pop(), Some(archived));
            let digests = audit_entries_by_object(rd, &audit, id.bytes())?;
            let digests = digests.iter().map(|one| Leaf::decode(&one.leaf).unwrap().digest);
            let [.., before, archived, after] = digests.collect::<Vec<_>>()[..] else {
                panic!("three leaves")
            };
            assert!(before == after && before != archived, "a leaf tells the state");
            Ok(())
        })
        .unwrap();
}

pub(super) fn an_entity_has_versions(db: &mut TestDb) {
    let first = entity(1, "acme-uk");
    let second = EntityFields { share: "1".into(), ..first.clone() };
    has_versions(db, first, second, entity(2, "acme-uk"));
}

pub(super) fn a_supplier_has_versions(db: &mut TestDb) {
    let first = supplier(1, "np");
    let second = SupplierFields { country: "GB".into(), ..first.clone() };
    has_versions(db, first, second, supplier(2, "np"));
}
