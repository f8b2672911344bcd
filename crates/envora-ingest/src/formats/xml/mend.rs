//! The refused rows of an XML file: activities in our own namespace, each with what is wrong with it. Readings of
//! a Green Button file come out as the activities that they would have been, so that they can be mended.

use super::super::csv::OURS;
use super::super::mend::{ADDED, ErrorFile, Rows, added};
use super::super::{OpenError, Opening, OriginHead};
use super::espi::Readings;
use super::{ACTIVITIES, Names, Step, Walk, held, look_over};

/// Takes the refused rows out of a file.
pub(in crate::formats) fn error_file(bytes: &[u8], refused: &Rows) -> Result<ErrorFile, OpenError> {
    let bytes = held(bytes)?;
    let root = look_over(&bytes)?;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    if root.names != Names::Own {
        readings(&mut out, &bytes, refused)?;
        return Ok(ErrorFile { bytes: out.into_bytes(), left_out: Vec::new() });
    }
    // The outermost tag as it stands: it declares the names that the rows use.
    let (mut walk, mut depth, mut number, mut from) = (Walk::new(bytes.clone()), 0_u32, 0, 0);
    let prefix = root.written.strip_suffix("activities").unwrap_or_default();
    loop {
        match walk.next()? {
            Step::Open(opened) => {
                depth += 1;
                if depth == 2 {
                    number += 1;
                    from = opened.at;
                }
                if depth == 1 {
                    let tag = bytes.get(opened.at..walk.at()).unwrap_or_default();
                    out.push_str(&String::from_utf8_lossy(tag));
                    out.push('\n');
                }
            }
            Step::Close(end) => {
                depth = depth.saturating_sub(1);
                let why = refused.get(&number).filter(|_| depth == 1);
                if let Some(why) = why {
                    let row = String::from_utf8_lossy(bytes.get(from..end).unwrap_or_default());
                    let close = row.rfind("</").unwrap_or(row.len());
                    let (head, tail) = row.split_at(close);
                    out.push_str(head);
                    put_added(&mut out, prefix, added(number, why));
                    out.push_str(tail);
                    out.push('\n');
                }
            }
            Step::Text(_) => {}
            Step::End => break,
        }
    }
    out.push_str(&format!("</{}>\n", root.written));
    Ok(ErrorFile { bytes: out.into_bytes(), left_out: Vec::new() })
}

fn put_added(out: &mut String, prefix: &str, texts: [String; 4]) {
    for (name, text) in ADDED.iter().zip(texts) {
        put(out, &format!("{prefix}{OURS}{name}"), &text);
    }
}

fn put(out: &mut String, name: &str, text: &str) {
    let text = quick_xml::escape::escape(text);
    out.push_str(&format!("<{name}>{text}</{name}>"));
}

fn readings(out: &mut String, bytes: &bytes::Bytes, refused: &Rows) -> Result<(), OpenError> {
    let head = OriginHead::Request { request_id: "".into(), body: [0; 32] };
    let opening = Opening {
        head,
        mapping: None,
        set: Default::default(),
        local_times: Default::default(),
        clocks: Default::default(),
    };
    let mut readings = Readings::new(bytes.clone(), &opening)?;
    out.push_str(&format!("<activities xmlns=\"{ACTIVITIES}\">\n"));
    while let Some(row) = readings.row()? {
        let Some(why) = refused.get(&row.row) else { continue };
        out.push_str("<activity>");
        for (field, text) in readings.said() {
            put(out, &field.name(), text);
        }
        put_added(out, "", added(row.row, why));
        out.push_str("</activity>\n");
    }
    out.push_str("</activities>\n");
    Ok(())
}
