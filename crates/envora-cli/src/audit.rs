//! `envora audit`: the log's head, its proofs, and hashing all of it again.

use envora_api::audit::{AuditEntry, Checkpoint, InclusionProof};
use envora_api::listing::Page;
use envora_domain::hash::{Digest, leaf_hash};
use envora_ledger::proof::{Inclusion, verify_inclusion};
use envora_ledger::tree::CompactRange;

use crate::arguments::AuditVerb;
use crate::client::Client;
use crate::failures::Failure;
use crate::proofs;
use crate::session::{Printed, Session};

/// Does what an audit verb says.
///
/// # Errors
/// The server's problem; a signature, hash or proof that does not fit.
pub async fn run(verb: AuditVerb, session: &mut Session) -> Result<(), Failure> {
    let client = session.client()?;
    match verb {
        AuditVerb::Checkpoint => checkpoint(&client, session).await,
        AuditVerb::Verify => verify(&client, session).await,
        AuditVerb::Proof { index } => proof(&client, index, session).await,
    }
}

/// The signed head of the log.
///
/// # Errors
/// The server's problem.
pub async fn head(client: &Client) -> Result<Checkpoint, Failure> {
    client.get("/audit/checkpoint", &[]).await
}

async fn checkpoint(client: &Client, session: &mut Session) -> Result<(), Failure> {
    let head = head(client).await?;
    proofs::check_head(&head, &proofs::key(&head.vkey)?)?;
    if session.print_json(&head)? == Printed::NotYet {
        session.terminal.data.text(&head.note);
        session.terminal.words.line(format!("key {}", head.vkey));
        session.terminal.words.line("the signature fits");
    }
    Ok(())
}

async fn verify(client: &Client, session: &mut Session) -> Result<(), Failure> {
    let head = head(client).await?;
    proofs::check_head(&head, &proofs::key(&head.vkey)?)?;
    let mut range = CompactRange::new();
    let mut cursor: Option<String> = None;
    while range.size() < head.size {
        let mut query = vec![("limit", "1000")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let page: Page<AuditEntry> = client.get("/audit/entries", &query).await?;
        for entry in page.data.iter().filter(|entry| entry.seq < head.size) {
            take(&mut range, entry)?;
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    if range.size() != head.size || range.root().hex() != head.root {
        let what = format!("{} entries hash to {}", range.size(), range.root());
        return Err(proofs::refused(format!(
            "{what}; the head says {} and {}",
            head.size, head.root
        )));
    }
    let paint = session.terminal.data.paint;
    session.terminal.data.line(format!(
        "{} {} entries hash to the signed root",
        paint.good("✓"),
        head.size
    ));
    session.terminal.data.line(format!("  {}", head.root));
    session.terminal.data.line(format!("  {}", head.origin));
    Ok(())
}

fn take(range: &mut CompactRange, entry: &AuditEntry) -> Result<(), Failure> {
    if entry.seq != range.size() {
        return Err(proofs::refused(format!("entry {} is missing", range.size())));
    }
    let hash = leaf_hash(&proofs::bytes(&entry.leaf)?);
    if hash.hex() != entry.leaf_hash {
        return Err(proofs::refused(format!("entry {} hashes to {hash}", entry.seq)));
    }
    drop(range.append(hash));
    Ok(())
}

async fn proof(client: &Client, index: u64, session: &mut Session) -> Result<(), Failure> {
    let index_text = index.to_string();
    let proof: InclusionProof =
        client.get("/audit/proofs/inclusion", &[("index", &index_text)]).await?;
    let hash = |text: &str| {
        Digest::parse_hex(text)
            .ok_or_else(|| proofs::refused("the proof holds something that is no hash"))
    };
    let (leaf, root) = (hash(&proof.leaf_hash)?, hash(&proof.root)?);
    let inclusion = Inclusion { leaf, index: proof.index, size: proof.size };
    verify_inclusion(&inclusion, &proofs::digests(&proof.proof)?, &root)
        .map_err(proofs::refused)?;
    if proof.index != index {
        return Err(proofs::refused("it is about another entry"));
    }
    if let Some(head) = &proof.checkpoint {
        proofs::check_head(head, &proofs::key(&head.vkey)?)?;
        if head.root != proof.root {
            return Err(proofs::refused("the signed head has another root"));
        }
    }
    if session.print_json(&proof)? == Printed::NotYet {
        let data = &mut session.terminal.data;
        let paint = data.paint;
        data.line(format!("entry {} of {}", proof.index, proof.size));
        data.line(format!("  leaf hash  {}", proof.leaf_hash));
        for hash in &proof.proof {
            data.line(paint.faint(&format!("  with       {hash}")));
        }
        data.line(format!("  root       {}", proof.root));
        let signed = if proof.checkpoint.is_some() { ", and the head is signed" } else { "" };
        data.line(format!("{} the entry is in the log{signed}", paint.good("✓")));
    }
    Ok(())
}
