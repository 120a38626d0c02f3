//! What a stretch of a document means as text: its references and its line ends.

use memchr::memchr;

use super::text::is_char;

/// The longest reference, `&` and `;` aside. `#x10FFFF` has 8; zeros may lead.
const REFERENCE: usize = 32;

/// The character that the reference at the start of `text` means, and what follows it.
pub(super) fn resolved(text: &str) -> Option<(char, &str)> {
    let reference = text.strip_prefix('&')?;
    let within = reference.as_bytes().get(..=REFERENCE);
    let len = memchr(b';', within.unwrap_or(reference.as_bytes()))?;
    let (name, after) = reference.split_at_checked(len)?;
    let c = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => {
            let digits = name.strip_prefix('#')?;
            let (digits, radix) = match digits.strip_prefix('x') {
                Some(digits) => (digits, 16),
                None => (digits, 10),
            };
            // `from_str_radix` would take a sign as well.
            if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return None;
            }
            let c = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
            is_char(c).then_some(c)?
        }
    };
    Some((c, after.strip_prefix(';')?))
}

/// Appends `text` with CR LF and CR as LF, as XML 1.0 §2.11 has it.
pub(super) fn push_normalized(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some((line, after)) = rest.split_once('\r') {
        out.push_str(line);
        out.push('\n');
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    out.push_str(rest);
}
