//! The built-in presets.

/// The preset names, which are the values of `format`, and their texts.
pub(super) const PRESETS: [(&str, &str); 3] = [
    ("canvas", include_str!("canvas.yaml")),
    ("oneroster", include_str!("oneroster.yaml")),
    ("moodle", include_str!("moodle.yaml")),
];

/// The role column.
pub(super) const ROLE: &str = "role";

pub(in super::super) fn names() -> [&'static str; PRESETS.len()] {
    PRESETS.map(|(name, _)| name)
}
