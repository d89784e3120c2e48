//! A custom section in a component file: found, replaced and appended without understanding the rest of the file.

use std::ops::Range;

/// What a component file starts with.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const CUSTOM: u8 = 0;

/// The content of the custom section of this name.
///
/// # Errors
/// When the file is no component or breaks off, and when the section is there twice.
pub fn find<'a>(wasm: &'a [u8], name: &str) -> Result<Option<&'a [u8]>, String> {
    let mut found = None;
    for section in sections(wasm)? {
        if let Some(content) = section.named(wasm, name)
            && found.replace(content).is_some()
        {
            return Err(format!("it has two sections `{name}`"));
        }
    }
    Ok(found)
}

/// The file with this content as its only custom section of this name, at its end.
///
/// # Errors
/// As [`find`].
pub fn put(wasm: &[u8], name: &str, content: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = COMPONENT.to_vec();
    for section in sections(wasm)? {
        if section.named(wasm, name).is_none() {
            out.extend_from_slice(&wasm[section.whole]);
        }
    }
    let mut named = leb(name.len());
    named.extend_from_slice(name.as_bytes());
    out.push(CUSTOM);
    out.extend(leb(named.len() + content.len()));
    out.extend(named);
    out.extend_from_slice(content);
    Ok(out)
}

struct Section {
    id: u8,
    /// With its id and length.
    whole: Range<usize>,
    body: Range<usize>,
}

impl Section {
    /// The content, when this is the custom section of this name.
    fn named<'a>(&self, wasm: &'a [u8], name: &str) -> Option<&'a [u8]> {
        let body = &wasm[self.body.clone()];
        let mut at = 0;
        let length = (self.id == CUSTOM).then(|| read_leb(body, &mut at)).flatten()?;
        let found = body.get(at..at.checked_add(length)?)?;
        (found == name.as_bytes()).then(|| &body[at + length..])
    }
}

fn sections(wasm: &[u8]) -> Result<Vec<Section>, String> {
    if !wasm.starts_with(COMPONENT) {
        return Err("it is not a WebAssembly component".to_owned());
    }
    let mut sections = Vec::new();
    let mut at = COMPONENT.len();
    while let Some(id) = wasm.get(at) {
        let start = at;
        at += 1;
        let end = read_leb(wasm, &mut at).and_then(|length| at.checked_add(length)).filter(|end| *end <= wasm.len());
        let end = end.ok_or("the component is cut off")?;
        sections.push(Section { id: *id, whole: start..end, body: at..end });
        at = end;
    }
    Ok(sections)
}

/// An unsigned number of at most 32 bits, seven bits a byte, lowest first.
fn read_leb(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0_u64;
    for shift in [0, 7, 14, 21, 28] {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return usize::try_from(value).ok();
        }
    }
    None
}

fn leb(mut value: usize) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(rest: &[u8]) -> Vec<u8> {
        [COMPONENT, rest].concat()
    }

    #[test]
    fn a_section_is_appended_and_replaced() {
        let plain = component(b"\x03\x02ab\0\x03\x01xy");
        assert_eq!(find(&plain, "z").unwrap(), None);
        assert_eq!(find(&plain, "x").unwrap(), Some(&b"y"[..]));
        let once = put(&plain, "z", &[7; 300]).unwrap();
        assert!(once.starts_with(&plain));
        assert_eq!(find(&once, "z").unwrap(), Some(&[7; 300][..]));
        let twice = put(&once, "z", b"new").unwrap();
        assert_eq!((find(&twice, "z").unwrap(), twice.len()), (Some(&b"new"[..]), plain.len() + 7));
        assert_eq!(put(&twice, "z", b"new").unwrap(), twice);
    }

    #[test]
    fn what_is_no_component_is_refused() {
        assert!(find(b"\0asm\x01\0\0\0", "z").unwrap_err().contains("not a WebAssembly component"));
        assert!(put(b"", "z", b"").is_err());
        for rest in [&b"\0"[..], b"\0\x05\x01z", b"\0\xff\xff\xff\xff\xff\x01"] {
            assert!(find(&component(rest), "z").unwrap_err().contains("cut off"), "{rest:?}");
        }
        let doubled = component(b"\0\x02\x01z\0\x02\x01z");
        assert!(find(&doubled, "z").unwrap_err().contains("two sections"));
        // A name that is longer than its section is no name.
        assert_eq!(find(&component(b"\0\x01\x09"), "z").unwrap(), None);
    }
}
