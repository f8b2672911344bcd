//! The seal file: by file, by passphrase, and what it refuses.

use std::path::Path;

use envora_crypto::provider::KeyError;
use envora_crypto::seal::{Method, Passphrase, Seal};
use envora_domain::ports::Disk;
use envora_testkit::disk::MemoryDisk;
use envora_testkit::entropy::SeededEntropy;

fn create(disk: &MemoryDisk, method: &Method) -> Result<Seal, KeyError> {
    Seal::create(disk, Path::new("keys/seal"), method, &SeededEntropy::new(5))
}

fn open(disk: &MemoryDisk, passphrase: Option<&str>) -> Result<Seal, KeyError> {
    let passphrase = passphrase.map(|text| Passphrase::new(text.to_owned()));
    Seal::open(disk, Path::new("keys/seal"), passphrase.as_ref())
}

#[test]
fn a_file_opens_itself() {
    let disk = MemoryDisk::default();
    let made = create(&disk, &Method::File).unwrap();
    let opened = open(&disk, None).unwrap();
    assert_eq!(opened.method(), "file");
    let (a, b) = (made.instance_key("directory"), opened.instance_key("directory"));
    assert_eq!(a.expose(), b.expose());
    assert_ne!(a.expose(), opened.instance_key("other").expose());
    assert!(matches!(create(&disk, &Method::File), Err(KeyError::Exists)));
}

#[test]
fn a_passphrase_opens_what_it_sealed_and_nothing_else_does() {
    let disk = MemoryDisk::default();
    let passphrase = Passphrase::new("correct horse battery staple\n".to_owned());
    assert_eq!(format!("{passphrase:?}"), "Passphrase(***)");
    let made = create(&disk, &Method::Passphrase(passphrase)).unwrap();
    let opened = open(&disk, Some("correct horse battery staple")).unwrap();
    assert_eq!(opened.method(), "passphrase");
    assert_eq!(opened.instance_key("x").expose(), made.instance_key("x").expose());
    assert!(matches!(open(&disk, Some("another")), Err(KeyError::WrongPassphrase)));
    assert!(matches!(open(&disk, None), Err(KeyError::PassphraseMissing)));
}

#[test]
fn methods_of_other_builds_are_named() {
    let disk = MemoryDisk::default();
    assert!(matches!(create(&disk, &Method::Systemd), Err(KeyError::Unsupported("systemd"))));
    assert!(matches!(create(&disk, &Method::Pkcs11), Err(KeyError::Unsupported("pkcs11"))));
    assert!(disk.paths().is_empty());
}

#[test]
fn damaged_files_are_refused() {
    let stretch = r#"{"salt":"AAAAAAAAAAAAAAAAAAAAAA==","memory_kib":4294967295,"passes":1,"lanes":1,"check":""}"#;
    for text in [
        "",
        "{}",
        r#"{"v":2,"method":"file","params":{"key":"AAAA"}}"#,
        r#"{"v":1,"method":"file","params":{"key":"AAAA"}}"#,
        r#"{"v":1,"method":"file","params":{}}"#,
        r#"{"v":1,"method":"none","params":{}}"#,
        &format!(r#"{{"v":1,"method":"passphrase","params":{stretch}}}"#),
    ] {
        let disk = MemoryDisk::default();
        disk.create_dir(Path::new("keys")).unwrap();
        disk.create(Path::new("keys/seal"), text.as_bytes()).unwrap();
        assert!(matches!(open(&disk, Some("x")), Err(KeyError::Damaged(_))), "{text}");
    }
    assert!(matches!(open(&MemoryDisk::default(), None), Err(KeyError::Io(_))));
}
