//! Signed notes and checkpoints, as C2SP describes them.

use ed25519_dalek::{Signer as _, SigningKey};
use envora_domain::hash::{Digest, unhex};
use envora_ledger::checkpoint::{Checkpoint, CheckpointError};
use envora_ledger::note::{self, NoteError, VerifierKey};

use crate::log::{Log, ORIGIN};

/// The example of the specification: Go's `golang.org/x/mod/sumdb/note` package documentation.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn the_note_of_the_go_documentation_is_believed() {
    let key = VerifierKey::parse(PETER).unwrap();
    assert_eq!(key.to_string(), PETER);
    let text = note::open(PETER_NOTE, &[key]).unwrap();
    assert!(text.starts_with("If you think") && text.ends_with("problem is.\n"));
}

#[test]
fn ed25519_meets_rfc_8032() {
    // Test 2 of §7.1: one byte, 0x72.
    let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    let signer = SigningKey::from_bytes(&unhex(seed).unwrap().try_into().unwrap());
    let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    assert_eq!(signer.verifying_key().to_bytes().to_vec(), unhex(public).unwrap());
    let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                     085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
    assert_eq!(signer.sign(&[0x72]).to_bytes().to_vec(), unhex(signature).unwrap());
}

#[test]
fn a_checkpoint_survives_its_note() {
    let log = Log::of(5);
    let note = log.checkpoint(5);
    let checkpoint = Checkpoint::open(&note, &[log.key()]).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (5, log.root(5)));
    assert_eq!(checkpoint.origin, ORIGIN);
    assert_eq!(note, log.checkpoint(5), "signing again gives the same note");
}

#[test]
fn signatures_of_others_are_passed_over_but_false_ones_are_not() {
    let log = Log::of(5);
    let note = log.checkpoint(5);
    let stranger = SigningKey::from_bytes(&[7; 32]);
    let key = VerifierKey::new("witness.test", stranger.verifying_key().to_bytes()).unwrap();
    let body = Checkpoint { origin: ORIGIN.to_owned(), size: 5, root: log.root(5) }.body();
    let cosigned = note::sign(&body, &key, &|text| stranger.sign(text).to_bytes());
    let line = cosigned.strip_prefix(&body).unwrap().strip_prefix('\n').unwrap();
    let both = format!("{note}{line}");
    assert!(Checkpoint::open(&both, &[log.key()]).is_ok());
    assert!(Checkpoint::open(&both, &[log.key(), key.clone()]).is_ok());
    let alone = Checkpoint::open(&note, core::slice::from_ref(&key));
    assert_eq!(alone, Err(CheckpointError::Note(NoteError::UnknownKey)));

    let forged = note::sign(&body, &key, &|_| [1; 64]);
    let line = forged.strip_prefix(&body).unwrap().strip_prefix('\n').unwrap();
    let both = Checkpoint::open(&format!("{note}{line}"), &[log.key(), key]);
    assert_eq!(both, Err(CheckpointError::Note(NoteError::FalseSignature)));
}

#[test]
fn a_body_is_three_plain_lines() {
    let good = Checkpoint { origin: ORIGIN.to_owned(), size: 7, root: Digest([3; 32]) };
    assert_eq!(Checkpoint::parse(&good.body()), Ok(good.clone()));
    let root = good.body().lines().last().unwrap().to_owned();
    for bad in [
        String::new(),
        format!("{ORIGIN}\n7\n{root}"),
        format!("{ORIGIN}\n7\n{root}\nextension\n"),
        format!("{ORIGIN}\n07\n{root}\n"),
        format!("{ORIGIN}\n+7\n{root}\n"),
        format!("{ORIGIN}\n-7\n{root}\n"),
        format!("{ORIGIN}\n18446744073709551616\n{root}\n"),
        format!("\n7\n{root}\n"),
        format!("{ORIGIN}\n7\n{}\n", &root[4..]),
        format!("{ORIGIN}\r\n7\n{root}\n"),
    ] {
        let verdict = Checkpoint::parse(&bad);
        // A carriage return is part of an origin to the body's reader; the note refuses it.
        assert!(verdict.is_err() || bad.contains('\r'), "{bad:?}");
    }
}

#[test]
fn keys_of_another_form_are_refused() {
    for text in [
        "",
        "name",
        "name+00000000+AQ==",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpcWQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert_eq!(VerifierKey::parse(text), None, "{text}");
    }
    for name in ["", "a b", "a+b", "a\nb"] {
        assert_eq!(VerifierKey::new(name, [0; 32]), None, "{name:?}");
    }
}

#[test]
fn notes_of_another_form_are_refused() {
    let log = Log::of(5);
    let note = log.checkpoint(5);
    for bad in [
        String::new(),
        note.trim_end().to_owned(),
        note.replace("\n\n", "\n"),
        note.replace('\u{2014}', "-"),
        note.replace('\n', "\r\n"),
        format!("{note}\n"),
        format!("{note}junk\n"),
        note.replace("\u{2014} ", "\u{2014}  "),
    ] {
        assert!(Checkpoint::open(&bad, &[log.key()]).is_err(), "{bad:?}");
    }
}
